"""What the page Fleet shows: each target with its state, its last sweep, its brakes, its lanes, and who sweeps it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from msgspec import Struct

from nbsweep.core.control.requests import Pause
from nbsweep.core.lease import TargetLease
from nbsweep.core.lifecycle import RemovalOutcome
from nbsweep.core.pacing import LaneState
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.runs import Outcome, RunCounts, RunRecord
from nbsweep.service.control import Phase, TargetDetails, TargetState
from nbsweep.service.web.pages.languages.messages import Message, message, plural
from nbsweep.service.web.pages.views.phases import BUSY, TONES, describe_phase

"""The looks of a state; a state of which there is nothing to say is `good`."""
OUTCOMES: Mapping[Outcome, Message] = {
    Outcome.RUNNING: message("in progress"),
    Outcome.FINISHED: message("finished"),
    Outcome.DRY_RUN: message("dry run: nothing was changed"),
    Outcome.DECLINED: message("declined at the prompt"),
    Outcome.REFUSED: message("refused by a brake"),
    Outcome.HELD_ELSEWHERE: message("held off by another nbsweep"),
    Outcome.INTERRUPTED: message("interrupted"),
    Outcome.FAILED: message("failed"),
}
ENDS: Mapping[RemovalOutcome, Message] = {
    "deleted": message("deleted"),
    "failed": message("failed to be deleted"),
    "timed_out": message("timed out"),
    "spared": message("spared by the second look"),
    "unfinished": message("not ended yet"),
}
"""The ends of removals, in the order of the page."""
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


class EndCount(Struct, frozen=True):
    """How many removals have ended so."""

    end: Message
    count: int


class SweepView(Struct, frozen=True):
    """The latest sweep of a target."""

    run_id: str
    started_at: datetime
    took: timedelta | None
    """None while it is in progress."""
    outcome: Message
    problem: str
    fleet: int | None
    """None while it is in progress."""
    planned: int | None
    """None until there is a plan."""
    ends: Sequence[EndCount]
    reclaimed_gb: int
    started_by: str


class BrakeView(Struct, frozen=True):
    """One brake: its limit, and the latest figure that it was held against."""

    key: str
    """The key of the configuration."""
    limit: Message
    figure: Message | None
    """None if there is none."""
    reached: bool
    """Whether the figure is at the limit or beyond."""


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


def build_fleet(
    targets: Sequence[TargetInputs], problems: Sequence[str], now: datetime, *, may_change: bool = False
) -> FleetView:
    """Return what the page shows."""
    is_live = any(each.state.phase in BUSY for each in targets)
    return FleetView([_target(each, now) for each in targets], now, problems, is_live, may_change, LENGTHS)


def _target(known: TargetInputs, now: datetime) -> TargetView:
    state = known.state
    pause = state.pause if state.pause and state.pause.in_force(now) else None
    return TargetView(
        name=state.name,
        phase=describe_phase(state),
        tone="quiet" if pause and state.phase is not Phase.SWEEPING else TONES.get(state.phase, "good"),
        dry_run=state.dry_run,
        pause=_pause(pause) if pause else None,
        next_run=None if pause else state.next_run,
        no_next_run=message("not before the target is resumed") if pause else message("no schedule: only on request"),
        last_success=state.last_success,
        failures=_failures(state.failures) if state.failures else None,
        problem=state.problem,
        sweep=sweep_view(known.last, known.counts) if known.last else None,
        brakes=_brakes(known),
        lanes=[_lane(lane) for lane in state.lanes],
        holder=_holder(known.details.lease) if known.details.lease else None,
        is_paused=pause is not None,
        can_sweep=pause is None and state.phase not in BUSY,
    )


def _failures(count: int) -> Message:
    return plural("%(count)s failed sweep since the last success", "%(count)s failed sweeps since the last success", count)


def _pause(pause: Pause) -> Message:
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


def sweep_view(run: RunRecord, counts: RunCounts | None) -> SweepView:
    """Return how a sweep of a target went; `counts` are the ends of its removals so far."""
    ends = counts.ends if counts else {}
    return SweepView(
        run_id=run.run_id,
        started_at=run.started_at,
        took=run.ended_at - run.started_at if run.ended_at else None,
        outcome=OUTCOMES[run.outcome],
        problem=run.problem,
        fleet=run.fleet if run.ended_at else None,
        planned=run.planned if run.ended_at else sum(ends.values()) or None,
        ends=[EndCount(text, ends[end]) for end, text in ENDS.items() if ends.get(end)],
        reclaimed_gb=counts.reclaimed_gb if counts else 0,
        started_by=run.started_by,
    )


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


# ---- brakes ---------------------------------------------------------------------------------------------------------------


def _brakes(known: TargetInputs) -> list[BrakeView]:
    brakes, last = known.details.brakes, known.planned
    planned = last.planned if last else None
    fleet = last.fleet if last else None
    return [
        _count_brake("max_deletions", brakes.max_deletions, planned),
        _share_brake(brakes, planned, fleet),
        _count_brake("max_per_owner", brakes.max_per_owner, None),
        _count_brake("max_per_day", brakes.max_per_day, known.details.requested),
        _failures_brake(known.details.max_failures, known.counts),
        BrakeView("max_fleet_drop", _share_limit(brakes.max_fleet_drop), None, reached=False),
    ]


def _count_brake(key: str, limit: int | None, figure: int | None) -> BrakeView:
    return BrakeView(
        key,
        message("no limit") if limit is None else message("%(limit)s notebooks", limit=limit),
        None if figure is None else plural("%(count)s notebook", "%(count)s notebooks", figure),
        reached=limit is not None and figure is not None and figure >= limit,
    )


def _share_brake(brakes: Brakes, planned: int | None, fleet: int | None) -> BrakeView:
    known = planned is not None and fleet
    figure = message("%(planned)s of %(fleet)s notebooks", planned=planned or 0, fleet=fleet or 0) if known else None
    limit = brakes.max_share
    reached = bool(limit is not None and planned and fleet and planned >= limit * fleet)
    return BrakeView("max_share", _share_limit(limit), figure, reached=reached)


def _failures_brake(limit: Fraction | None, counts: RunCounts | None) -> BrakeView:
    ends = counts.ends if counts else {}
    failed, begun = ends.get("failed", 0) + ends.get("timed_out", 0), sum(ends.values()) - ends.get("spared", 0)
    figure = message("%(failed)s of %(begun)s removals", failed=failed, begun=begun) if begun else None
    reached = bool(limit is not None and begun and failed and failed >= limit * begun)
    return BrakeView("max_failures", _share_limit(limit), figure, reached=reached)


def _share_limit(limit: Fraction | None) -> Message:
    return message("no limit") if limit is None else message("%(percent)s%%", percent=float(limit * 100))
