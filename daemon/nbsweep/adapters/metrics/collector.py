"""Updates the metrics from events, and from the service's state at each request.

Every label has few values: targets and policies are the configuration's, everything else is
a fixed word, and any other text becomes `other`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from nbsweep.adapters.metrics.fleet import FleetMetrics
from nbsweep.adapters.metrics.in_flight import InFlight, Labels
from nbsweep.adapters.metrics.instruments import Instruments
from nbsweep.adapters.metrics.notices import NoticeMetrics
from nbsweep.core.errors import Forbidden, Unauthorized
from nbsweep.core.events.base import Event
from nbsweep.core.events.http import DialectFound, HttpAnswered, HttpThrottled
from nbsweep.core.events.removal import RecoveryFinished, RecoveryStarted, RemovalAgain, RemovalFinished, RemovalRequested
from nbsweep.core.events.service import LogLinesLost, ServiceReloaded, ServiceReloadRefused
from nbsweep.core.events.sweep import PlanBuilt, PlanRefused, SurveyFinished, SweepBraked, SweepFinished
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.pacing import LaneState
from nbsweep.core.ports import Clock
from nbsweep.core.runs import SUCCESSES, Outcome

CATEGORIES = frozenset({"SFS", "EVS", "OBS", "OBSFS", "EFS"})
KEPT_REASONS = tuple(reason.value for reason in Reason if reason not in (Reason.POLICY, Reason.ALREADY_DELETED))
SWEEP_OUTCOMES = tuple(outcome for outcome in Outcome if outcome not in (Outcome.RUNNING, Outcome.DECLINED))
"""The outcomes with a counter from the start, so that the first failure counts as an increase."""
BYTES_OF_A_GB = 2**30
"""The cloud counts in binary GB."""
NOT_ALLOWED = frozenset({Unauthorized.__name__, Forbidden.__name__})
"""The errors that end a sweep because of credentials or permissions."""
OTHER = "other"


class ObservedTarget(Protocol):
    """The state of one target, as the metrics show it."""

    @property
    def name(self) -> str:
        """The name of the target."""
        ...

    @property
    def phase(self) -> str:
        """The current phase of the target, in one word."""
        ...

    @property
    def paused(self) -> bool:
        """Whether the target is paused."""
        ...

    @property
    def accounts_ahead(self) -> int | None:
        """The number of accounts that have waited longer for their turn; None if it does not wait."""
        ...

    @property
    def failures(self) -> int:
        """The number of its sweeps that failed in a row."""
        ...

    @property
    def last_success(self) -> datetime | None:
        """When a sweep last finished without an error, according to the journal."""
        ...

    @property
    def lanes(self) -> Sequence[LaneState]:
        """The present rates of the lanes of its account."""
        ...


class StateSource(Protocol):
    """The source of the targets' states; called for each request for the metrics."""

    def targets(self) -> Sequence[ObservedTarget]:
        """Return the state of every target."""
        ...

    def not_ready(self) -> Sequence[str]:
        """Return why the service is not ready; empty if it is."""
        ...


