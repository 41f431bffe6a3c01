"""Declares the metrics. Their names are public: alerts and dashboards depend on them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from nbsweep import __version__
from nbsweep.core.marks.shown import ShownState

SWEEP_BUCKETS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 43200)
DELETION_BUCKETS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
CALL_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

OPEN_STATES = (ShownState.MARKED, ShownState.TOLD, ShownState.DUE, ShownState.HELD_OUT, ShownState.EXEMPT)


class Declared(NamedTuple):
    """The name, kind and labels of a metric, with or without samples."""

    name: str
    kind: str
    labels: tuple[str, ...]


class Instruments:
    """All metrics, each with its name, meaning and labels."""

    def __init__(self) -> None:
        """Create all metrics in a new registry."""
        self.registry = CollectorRegistry()
        self.declared: list[Declared] = []
        """All metrics, including those without samples."""
        self._gauge("build_info", "Which version this is; always 1.", "version").labels(__version__).set(1)
        self._declare_service()
        self._declare_sweeps()
        self._declare_removals()
        self._declare_calls()
        self._declare_notices()
        self._declare_fleet()

    def _declare_service(self) -> None:
        self.ready = self._gauge("ready", "Whether the service can do its work.")
        self.reload_refused = self._gauge("reload_refused", "Whether the last reload of the configuration was refused.")
        self.failures = self._gauge("target_failures", "Sweeps of the target that failed in a row.", "target")
        self.paused = self._gauge("target_paused", "Whether the target is paused.", "target")
        self.held = self._gauge("target_held_elsewhere", "Whether another nbsweep holds the target's lease.", "target")
        self.waiting = self._gauge("target_waiting_for_turn", "Whether the target waits for its account's turn.", "target")
        self.lost_lines = self._counter("log_lines_lost_total", "Log lines that were lost because the reader was too slow.")

    def _declare_sweeps(self) -> None:
        self.sweeps = self._counter("sweeps_total", "Sweeps that are over.", "target", "outcome")
        self.sweep_s = self._histogram("sweep_duration_seconds", "How long sweeps took.", SWEEP_BUCKETS_S, "target")
        self.success = self._gauge(
            "last_success_timestamp_seconds", "When a sweep last succeeded; 0 until the first.", "target"
        )
        self.fleet = self._gauge("fleet_notebooks", "Notebooks at the last survey.", "target")
        self.refusing = self._gauge("workspaces_refused", "Workspaces that could not be listed, at the last survey.", "target")
        self.candidates = self._gauge(
            "candidates", "Notebooks that the policies select for deletion, at the last survey.", "target"
        )
        self.kept = self._gauge("kept_notebooks", "Notebooks that are kept, by reason, at the last survey.", "target", "reason")
        self.refusals = self._counter(
            "refusals_total", "Plans that a brake refused, and sweeps that a brake stopped.", "target", "brake"
        )

    def _declare_removals(self) -> None:
        self.removals = self._counter("removals_total", "Removals that have ended.", "target", "policy", "outcome")
        self.in_flight = self._gauge("removals_in_flight", "Removals that were requested and have no end yet.", "target")
        self.deletion_s = self._histogram(
            "deletion_duration_seconds", "From a DELETE's acceptance to its end.", DELETION_BUCKETS_S, "target"
        )
        self.reclaimed = self._counter("reclaimed_bytes_total", "Disks of notebooks that were deleted.", "target", "category")

    def _declare_calls(self) -> None:
        self.calls = self._counter("api_calls_total", "Calls that were sent.", "target", "lane", "status_class", "error_code")
        self.call_s = self._histogram(
            "api_call_duration_seconds", "From sending to the answer.", CALL_BUCKETS_S, "target", "lane"
        )
        self.throttled = self._counter("throttled_total", "Calls that the gateway throttled.", "target", "lane")
        self.unauthorized = self._counter(
            "authentication_failures_total", "Sweeps that failed for lack of credentials or permissions.", "target"
        )
        self.pace = self._gauge("lane_calls_per_second", "How fast the lane may go at this moment.", "target", "lane")
        self.dialect = self._gauge(
            "cloud_dialect",
            "The variant of the API that the cloud accepts, found from its answers; always 1.",
            "target",
            "aspect",
            "value",
        )
        self.limit = self._gauge("lane_configured_calls_per_second", "How fast the lane may go at most.", "target", "lane")

    def _declare_notices(self) -> None:
        self.marks = self._gauge(
            "marks", "Open marks by state, at the last survey or the start of the service.", "target", "state"
        )
        self.untold = self._gauge("untold", "Open marks whose owners could not be told, counted like the marks.", "target")
        self.marks_made = self._counter("marks_made_total", "Marks that were made.", "target")
        self.marks_cleared = self._counter("marks_cleared_total", "Marks that were cleared.", "target", "cause")
        self.notifications = self._counter(
            "notifications_total", "Attempts to send a message, by what came of them.", "channel", "kind", "outcome"
        )
        self.outbox_pending = self._gauge("outbox_pending", "Messages that are not sent yet.", "channel")
        self.outbox_oldest_s = self._gauge("outbox_oldest_seconds", "The age of the oldest unsent message.", "channel")
        self.outbox_waiting = self._gauge("outbox_waiting", "Items that no message lists yet.")
        self.outbox_paused = self._gauge("outbox_paused", "Whether sending is paused.")

    def _declare_fleet(self) -> None:
        self.workers = self._gauge("workers", "Workers of the fleet by state; those that have stopped do not count.", "state")
        self.workers_outdated = self._gauge("workers_outdated", "Workers whose configuration is not that of this service.")
        self.jobs = self._gauge("jobs", "Jobs of the fleet's queue by state.", "state")
        self.job_wait_s = self._gauge("job_wait_seconds", "For how long the job has waited that waits longest; 0 if none does.")
        self.jobs_refused = self._gauge("jobs_refused", "Waiting jobs whose configuration no running worker has.")
        self.account_held = self._gauge("account_held", "Whether a process of the fleet has the account.", "account")
        self.led = self._gauge("fleet_led", "Whether a service leads the fleet: starts what is due.")
        self.leading = self._gauge("fleet_leading", "Whether this service leads the fleet.")

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(self._declare(name, "counter", labels), meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(self._declare(name, "gauge", labels), meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: Sequence[float], *labels: str) -> Histogram:
        full_name = self._declare(name, "histogram", labels)
        return Histogram(full_name, meaning, labels, registry=self.registry, buckets=buckets)

    def _declare(self, name: str, kind: str, labels: tuple[str, ...]) -> str:
        self.declared.append(Declared(f"nbsweep_{name}", kind, labels))
        return self.declared[-1].name

    def forget(self, target: str) -> None:
        """Remove the gauges of a target that the configuration no longer contains, because their values never change again."""
        for gauge in (
            self.failures,
            self.paused,
            self.held,
            self.waiting,
            self.success,
            self.in_flight,
            self.fleet,
            self.candidates,
            self.refusing,
            self.untold,
        ):
            gauge.remove(target)
        for state in OPEN_STATES:
            self.marks.remove(target, state)

    def exposition(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(_WithoutDates(self.registry))


class _WithoutDates(Collector):
    """Collects all metrics without the `_created` series, which doubles the number of counters and has no use here."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
