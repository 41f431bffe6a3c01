"""What there is to see, under which names. They are a contract: others write alerts and dashboards against them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from nbsweep import __version__

SWEEP_BUCKETS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 43200)
DELETION_BUCKETS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
CALL_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Declared(NamedTuple):
    """A metric, whether or not there is anything to show of it yet."""

    name: str
    kind: str
    labels: tuple[str, ...]


class Instruments:
    """Every metric with its name, its meaning and its labels; the README's table is the same."""

    def __init__(self) -> None:
        """Make them, all at nothing, in a registry of their own."""
        self.registry = CollectorRegistry()
        self.declared: list[Declared] = []
        """Also those of which there is nothing to see yet."""

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(declare(name, "counter", labels), meaning, labels, registry=self.registry)

        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(declare(name, "gauge", labels), meaning, labels, registry=self.registry)

        def histogram(name: str, meaning: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(declare(name, "histogram", labels), meaning, labels, registry=self.registry, buckets=buckets)

        def declare(name: str, kind: str, labels: tuple[str, ...]) -> str:
            self.declared.append(Declared(f"nbsweep_{name}", kind, labels))
            return self.declared[-1].name

        gauge("build_info", "Which version this is; always 1.", "version").labels(__version__).set(1)
        self.ready = gauge("ready", "Whether the service can do its work.")
        self.failures = gauge("target_failures", "Sweeps of the target that failed in a row.", "target")
        self.paused = gauge("target_paused", "Whether the target is paused.", "target")
        self.held = gauge("target_held_elsewhere", "Whether another nbsweep holds the target's lease.", "target")
        self.lost_lines = counter("log_lines_lost_total", "Lines of the log that were lost because nobody read it.")
        self.sweeps = counter("sweeps_total", "Sweeps that are over.", "target", "outcome")
        self.sweep_s = histogram("sweep_duration_seconds", "How long sweeps took.", SWEEP_BUCKETS_S, "target")
        self.success = gauge(
            "last_success_timestamp_seconds",
            "When a sweep last finished without an error, by the journal; 0 until the first.",
            "target",
        )
        self.fleet = gauge("fleet_notebooks", "Notebooks at the last survey.", "target")
        self.refusing = gauge("workspaces_refused", "Workspaces that could not be listed, at the last survey.", "target")
        self.candidates = gauge("candidates", "Notebooks that the policies would let go, at the last survey.", "target")
        self.kept = gauge("kept_notebooks", "Notebooks that are kept, by reason, at the last survey.", "target", "reason")
        self.refusals = counter("refusals_total", "Plans that a brake refused, and sweeps that one stopped.", "target", "brake")
        self.removals = counter("removals_total", "Removals that have ended.", "target", "policy", "outcome")
        self.in_flight = gauge("removals_in_flight", "Removals that were requested and have no end yet.", "target")
        self.deletion_s = histogram(
            "deletion_duration_seconds", "From a DELETE's acceptance to its end.", DELETION_BUCKETS_S, "target"
        )
        self.reclaimed = counter("reclaimed_bytes_total", "Disks of notebooks that were deleted.", "target", "category")
        self.calls = counter("api_calls_total", "Calls that were sent.", "target", "lane", "status_class", "error_code")
        self.call_s = histogram("api_call_duration_seconds", "From sending to the answer.", CALL_BUCKETS_S, "target", "lane")
        self.throttled = counter("throttled_total", "Calls that the gateway throttled.", "target", "lane")
        self.unauthorized = counter(
            "authentication_failures_total",
            "Sweeps that ended because the cloud refused the credentials, or a call for want of a permission.",
            "target",
        )
        self.pace = gauge("lane_calls_per_second", "How fast the lane may go at this moment.", "target", "lane")
        self.dialect = gauge(
            "cloud_dialect", "How the cloud wants to be asked, as its answers have told; always 1.", "target", "aspect", "value"
        )
        self.limit = gauge("lane_configured_calls_per_second", "How fast the lane may go at most.", "target", "lane")

    def forget(self, target: str) -> None:
        """Show no more how a target stands that the configuration does not name any more: it would stand so for ever."""
        for gauge in (
            self.failures,
            self.paused,
            self.held,
            self.success,
            self.in_flight,
            self.fleet,
            self.candidates,
            self.refusing,
        ):
            gauge.remove(target)

    def exposition(self) -> bytes:
        """Write everything as Prometheus reads it."""
        return generate_latest(_WithoutDates(self.registry))


class _WithoutDates(Collector):
    """Leaves out when each counter was begun: one more series for each, of which nobody makes anything."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