class Metrics:
    """Counts events of the telemetry, and exposes them as metrics."""

    def __init__(self, clock: Clock, known_codes: Collection[str] = ()) -> None:
        """Store the clock, and the error codes that get a label of their own; all others share one."""
        self._clock = clock
        self._codes = frozenset(known_codes)
        self._source: StateSource | None = None
        self._targets: set[str] = set()
        """The targets at the last request."""
        self._dialects: dict[tuple[str, str], str] = {}
        """The variant that is shown, by target and aspect."""
        self._in_flight = InFlight()
        self._instruments = Instruments()
        self._notices = NoticeMetrics(self._instruments)
        self.fleet = FleetMetrics(self._instruments)
        """Those of a fleet of processes."""
        self._handlers: Mapping[type[Event], Callable[[Any, Labels], None]] = {
            HttpAnswered: self._answered,
            HttpThrottled: self._throttled,
            DialectFound: self._dialect_found,
            SurveyFinished: self._surveyed,
            PlanBuilt: self._planned,
            PlanRefused: self._refused,
            SweepBraked: self._refused,
            RemovalRequested: self._requested,
            RemovalAgain: self._again,
            RemovalFinished: self._removed,
            RecoveryStarted: self._recovering,
            RecoveryFinished: self._recovered,
            SweepFinished: self._swept,
            LogLinesLost: self._lost,
            ServiceReloadRefused: self._reload_refused,
            ServiceReloaded: self._reloaded,
            **self._notices.handlers,
        }

    def __call__(self, event: Event, context: Mapping[str, Any]) -> None:
        """Handle an event."""
        handle = self._handlers.get(type(event))
        if handle:
            handle(event, Labels(context.get("target", ""), context.get("policy", ""), context.get("notebook_id", "")))

    def watch(self, source: StateSource) -> None:
        """Set the source of the targets' states."""
        self._source = source

    def exposition(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        if self._source:
            self._update(self._source)
        return self._instruments.exposition()

    # ---- from events -------------------------------------------------------------------------------------------------------

    def _answered(self, event: HttpAnswered, labels: Labels) -> None:
        status = "none" if event.status is None else f"{event.status // 100}xx"
        code = event.error_code if event.error_code in self._codes or not event.error_code else OTHER
        self._instruments.calls.labels(labels.target, event.lane, status, code).inc()
        self._instruments.call_s.labels(labels.target, event.lane).observe(event.duration_s)

    def _throttled(self, event: HttpThrottled, labels: Labels) -> None:
        self._instruments.throttled.labels(labels.target, event.lane).inc()

    def _dialect_found(self, event: DialectFound, labels: Labels) -> None:
        before = self._dialects.get((labels.target, event.aspect))
        if before is not None:
            self._instruments.dialect.remove(labels.target, event.aspect, before)
        self._dialects[labels.target, event.aspect] = event.value
        self._instruments.dialect.labels(labels.target, event.aspect, event.value).set(1)

    def _surveyed(self, event: SurveyFinished, labels: Labels) -> None:
        self._instruments.fleet.labels(labels.target).set(event.fleet)
        self._instruments.candidates.labels(labels.target).set(event.candidates)
        self._instruments.refusing.labels(labels.target).set(event.workspaces_refused)

    def _planned(self, event: PlanBuilt, labels: Labels) -> None:
        for reason in KEPT_REASONS:
            self._instruments.kept.labels(labels.target, reason).set(event.kept.get(reason, 0))

    def _refused(self, event: PlanRefused | SweepBraked, labels: Labels) -> None:
        self._instruments.refusals.labels(labels.target, event.brake).inc()

    def _requested(self, _event: RemovalRequested, labels: Labels) -> None:
        self._in_flight.begin(labels)
        self._show_in_flight(labels)

    def _again(self, _event: RemovalAgain, labels: Labels) -> None:
        self._in_flight.end(labels)
        self._show_in_flight(labels)

    def _removed(self, event: RemovalFinished, labels: Labels) -> None:
        self._in_flight.end(labels)
        self._show_in_flight(labels)
        self._instruments.removals.labels(labels.target, labels.policy, event.outcome).inc()
        if event.accepted_after_s is not None and event.ended_after_s is not None:
            self._instruments.deletion_s.labels(labels.target).observe(max(0.0, event.ended_after_s - event.accepted_after_s))
        if event.outcome == "deleted" and event.capacity_gb:
            category = event.category if event.category in CATEGORIES else OTHER
            self._instruments.reclaimed.labels(labels.target, category).inc(event.capacity_gb * BYTES_OF_A_GB)

    def _recovering(self, event: RecoveryStarted, labels: Labels) -> None:
        self._in_flight.inherit(labels.target, event.unfinished)
        self._show_in_flight(labels)

    def _recovered(self, _event: RecoveryFinished, labels: Labels) -> None:
        self._in_flight.inherit(labels.target, 0)
        self._show_in_flight(labels)

    def _swept(self, event: SweepFinished, labels: Labels) -> None:
        self._in_flight.forget(labels.target)
        self._show_in_flight(labels)
        self._instruments.sweeps.labels(labels.target, event.outcome).inc()
        self._instruments.sweep_s.labels(labels.target).observe(event.duration_s)
        if event.problem_kind in NOT_ALLOWED:
            self._instruments.unauthorized.labels(labels.target).inc()
        if event.outcome in SUCCESSES and not event.problem:
            self._instruments.success.labels(labels.target).set(self._clock.now().timestamp())

    def _lost(self, event: LogLinesLost, _labels: Labels) -> None:
        self._instruments.lost_lines.inc(event.lines)

    def _reload_refused(self, _event: ServiceReloadRefused, _labels: Labels) -> None:
        self._instruments.reload_refused.set(1)

    def _reloaded(self, _event: ServiceReloaded, _labels: Labels) -> None:
        self._instruments.reload_refused.set(0)

    def _show_in_flight(self, labels: Labels) -> None:
        self._instruments.in_flight.labels(labels.target).set(self._in_flight.count(labels.target))

    # ---- on each request ---------------------------------------------------------------------------------------------------

    def _update(self, source: StateSource) -> None:
        self._instruments.ready.set(not source.not_ready())
        states = source.targets()
        for gone in self._targets - {state.name for state in states}:
            self._instruments.forget(gone)
            self._forget_dialect(gone)
        self._targets = {state.name for state in states}
        for state in states:
            self._instruments.failures.labels(state.name).set(state.failures)
            self._instruments.paused.labels(state.name).set(state.paused)
            self._instruments.held.labels(state.name).set(state.phase == Outcome.HELD_ELSEWHERE)
            self._instruments.waiting.labels(state.name).set(state.accounts_ahead is not None)
            if state.last_success is not None:
                self._instruments.success.labels(state.name).set(state.last_success.timestamp())
            self._show_lanes(state)
            self._begin_at_nothing(state.name)

    def _forget_dialect(self, target: str) -> None:
        for (name, aspect), value in list(self._dialects.items()):
            if name == target:
                self._instruments.dialect.remove(name, aspect, value)
                del self._dialects[name, aspect]

    def _show_lanes(self, state: ObservedTarget) -> None:
        for lane in state.lanes:
            self._instruments.pace.labels(state.name, lane.lane).set(lane.calls_per_s)
            if lane.configured_calls_per_s is not None:
                self._instruments.limit.labels(state.name, lane.lane).set(lane.configured_calls_per_s)

    def _begin_at_nothing(self, target: str) -> None:
        """Initialize counters with 0, because an alert cannot detect an increase of a missing series."""
        for metric in (self._instruments.success, self._instruments.in_flight, self._instruments.unauthorized):
            metric.labels(target)
        for outcome in SWEEP_OUTCOMES:
            self._instruments.sweeps.labels(target, outcome)
        self._notices.begin_at_nothing(target)
