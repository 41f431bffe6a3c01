"""The status of a target according to the journal: its last sweeps, and what needs an action. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.control.requests import Pause
from nbsweep.core.control.services import ServiceStatus
from nbsweep.core.facts import format_age
from nbsweep.core.fleet_status.model import DueState, DueStatus
from nbsweep.core.identity import UNKNOWN, TargetIdentity, describe_project, identity_on_record
from nbsweep.core.judging.shown_marks import NO_RULES, MarkRules
from nbsweep.core.lease import TargetLease, describe_holder, is_held, is_silent
from nbsweep.core.lifecycle import Removal
from nbsweep.core.marks.model import Mark
from nbsweep.core.notices.health import TargetMarks, judge_marks
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.runs import STOPPED, SUCCESSES, Outcome, RunCounts, RunRecord

PROJECT_UNKNOWN = (
    "because an older version of nbsweep began them: the next run checks whether the notebooks are in the target's project, "
    "and does not count their absence as their end"
)
VERBS: Mapping[Outcome, str] = {
    Outcome.FAILED: "failed",
    Outcome.REFUSED: "was refused by a brake",
    Outcome.INTERRUPTED: "was interrupted",
    Outcome.DECLINED: "was declined at the prompt",
}


def follows(target: str, identity: TargetIdentity, removal: Removal) -> bool:
    """Return whether a target's sweeps follow a removal; without a recorded project, the target's name decides."""
    if UNKNOWN in (removal.project, identity.project):
        return removal.target == target
    covered = identity.covers(removal.workspace_id, removal.feature)
    return removal.project == identity.project and (covered or removal.target == target)


class LeftAlone(Struct, frozen=True):
    """Unfinished removals that no target of the configuration follows."""

    target: str
    """The name of their target when they began."""
    project: str
    removals: tuple[Removal, ...]
    renamed: bool = False
    """Whether a target of the configuration has the same name and is another project."""

    def __str__(self) -> str:
        """Describe the problem, and what to do about it."""
        one = len(self.removals) == 1
        count = "1 removal" if one else f"{len(self.removals)} removals"
        state = f"{count} of target {self.target} ({describe_project(self.project)}) {'is' if one else 'are'} still open"
        why = f"target {self.target} is another project now" if self.renamed else "no target of the configuration covers them"
        return (
            f"{state}, and {why}: to have {'it' if one else 'them'} followed to the end, put a target of that project and its "
            "workspaces back, under any name, and run once"
        )


def left_alone(
    removals: Iterable[Removal], targets: Mapping[str, TargetIdentity], held: Iterable[TargetLease] = ()
) -> Sequence[LeftAlone]:
    """Group the removals that neither a target nor a holder of one of these leases follows, by target and project."""
    swept = [(lease.target, identity_on_record(lease.project, lease.extent)) for lease in held]
    followers = [*targets.items(), *((name, identity) for name, identity in swept if identity)]
    groups: dict[tuple[str, str], list[Removal]] = {}
    for removal in removals:
        if not any(follows(name, identity, removal) for name, identity in followers):
            groups.setdefault((removal.target, removal.project), []).append(removal)
    return [LeftAlone(*key, tuple(found), key[0] in targets) for key, found in sorted(groups.items())]


class StatusInputs(Struct, frozen=True):
    """What the journal knows about one target."""

    records: Sequence[RunRecord]
    """The target's sweeps, the newest first."""
    unfinished: Sequence[Removal] = ()
    """The removals that its next sweep follows."""
    left_alone: Sequence[LeftAlone] = ()
    """The removals under its name that no sweep follows."""
    lease: TargetLease | None = None
    holder_is_alive: bool | None = None
    """Whether the process that holds the lease exists; None if this host cannot check it."""
    pause: Pause | None = None
    service: ServiceStatus | None = None
    """The service that sweeps the target; None if none was ever started on this journal."""
    counts: Sequence[RunCounts] = ()
    """The ends of the removals of these sweeps."""
    marks: Sequence[Mark] = ()
    """The open marks under its name."""
    mark_rules: MarkRules = NO_RULES
    """What decides when the marked notebooks may be deleted."""
    brakes: Brakes | None = None
    """The brakes, which also bind when notebooks are announced."""
    due: DueStatus | None = None
    """The first sweep that is due, if a fleet sweeps the target; None if nothing is due."""
    shared_now: datetime | None = None
    """The time by the clock of the lease's beats, see `LeaseRecords.now`; None if it is that of the machine."""


class TargetStatus(Struct, frozen=True):
    """The status of one target."""

    target: str
    last: RunRecord | None
    """The latest sweep, which may still be running."""
    last_success: RunRecord | None
    unfinished: tuple[Removal, ...]
    overdue: tuple[Removal, ...]
    """The unfinished removals whose deadline has passed."""
    problems: tuple[str, ...]
    sweeping: TargetLease | None
    """The lease of the sweep that is running now; None if there is none."""
    left_alone: tuple[Removal, ...] = ()
    """The unfinished removals that no target of the configuration follows."""
    pause: Pause | None = None
    """The pause that is in force."""
    service: ServiceStatus | None = None
    marks: TargetMarks = TargetMarks()
    due: DueStatus | None = None
    """The first sweep that is due in a fleet; None if a worker sweeps, or if nothing is due."""

    @property
    def note(self) -> str:
        """Return a note about unfinished removals without a recorded project; empty if there are none."""
        unlocated = sum(removal.project == UNKNOWN for removal in self.unfinished)
        return (
            f"the project of {unlocated} unfinished {_removals(unlocated)} is not on record, {PROJECT_UNKNOWN}"
            if unlocated
            else ""
        )

    @property
    def well(self) -> bool:
        """Whether no action is needed."""
        return not self.problems


