"""A journal in memory."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from nbsweep.core.errors import (
    JournalError,
)
from nbsweep.core.identity import UNKNOWN, TargetIdentity
from nbsweep.core.lease import TargetLease
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import require_aware
from nbsweep.core.runs import FAILURES, SUCCESSES, SURVEYED, TRIED, FleetBefore, History, Outcome, RunRecord
from nbsweep.testing.trail import InMemoryTrail


class InMemoryJournal:
    """A journal that survives everything but the end of the process; a "restart" in a test goes on with the same one.

    Like a real one it may be cancelled at any await, and then has written all the same.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._runs: dict[tuple[str, str], RunRecord] = {}
        self._removals: dict[tuple[str, str, str], Removal] = {}
        self._last_active: dict[str, dict[str, datetime]] = {}
        self._leases: dict[str, TargetLease] = {}
        self._pauses: dict[str, datetime] = {}
        self._due: dict[str, datetime] = {}
        self.trail = InMemoryTrail(self._removals)

    def require_in_place(self) -> None:
        """Raise unless a later run would find this record, which is always so."""

    async def open_run(self, run: RunRecord) -> None:
        """Note that a sweep begins; the pair of run and target is new."""
        if (run.run_id, run.target) in self._runs:
            raise JournalError(f"There is a run {run.run_id} of {run.target} already.")
        self._runs[run.run_id, run.target] = _copied(run)
        await asyncio.sleep(0)

    async def close_run(self, run: RunRecord) -> None:
        """Note how a sweep ended, over the record that `open_run` made."""
        if (run.run_id, run.target) not in self._runs:
            raise JournalError(f"There is no run {run.run_id} of {run.target} that could be closed.")
        self._runs[run.run_id, run.target] = _copied(run)
        await asyncio.sleep(0)

    async def write(self, removals: Sequence[Removal]) -> None:
        """Store removals as they are now, new ones and known ones; all of them or none."""
        for removal in [_checked(removal) for removal in removals]:
            key = (removal.run_id, removal.target, removal.notebook_id)
            run = self._runs.get((removal.run_id, removal.target))
            self.trail.append(removal, self._removals.get(key), run.started_by if run else "")
            self._removals[key] = removal
        await asyncio.sleep(0)

    async def unfinished(self, target: str | None = None, limit: int | None = None) -> tuple[Removal, ...]:
        """List the removals that have no end, oldest first; with `target`, those under that name."""
        await asyncio.sleep(0)
        found = [removal for removal in self._removals.values() if target in (None, removal.target) and not removal.ended]
        return tuple(sorted(found, key=lambda removal: (removal.planned_at, removal.run_id))[:limit])

    async def note_active(self, project: str, notebook_ids: Iterable[str], seen_at: datetime) -> None:
        """Remember that these were seen other than at rest; only the latest time is kept."""
        moment = require_aware(seen_at)
        known = self._last_active.setdefault(project, {})
        known.update({notebook_id: max(known.get(notebook_id, moment), moment) for notebook_id in notebook_ids})
        await asyncio.sleep(0)

    async def last_active(self, project: str) -> Mapping[str, datetime]:
        """Tell when each notebook of a project was last seen other than at rest."""
        await asyncio.sleep(0)
        mine, older = self._last_active.get(project, {}), self._last_active.get(UNKNOWN, {})
        return mine | {key: max(moment, mine.get(key, moment)) for key, moment in older.items()}

    async def runs(self, limit: int, target: str | None = None) -> tuple[RunRecord, ...]:
        """List the latest sweeps, of one target where one is given, the newest first."""
        await asyncio.sleep(0)
        wanted = (run for run in self._runs.values() if target in (None, run.target))
        by_target = sorted(wanted, key=lambda run: run.target)
        newest_first = sorted(by_target, key=lambda run: (run.started_at, run.run_id), reverse=True)
        return tuple(_copied(run) for run in newest_first[:limit])

    async def last_run(self, target: str, outcomes: Collection[Outcome] = ()) -> RunRecord | None:
        """Give the latest sweep of a target, of those with one of these outcomes; with none given, of any outcome."""
        await asyncio.sleep(0)
        return self._newest(
            run for run in self._runs.values() if run.target == target and (run.outcome in outcomes or not outcomes)
        )

    async def last_success(self, target: str) -> RunRecord | None:
        """Give the latest sweep of a target that finished, or showed what it would do, without a problem."""
        await asyncio.sleep(0)
        mine = (run for run in self._runs.values() if run.target == target)
        return self._newest(run for run in mine if run.outcome in SUCCESSES and not run.problem)

    def _newest(self, runs: Iterable[RunRecord]) -> RunRecord | None:
        found = max(runs, key=lambda run: (run.started_at, run.run_id), default=None)
        return _copied(found) if found else None

    async def open_runs(self, target: str | None = None) -> tuple[RunRecord, ...]:
        """List the sweeps that have no end, the oldest first; with `target`, those under that name."""
        await asyncio.sleep(0)
        found = [run for run in self._runs.values() if target in (None, run.target) and run.ended_at is None]
        return tuple(_copied(run) for run in sorted(found, key=lambda run: (run.started_at, run.run_id)))

    async def run(self, run_id: str) -> tuple[RunRecord, ...]:
        """List the sweeps of one run, a record for each target; empty when there is no such run."""
        await asyncio.sleep(0)
        found = [_copied(run) for run in self._runs.values() if run.run_id == run_id]
        return tuple(sorted(found, key=lambda run: (run.started_at, run.target)))

    async def removals(self, run_id: str, limit: int | None = None, offset: int = 0) -> tuple[Removal, ...]:
        """List the removals of one run, or some of them, in the order in which they were planned."""
        await asyncio.sleep(0)
        found = [removal for removal in self._removals.values() if removal.run_id == run_id][offset:]
        return tuple(found[:limit])

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """List the removals of one notebook over all runs, the newest first."""
        await asyncio.sleep(0)
        found = [removal for removal in self._removals.values() if removal.notebook_id == notebook_id]
        return tuple(sorted(found, key=lambda removal: (removal.planned_at, removal.run_id), reverse=True))

    async def history(
        self, target: str, identity: TargetIdentity, requested_since: datetime, failed_since: datetime
    ) -> History:
        """Tell a target's past, as far as the brakes and the cool-down ask about it."""
        await asyncio.sleep(0)
        known = [one for one in self._removals.values() if one.project == (identity.project if one.project else UNKNOWN)]
        known = [one for one in known if one.project or one.target == target]
        mine = [removal for removal in known if removal.target == target or _is_covered(removal, identity)]
        requested = sum(_at_or_after(removal.sent_at, requested_since) for removal in mine if removal.requests)
        failed = (removal for removal in known if removal.state in FAILURES)
        failing = {removal.notebook_id for removal in failed if _at_or_after(removal.ended_at, failed_since)}
        ends = [removal for removal in known if removal.state in TRIED and removal.notebook_id in failing]
        newest_first = sorted(ends, key=lambda removal: (removal.ended_at or removal.planned_at, removal.run_id), reverse=True)
        covered = [removal for removal in mine if removal.project == UNKNOWN or _is_covered(removal, identity)]
        return History(requested, self._fleet_before(target, identity, covered), tuple(newest_first))

    def _fleet_before(self, target: str, identity: TargetIdentity, removals: Iterable[Removal]) -> FleetBefore | None:
        same = (identity.project, identity.extent)
        passed = [
            run
            for run in self._runs.values()
            if run.outcome in SURVEYED and run.fleet > 0
            if same == (run.project, run.extent) or (run.project == UNKNOWN and run.target == target)
        ]
        if not passed:
            return None
        last = max(passed, key=lambda run: (run.started_at, run.run_id))
        gone = [removal for removal in removals if removal.state is State.DELETED]
        deleted = sum(
            _at_or_after(removal.ended_at if last.dry_run else removal.planned_at, last.started_at) for removal in gone
        )
        return FleetBefore(last.run_id, last.fleet, deleted)

    async def leases(self) -> tuple[TargetLease, ...]:
        """List all leases that there are, by target."""
        await asyncio.sleep(0)
        return tuple(self._leases[key] for key in sorted(self._leases))

    async def lease(self, target: str) -> TargetLease | None:
        """Tell who holds a target's lease; None when nobody does."""
        await asyncio.sleep(0)
        return self._leases.get(target)

    async def take_lease(self, lease: TargetLease, seen: TargetLease | None) -> TargetLease | None:
        """Put a lease in the place of the one that was seen, unless that has changed meanwhile, and tell who holds it then."""
        held = self._leases.get(_checked(lease).target)
        mine = held is not None and seen is not None and held.holder.owner == seen.holder.owner == lease.holder.owner
        if held == seen or mine:
            self._leases[lease.target] = lease
        await asyncio.sleep(0)
        return self._leases.get(lease.target)

    async def release_lease(self, lease: TargetLease) -> None:
        """Give a lease back; one that is somebody else's by now stays."""
        held = self._leases.get(lease.target)
        if held is not None and held.holder.owner == lease.holder.owner:
            del self._leases[lease.target]
        await asyncio.sleep(0)

    async def pause(self, target: str, since: datetime) -> None:
        """Note that a target is paused; one that is paused already stays so since it was."""
        self._pauses.setdefault(target, require_aware(since))
        await asyncio.sleep(0)

    async def resume(self, target: str) -> None:
        """Take a target's pause back, if there is one."""
        self._pauses.pop(target, None)
        await asyncio.sleep(0)

    async def paused_since(self, target: str) -> datetime | None:
        """Tell since when a target is paused; None when it is not."""
        await asyncio.sleep(0)
        return self._pauses.get(target)

    async def note_due(self, target: str, due: datetime) -> None:
        """Remember when the schedule of a target comes round next; only the latest note is kept."""
        self._due[target] = require_aware(due)
        await asyncio.sleep(0)

    async def noted_due(self, target: str) -> datetime | None:
        """Tell when the schedule of a target was to come round next, by the latest note; None when there is none."""
        await asyncio.sleep(0)
        return self._due.get(target)


def _is_covered(removal: Removal, identity: TargetIdentity) -> bool:
    return removal.project == identity.project and identity.covers(removal.workspace_id, removal.feature)


def _at_or_after(moment: datetime | None, since: datetime) -> bool:
    return moment is not None and moment >= since


AnyRecord = TypeVar("AnyRecord", Removal, RunRecord, TargetLease)


def _checked(record: AnyRecord) -> AnyRecord:
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, datetime):
            require_aware(value)
    return record


def _copied(run: RunRecord) -> RunRecord:
    """Give a record of its own: `kept` is a mapping that its owner may go on changing."""
    return replace(_checked(run), kept=None if run.kept is None else dict(run.kept))
