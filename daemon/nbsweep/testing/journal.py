"""A journal in memory."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import TypeVar

from msgspec.structs import replace

from nbsweep.core.errors import ExemptionsChanged, JournalError
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.lookup import NotebookRef
from nbsweep.core.model import require_aware
from nbsweep.core.runs import (
    SUCCESSES,
    History,
    Outcome,
    RunCounts,
    RunRecord,
    count_ends,
)
from nbsweep.testing.notices import InMemoryMarks, InMemoryOutbox, NoticeStore
from nbsweep.testing.records.control import InMemoryControl
from nbsweep.testing.records.due_sweeps import InMemoryDueSweeps
from nbsweep.testing.records.exemptions import InMemoryExemptions
from nbsweep.testing.records.fences import InMemoryFences, database_now
from nbsweep.testing.records.history import Past
from nbsweep.testing.records.holds import InMemoryHolds
from nbsweep.testing.records.inventory import InMemoryInventory
from nbsweep.testing.records.leases import InMemoryLeases
from nbsweep.testing.records.plans import InMemoryPlans
from nbsweep.testing.records.sessions import InMemorySessions
from nbsweep.testing.records.sightings import InMemorySightings
from nbsweep.testing.records.statistics import InMemoryStatistics
from nbsweep.testing.records.trail import InMemoryTrail
from nbsweep.testing.records.workers import InMemoryWorkers
from nbsweep.testing.retention import InMemoryRetention


class InMemoryJournal:
    """A journal that lives as long as the process; after a "restart" a test goes on with the same one.

    As with a real journal, a write that is cancelled is written.
    """

    def __init__(self) -> None:
        """Begin without records."""
        self._runs: dict[tuple[str, str], RunRecord] = {}
        self._removals: dict[tuple[str, str, str], Removal] = {}
        self.trail = InMemoryTrail(self._removals)
        self.sightings = InMemorySightings()
        self.leases = InMemoryLeases()
        self.control = InMemoryControl(self.trail)
        self.notices = NoticeStore(self.trail)
        """The marks and the outbox as they are stored, for tests that look at all of them."""
        self.marks = InMemoryMarks(self.notices)
        self.outbox = InMemoryOutbox(self.notices)
        self.exemptions = InMemoryExemptions(self.trail)
        self.inventory = InMemoryInventory()
        self.plans = InMemoryPlans(self.trail)
        self.sessions = InMemorySessions()
        self.statistics = InMemoryStatistics(self._removals)
        self.holds = InMemoryHolds()
        self.fences = InMemoryFences()
        self.due_sweeps = InMemoryDueSweeps()
        self.workers = InMemoryWorkers()
        self.retention = InMemoryRetention(self._runs, self._removals, self.notices, self.exemptions, self.inventory)

    def require_in_place(self) -> None:
        """Raise if a later run would not find this journal, which never happens."""

    async def now(self) -> datetime:
        """Return the present time by the clock of this database, which is the running loop's."""
        await asyncio.sleep(0)
        return database_now()

    async def open_run(self, run: RunRecord) -> None:
        """Write the record of a sweep that begins; the pair of run and target is new."""
        if (run.run_id, run.target) in self._runs:
            raise JournalError(f"There is a run {run.run_id} of {run.target} already.")
        self._runs[run.run_id, run.target] = _copied(run)
        await asyncio.sleep(0)

    async def close_run(self, run: RunRecord) -> None:
        """Replace the record that `open_run` wrote by that of the ended sweep."""
        if (run.run_id, run.target) not in self._runs:
            raise JournalError(f"There is no run {run.run_id} of {run.target} that could be closed.")
        self._runs[run.run_id, run.target] = _copied(run)
        await asyncio.sleep(0)

    async def write(self, removals: Sequence[Removal], *, exemptions_version: int | None = None) -> None:
        """Write removals, new and known ones; all of them or none."""
        if exemptions_version not in (None, self.exemptions.version_now()):
            raise ExemptionsChanged("An exemption was granted or revoked since the exemptions were read.")
        for removal in [_checked(removal) for removal in removals]:
            key = (removal.run_id, removal.target, removal.notebook_id)
            run = self._runs.get((removal.run_id, removal.target))
            self.trail.append(removal, self._removals.get(key), run.started_by if run else "")
            self._removals[key] = removal
        await asyncio.sleep(0)

    async def unfinished(self, target: str | None = None, limit: int | None = None) -> tuple[Removal, ...]:
        """Return the removals that have not ended, oldest first; with `target`, those under that name."""
        await asyncio.sleep(0)
        found = [removal for removal in self._removals.values() if target in (None, removal.target) and not removal.ended]
        return tuple(sorted(found, key=lambda removal: (removal.planned_at, removal.run_id))[:limit])

    async def runs(self, limit: int, target: str | None = None) -> tuple[RunRecord, ...]:
        """Return the latest sweeps, newest first; with `target`, those of that target."""
        await asyncio.sleep(0)
        wanted = (run for run in self._runs.values() if target in (None, run.target))
        by_target = sorted(wanted, key=lambda run: run.target)
        newest_first = sorted(by_target, key=lambda run: (run.started_at, run.run_id), reverse=True)
        return tuple(_copied(run) for run in newest_first[:limit])

    async def last_run(self, target: str, outcomes: Collection[Outcome] = ()) -> RunRecord | None:
        """Return the latest sweep of a target with one of these outcomes; without outcomes, with any."""
        await asyncio.sleep(0)
        return self._newest(
            run for run in self._runs.values() if run.target == target and (run.outcome in outcomes or not outcomes)
        )

    async def last_runs(self, targets: Collection[str], outcomes: Collection[Outcome] = ()) -> Mapping[str, RunRecord]:
        """Return what `last_run` returns for each of these targets that has such a sweep, by target."""
        found = {target: await self.last_run(target, outcomes) for target in targets}
        return {target: run for target, run in found.items() if run}

    async def last_success(self, target: str) -> RunRecord | None:
        """Return the latest sweep or dry run of a target that finished without a problem."""
        await asyncio.sleep(0)
        mine = (run for run in self._runs.values() if run.target == target)
        return self._newest(run for run in mine if run.outcome in SUCCESSES and not run.problem)

    def _newest(self, runs: Iterable[RunRecord]) -> RunRecord | None:
        found = max(runs, key=lambda run: (run.started_at, run.run_id), default=None)
        return _copied(found) if found else None

    async def open_runs(self, target: str | None = None) -> tuple[RunRecord, ...]:
        """Return the sweeps that have not ended, oldest first; with `target`, those under that name."""
        await asyncio.sleep(0)
        found = [run for run in self._runs.values() if target in (None, run.target) and run.ended_at is None]
        return tuple(_copied(run) for run in sorted(found, key=lambda run: (run.started_at, run.run_id)))

    async def run(self, run_id: str) -> tuple[RunRecord, ...]:
        """Return the sweeps of one run, a record for each target."""
        await asyncio.sleep(0)
        found = [_copied(run) for run in self._runs.values() if run.run_id == run_id]
        return tuple(sorted(found, key=lambda run: (run.started_at, run.target)))

    async def run_counts(self, run_ids: Sequence[str]) -> tuple[RunCounts, ...]:
        """Count how the removals of these runs have ended, by sweep."""
        await asyncio.sleep(0)
        mine = [removal for removal in self._removals.values() if removal.run_id in run_ids]
        return count_ends((one.run_id, one.target, one.state, 1, one.capacity_gb or 0) for one in mine)

    async def removals(
        self,
        run_id: str,
        limit: int | None = None,
        offset: int = 0,
        states: Collection[State] = (),
        notebook_ids: Collection[str] = (),
    ) -> tuple[Removal, ...]:
        """Return the removals of one run, or a part of them, in the order of the plan."""
        await asyncio.sleep(0)
        found = [
            one
            for one in self._removals.values()
            if one.run_id == run_id
            and (one.state in states or not states)
            and (one.notebook_id in notebook_ids or not notebook_ids)
        ]
        return tuple(found[offset:][:limit])

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """Return the removals of one notebook in all runs, newest first."""
        await asyncio.sleep(0)
        found = [removal for removal in self._removals.values() if removal.notebook_id == notebook_id]
        return tuple(sorted(found, key=lambda removal: (removal.planned_at, removal.run_id), reverse=True))

    async def latest_removals(self, notebook_ids: Collection[str]) -> Mapping[str, Removal]:
        """Return the newest removal of each of these notebooks that has one, by notebook id."""
        found = {key: await self.removals_of(key) for key in notebook_ids}
        return {key: removals[0] for key, removals in found.items() if removals}

    async def orders_since(self, target: str, identity: TargetIdentity, since: datetime) -> tuple[Removal, ...]:
        """List the removals of a target with a stop or a DELETE that was about to leave since a time, the oldest first."""
        await asyncio.sleep(0)
        return self._past(target, identity).orders_since(since)

    async def run_ids(self, beginning: str, limit: int) -> tuple[str, ...]:
        """List ids of runs that begin with a text, the newest first."""
        await asyncio.sleep(0)
        runs = sorted(self._runs.values(), key=lambda run: (run.started_at, run.run_id), reverse=True)
        return tuple(dict.fromkeys(run.run_id for run in runs if run.run_id.startswith(beginning)))[:limit]

    async def notebooks(self, text: str, limit: int) -> tuple[NotebookRef, ...]:
        """List notebooks with a removal or a mark that have this name, or an id with this beginning, the newest first."""
        await asyncio.sleep(0)
        known = [
            *((one.planned_at, one.target, one.notebook_id, one.name, one.owner) for one in self._removals.values()),
            *((one.marked_at, one.target, one.notebook_id, one.name, one.owner_label) for one in self.notices.marks.values()),
        ]
        newest = sorted(known, key=itemgetter(0), reverse=True)
        fit = (one for one in newest if one[3].lower() == text.lower() or one[2].startswith(text))
        return tuple(dict.fromkeys(NotebookRef(*one[1:]) for one in fit))[:limit]

    async def history(
        self, target: str, identity: TargetIdentity, requested_since: datetime, failed_since: datetime
    ) -> History:
        """Return the history of a target that the brakes and the cool-down need."""
        await asyncio.sleep(0)
        return self._past(target, identity).history(requested_since, failed_since)

    def _past(self, target: str, identity: TargetIdentity) -> Past:
        return Past(target, identity, tuple(self._runs.values()), tuple(self._removals.values()))


AnyRecord = TypeVar("AnyRecord", Removal, RunRecord)


def _checked(record: AnyRecord) -> AnyRecord:
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, datetime):
            require_aware(value)
    return record


def _copied(run: RunRecord) -> RunRecord:
    """Return a copy of a record: the caller may change its mapping `kept` later."""
    return replace(_checked(run), kept=None if run.kept is None else dict(run.kept))