def judge_status(target: str, known: StatusInputs, now: datetime, lease_lasts: timedelta) -> TargetStatus:
    """Return the status of a target; a lease is held as long as no other process may take it.

    A sweep without an end whose target no process holds is a problem, because its process has ended.
    """
    lease, shared_now = known.lease, known.shared_now or now
    held = lease if lease and is_held(lease, shared_now, lease_lasts, alive=known.holder_is_alive) else None
    overdue = tuple(removal for removal in known.unfinished if removal.deadline is not None and removal.deadline < now)
    problems = [_problem_of_last(known.records, held, now), _problem_of_removals(known, target)]
    if held and is_silent(held, shared_now, lease_lasts):
        silent = format_age(shared_now - held.beat_at)
        problems.append(f"{describe_holder(held)}, is running but has sent no beat for {silent}: it hangs, and has to be ended")
    problems += map(str, known.left_alone)
    problems += known.service.problems(target, shared_now) if known.service else ()
    marks = judge_marks(known.marks, known.mark_rules, _last_ended(known.records, held), now, known.brakes)
    problems += marks.problems(now)
    # A running sweep follows them already.
    if overdue and held is None:
        verb = "is past its deadline" if len(overdue) == 1 else "are past their deadlines"
        problems.append(f"{len(overdue)} unfinished {_removals(len(overdue))} {verb}")
    return TargetStatus(
        target=target,
        last=known.records[0] if known.records else None,
        last_success=next((record for record in known.records if _succeeded(record)), None),
        unfinished=tuple(known.unfinished),
        overdue=overdue,
        problems=tuple(problem for problem in problems if problem),
        sweeping=held,
        left_alone=tuple(removal for left in known.left_alone for removal in left.removals),
        pause=known.pause if known.pause and known.pause.in_force(now) else None,
        service=known.service,
        marks=marks,
        due=known.due if known.due and known.due.state is not DueState.SWEEPING else None,
    )


def _last_ended(records: Sequence[RunRecord], held: TargetLease | None) -> RunRecord | None:
    """Return the last sweep that says something about the target."""
    return next((record for record in records if not (_is_running(record, held) or _says_nothing(record))), None)


def status_of_removed(left: LeftAlone, records: Sequence[RunRecord]) -> TargetStatus:
    """Return the status of a target that was removed from the configuration and has unfinished removals."""
    mine = [record for record in records if record.target == left.target]
    return TargetStatus(
        target=left.target,
        last=mine[0] if mine else None,
        last_success=next((record for record in mine if _succeeded(record)), None),
        unfinished=(),
        overdue=(),
        problems=(str(left),),
        sweeping=None,
        left_alone=left.removals,
    )


def _problem_of_last(records: Sequence[RunRecord], held: TargetLease | None, now: datetime) -> str:
    """Return the problem of the last sweep that says something about the target."""
    judged = _last_ended(records, held)
    if judged is not None:
        return _problem_of(judged, now)
    stopped = next((each for each in records if not _is_running(each, held) and each.outcome in STOPPED), None)
    if held:
        return ""
    return f"no sweep has ended by itself yet: {_problem_of(stopped, now)}" if stopped else "never swept with this journal"


def _problem_of_removals(known: StatusInputs, target: str) -> str:
    """Return how many removals of the last sweep that has removals have failed; empty if none has."""
    ends = {each.run_id: each.ends for each in known.counts if each.target == target and each.ends}
    last = next((record.run_id for record in known.records if record.run_id in ends), None)
    if last is None:
        return ""
    failed, all_ = ends[last].get("failed", 0) + ends[last].get("timed_out", 0), sum(ends[last].values())
    return f"{failed} of {all_} removals of {last} failed: `nbsweep show {last}` shows why" if failed else ""


def _says_nothing(record: RunRecord) -> bool:
    """Return whether another process held a sweep off, or somebody has ended it: with Ctrl-C, a signal, or at the prompt."""
    return record.outcome is Outcome.HELD_ELSEWHERE or (record.outcome in STOPPED and not record.problem)


def _is_running(record: RunRecord, held: TargetLease | None) -> bool:
    # The holder of the lease closes the runs of crashed processes, so any other open run is its own. A dry run holds no lease.
    return record.outcome is Outcome.RUNNING and held is not None and not record.dry_run


def _removals(count: int) -> str:
    return "removal" if count == 1 else "removals"


def _succeeded(record: RunRecord) -> bool:
    return record.outcome in SUCCESSES and not record.problem


def _problem_of(record: RunRecord, now: datetime) -> str:
    if _succeeded(record):
        return ""
    if record.outcome is Outcome.RUNNING:
        begun = f"{record.run_id}, begun {format_age(now - record.started_at)} ago,"
        if record.dry_run:
            return f"the dry run {begun} has not ended: unless it is still running, its process is gone"
        return f"the sweep {begun} has not ended, and no process holds its target: its process is gone"
    cause = f": {record.problem}" if record.problem else ""
    return f"the last sweep, {record.run_id}, {VERBS.get(record.outcome, record.outcome)}{cause}"
