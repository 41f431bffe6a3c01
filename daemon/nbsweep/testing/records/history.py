"""The past of a target, found in all runs and removals of a journal in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from nbsweep.core.identity import UNKNOWN, TargetIdentity
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.runs import FAILURES, SURVEYED, TRIED, FleetBefore, History, RunRecord


@dataclass(frozen=True, slots=True)
class Past:
    """A target, and all that a journal holds."""

    target: str
    identity: TargetIdentity
    runs: Sequence[RunRecord]
    removals: Sequence[Removal]

    def orders_since(self, since: datetime) -> tuple[Removal, ...]:
        """Return the removals with a stop or a DELETE that was about to leave since a time, the oldest first."""
        found = [
            removal
            for removal in self.removals
            if _at_or_after(removal.requested_at, since)
            and removal.project in (self.identity.project, UNKNOWN)
            and (removal.target == self.target or _is_covered(removal, self.identity))
        ]
        return tuple(sorted(found, key=lambda removal: (removal.requested_at or since, removal.run_id)))

    def history(self, requested_since: datetime, failed_since: datetime) -> History:
        """Return the history that the brakes and the cool-down need."""
        target, identity = self.target, self.identity
        known = [one for one in self.removals if one.project == (identity.project if one.project else UNKNOWN)]
        known = [one for one in known if one.project or one.target == target]
        mine = [removal for removal in known if removal.target == target or _is_covered(removal, identity)]
        requested = sum(_at_or_after(removal.sent_at, requested_since) for removal in mine if removal.requests)
        failed = (removal for removal in known if removal.state in FAILURES)
        failing = {removal.notebook_id for removal in failed if _at_or_after(removal.ended_at, failed_since)}
        ends = [removal for removal in known if removal.state in TRIED and removal.notebook_id in failing]
        newest_first = sorted(ends, key=lambda removal: (removal.ended_at or removal.planned_at, removal.run_id), reverse=True)
        covered = [removal for removal in mine if removal.project == UNKNOWN or _is_covered(removal, identity)]
        return History(requested, self._fleet_before(covered), tuple(newest_first))

    def _fleet_before(self, removals: Iterable[Removal]) -> FleetBefore | None:
        same = (self.identity.project, self.identity.extent)
        passed = [
            run
            for run in self.runs
            if run.outcome in SURVEYED and run.fleet > 0
            if same == (run.project, run.extent) or (run.project == UNKNOWN and run.target == self.target)
        ]
        if not passed:
            return None
        last = max(passed, key=lambda run: (run.started_at, run.run_id))
        gone = [removal for removal in removals if removal.state is State.DELETED]
        deleted = sum(
            _at_or_after(removal.ended_at if last.dry_run else removal.planned_at, last.started_at) for removal in gone
        )
        return FleetBefore(last.run_id, last.fleet, deleted)


def _is_covered(removal: Removal, identity: TargetIdentity) -> bool:
    return removal.project == identity.project and identity.covers(removal.workspace_id, removal.feature)


def _at_or_after(moment: datetime | None, since: datetime) -> bool:
    return moment is not None and moment >= since
