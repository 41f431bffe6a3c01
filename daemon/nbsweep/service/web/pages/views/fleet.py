"""What the page Fleet shows: each target with its state, its last sweep, its brakes, its lanes, and who sweeps it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.control.requests import Pause
from nbsweep.core.fleet_status.model import FleetStatus
from nbsweep.core.lease import TargetLease
from nbsweep.core.marks.listing import TargetMarkCounts
from nbsweep.core.marks.shown import MarkTotals
from nbsweep.core.pacing import LaneState
from nbsweep.core.runs import RunCounts, RunRecord
from nbsweep.service.control import Phase, TargetDetails, TargetState
from nbsweep.service.web.messages import Message, message, plural
from nbsweep.service.web.pages.views.elements.brakes import BrakeView, brakes_of
from nbsweep.service.web.pages.views.elements.paging import address
from nbsweep.service.web.pages.views.elements.phases import BUSY, TONES, describe_phase
from nbsweep.service.web.pages.views.elements.sweeps import SweepView, sweep_view
from nbsweep.service.web.pages.views.processes import ProcessesView, build_processes

IN_SPITE_OF_A_PAUSE = frozenset({Phase.STARTING, Phase.SWEEPING})
"""What a service does for a target also while it is paused."""
LANES: Mapping[str, Message] = {
    "delete": message("Delete"),
    "list": message("List"),
    "show": message("Show"),
    "total": message("All calls"),
}


LENGTHS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "8h": timedelta(hours=8),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
}
"""How long a pause may last, beside until it is resumed."""


class TargetInputs(Struct, frozen=True):
    """What the page needs of one target."""

    state: TargetState
    details: TargetDetails
    last: RunRecord | None
    """The latest sweep, which may be in progress."""
    counts: RunCounts | None
    """The ends of its removals so far."""
    planned: RunRecord | None
    """The latest sweep that has ended and made a plan."""
    marks: TargetMarkCounts
    """How many open marks it has."""
    has_graces: bool = True
    """Whether any policy announces deletions."""
    passed: MarkTotals = MarkTotals()
    """The states of the marks of which the deadline has passed."""
    is_whole: bool = True
    """Whether all of those marks were counted."""


class KeptCount(Struct, frozen=True):
    """How many notebooks are kept although their deadline has passed."""

    title: Message
    count: int
    is_least: bool
    """Whether there may be more."""


class NextView(Struct, frozen=True):
    """What will be deleted, as far as it is known without a new survey."""

    announced: int
    """The number of open marks."""
    announced_path: str
    passed: int
    """Those of which the deadline has passed."""
    passed_path: str
    kept: Sequence[KeptCount]
    """Those of the passed that are not due, by what keeps them."""
    next_deadline: datetime | None
    """The next deadline that has not passed yet."""
    has_graces: bool
    plan_path: str


class LaneView(Struct, frozen=True):
    """One lane: the configured and the present rate in calls a second."""

    name: Message
    configured_calls_per_s: float | None
    calls_per_s: float
    learned_limit: str | None


class TargetView(Struct, frozen=True):
    """One target."""

    name: str
    phase: Message
    tone: str
    dry_run: bool
    pause: Message | None
    next_run: datetime | None
    no_next_run: Message
    """Why there is no next sweep."""
    last_success: datetime | None
    failures: Message | None
    problem: str
    next: NextView
    sweep: SweepView | None
    brakes: Sequence[BrakeView]
    lanes: Sequence[LaneView]
    holder: Message | None
    """Who holds the lease; None if nobody does."""
    is_paused: bool
    can_sweep: bool


class FleetView(Struct, frozen=True):
    """The page."""

    targets: Sequence[TargetView]
    read_at: datetime
    problems: Sequence[str]
    """Why the service is not ready, in English."""
    is_live: bool
    """Whether a sweep is in progress."""
    may_change: bool
    """Whether the visitor may pause, resume and sweep."""
    lengths: Mapping[str, timedelta]
    """How long a pause may last, by the value of the form."""
    processes: ProcessesView | None = None
    """The workers of a fleet, and what they do; None without a fleet."""


def build_fleet(
    targets: Sequence[TargetInputs],
    problems: Sequence[str],
    now: datetime,
    *,
    may_change: bool = False,
    fleet: FleetStatus | None = None,
) -> FleetView:
    """Return what the page shows."""
    is_live = any(each.state.phase in BUSY for each in targets)
    processes = build_processes(fleet) if fleet else None
    return FleetView([_target(each, now) for each in targets], now, problems, is_live, may_change, LENGTHS, processes)


def _target(known: TargetInputs, now: datetime) -> TargetView:
    state = known.state
    pause = state.pause if state.pause and state.pause.in_force(now) else None
    is_idle = pause is not None and state.phase not in IN_SPITE_OF_A_PAUSE
    return TargetView(
        name=state.name,
        phase=message("Paused") if is_idle else describe_phase(state),
        tone="quiet" if is_idle else TONES.get(state.phase, "good"),
        dry_run=state.dry_run,
        pause=pause_message(pause) if pause else None,
        next_run=None if pause else state.next_run,
        no_next_run=message("not before the target is resumed") if pause else message("no schedule: only on request"),
        last_success=state.last_success,
        failures=_failures(state.failures) if state.failures else None,
        problem=state.problem,
        next=_next(known),
        sweep=sweep_view(known.last, known.counts) if known.last else None,
        brakes=brakes_of(known.details, known.planned, known.counts),
        lanes=[_lane(lane) for lane in state.lanes],
        holder=_holder(known.details.lease) if known.details.lease else None,
        is_paused=pause is not None,
        can_sweep=pause is None and state.phase not in BUSY,
    )


def _next(known: TargetInputs) -> NextView:
    name, marks = known.state.name, known.marks
    kept = (
        (message("Passed, but kept by the holdout"), known.passed.held_out),
        (message("Passed, but exempt"), known.passed.exempt),
    )
    return NextView(
        announced=marks.open,
        announced_path=address("/marks", {"target": name}),
        passed=marks.passed,
        passed_path=address("/marks", {"target": name, "state": "passed"}),
        kept=[KeptCount(title, count, not known.is_whole) for title, count in kept if count],
        next_deadline=marks.next_deadline,
        has_graces=known.has_graces,
        plan_path=f"/plan/{name}",
    )


def _failures(count: int) -> Message:
    return plural("%(count)s failed sweep since the last success", "%(count)s failed sweeps since the last success", count)


def pause_message(pause: Pause) -> Message:
    """Return who has paused a target since when, until when and why."""
    by = pause.by or "?"
    if pause.until and pause.reason:
        return message(
            "Paused by %(by)s since %(since)s, until %(until)s: %(reason)s",
            by=by,
            since=pause.since,
            until=pause.until,
            reason=pause.reason,
        )
    if pause.until:
        return message("Paused by %(by)s since %(since)s, until %(until)s", by=by, since=pause.since, until=pause.until)
    if pause.reason:
        return message("Paused by %(by)s since %(since)s: %(reason)s", by=by, since=pause.since, reason=pause.reason)
    return message("Paused by %(by)s since %(since)s", by=by, since=pause.since)


def _lane(lane: LaneState) -> LaneView:
    name = LANES.get(lane.lane, Message(lane.lane))
    return LaneView(name, lane.configured_calls_per_s, lane.calls_per_s, lane.learned_limit)


def _holder(lease: TargetLease) -> Message:
    return message(
        "process %(pid)s on host %(host)s, started by %(by)s, since %(since)s",
        pid=str(lease.holder.pid),
        host=lease.holder.host,
        by=lease.started_by or "?",
        since=lease.taken_at,
    )
