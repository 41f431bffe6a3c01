"""The `Journal` port on SQLAlchemy Core."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from sqlalchemy import Engine, RowMapping, Select, select, true

from nbsweep.adapters.journal.address import JournalAddress
from nbsweep.adapters.journal.connections.outage import outlasting
from nbsweep.adapters.journal.connections.tasks import ask
from nbsweep.adapters.journal.dialects import now_us
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.fleet.due_sweeps import SqlDueSweeps
from nbsweep.adapters.journal.fleet.fences import SqlFences
from nbsweep.adapters.journal.fleet.workers import SqlWorkers
from nbsweep.adapters.journal.inventory.holds import SqlHolds
from nbsweep.adapters.journal.inventory.records import SqlInventory
from nbsweep.adapters.journal.inventory.sightings import SqlSightings
from nbsweep.adapters.journal.notices.exemptions import SqlExemptions
from nbsweep.adapters.journal.notices.mark_writer import MarkWriter
from nbsweep.adapters.journal.notices.marks import SqlMarks
from nbsweep.adapters.journal.notices.outbox import SqlOutbox
from nbsweep.adapters.journal.queries import (
    ends_of,
    ids_of_runs,
    notebooks_like,
    of_last_run,
    of_last_runs,
    of_last_success,
    of_latest,
    of_orders,
    of_unfinished,
)
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.records.audit import SqlTrail, TrailWriter, chains_of
from nbsweep.adapters.journal.records.control import SqlControl
from nbsweep.adapters.journal.records.leases import SqlLeases
from nbsweep.adapters.journal.records.plans import SqlPlans
from nbsweep.adapters.journal.records.sessions import SqlSessions
from nbsweep.adapters.journal.records.statistics import SqlStatistics
from nbsweep.adapters.journal.retention import SqlRetention
from nbsweep.adapters.journal.runs import REMOVAL, REMOVAL_MAPPER, RUN, RUN_MAPPER, read_history, removal_row, run_row
from nbsweep.adapters.journal.sqlite.files import JournalFiles
from nbsweep.adapters.journal.statements import Statements
from nbsweep.adapters.journal.tables import REMOVALS, RUNS
from nbsweep.adapters.journal.transaction import Change
from nbsweep.adapters.journal.writer import GroupWriter
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.lookup import NotebookRef
from nbsweep.core.model import moment_of
from nbsweep.core.runs import History, Outcome, RunCounts, RunRecord, count_ends

MOST_PARAMETERS = 1000
"""Number of values in one query, which databases limit."""


class SqlJournal:
    """A journal in a database; `open_journal` creates it. Each part is made when it is used first: a command needs few."""

    def __init__(
        self, engine: Engine, writer: GroupWriter, address: JournalAddress, files: JournalFiles | None, patience_s: float
    ) -> None:
        """Store the engine of a database that is up to date, the running writer, and the files of an SQLite journal."""
        self.engine = engine
        self._writer = writer
        self.address = address
        self._files = files
        self.patience_s = patience_s
        self._sql = Statements(engine.dialect)
        self._access = Access(engine.dialect, address, writer.write, self._rows, TrailWriter(engine.dialect))

    @property
    def place(self) -> str:
        """The address of the journal, without the password."""
        return self.address.place

    @property
    def on_postgresql(self) -> bool:
        """Whether the journal is in a PostgreSQL database."""
        return self.engine.dialect.name == "postgresql"

    def require_in_place(self) -> None:
        """Check that a later run will find the record, before a DELETE is sent.

        Raises:
            JournalError: the journal was moved, deleted or replaced.
        """
        if self._files:
            self._files.require_in_place()

    async def now(self) -> datetime:
        """Return the present time by the clock of the database."""
        [row] = await self._rows(select(now_us(self.engine.dialect.name).label("now")))
        return moment_of(int(row["now"]))

    async def open_run(self, run: RunRecord) -> None:
        """Record the start of a sweep; the pair of run and target is new."""
        await self._writer.write(Change(self._sql.open_run, [run_row(run)], dict))

    async def close_run(self, run: RunRecord) -> None:
        """Update the record of `open_run` with the end of the sweep."""
        never_opened = f"The journal {self.address.place} has no run {run.run_id} of {run.target} that could be closed."
        await self._writer.write(Change(self._sql.close_run, [run_row(run)], dict, never_opened))

    async def write(self, removals: Sequence[Removal], *, exemptions_version: int | None = None) -> None:
        """Store the present state of new and known removals; all of them or none."""
        # The caller's list may change after a cancellation; the removals in it cannot.
        mine = tuple(removals)
        for removal in mine:
            REMOVAL_MAPPER.check(removal)
        guard = None if exemptions_version is None else self.exemptions.unchanged(exemptions_version)
        change = Change(
            self._sql.upsert_removal,
            mine,
            removal_row,
            beforehand=self._access.trail.append,
            guard=guard,
            chains=chains_of(mine),
        )
        await self._writer.write(change)

    async def unfinished(self, target: str | None = None, limit: int | None = None) -> tuple[Removal, ...]:
        """List the unfinished removals, the oldest first; with `target`, those under that name."""
        return await self._access.records(REMOVAL_MAPPER, of_unfinished(REMOVAL, target).limit(limit))

    async def runs(self, limit: int, target: str | None = None) -> tuple[RunRecord, ...]:
        """List the latest sweeps, of one target if it is given, the newest first."""
        runs = RUN if target is None else RUN.where(RUNS.c.target == target)
        newest_first = runs.order_by(RUNS.c.started_at.desc(), RUNS.c.run_id.desc(), RUNS.c.target)
        return await self._access.records(RUN_MAPPER, newest_first.limit(limit))

    async def last_run(self, target: str, outcomes: Collection[Outcome] = ()) -> RunRecord | None:
        """Return the latest sweep of a target with one of these outcomes; if none are given, with any outcome."""
        return next(iter(await self._access.records(RUN_MAPPER, of_last_run(RUN, target, outcomes))), None)

    async def last_runs(self, targets: Collection[str], outcomes: Collection[Outcome] = ()) -> Mapping[str, RunRecord]:
        """Return what `last_run` returns for each of these targets that has such a sweep, by target."""
        query = of_last_runs(self._access.dialect.name, RUN, targets, outcomes)
        return {run.target: run for run in await self._access.records(RUN_MAPPER, query)}

    async def last_success(self, target: str) -> RunRecord | None:
        """Return the latest sweep or dry run of a target that finished without a problem."""
        return next(iter(await self._access.records(RUN_MAPPER, of_last_success(RUN, target))), None)

    async def open_runs(self, target: str | None = None) -> tuple[RunRecord, ...]:
        """List the sweeps without an end, the oldest first; with `target`, those under that name."""
        named = true() if target is None else RUNS.c.target == target
        query = RUN.where(named, RUNS.c.ended_at.is_(None))
        return await self._access.records(RUN_MAPPER, query.order_by(RUNS.c.started_at, RUNS.c.run_id))

    async def run(self, run_id: str) -> tuple[RunRecord, ...]:
        """List the sweeps of one run, one record for each target; empty if the run does not exist."""
        query = RUN.where(RUNS.c.run_id == run_id).order_by(RUNS.c.started_at, RUNS.c.target)
        return await self._access.records(RUN_MAPPER, query)

    async def run_counts(self, run_ids: Sequence[str]) -> tuple[RunCounts, ...]:
        """Count how the removals of these runs have ended, by sweep."""
        parts = [run_ids[begin : begin + MOST_PARAMETERS] for begin in range(0, len(run_ids), MOST_PARAMETERS)]
        rows = [row for part in parts for row in await self._rows(ends_of(part))]
        return count_ends(
            (row["run_id"], row["target"], State(row["state"]), row["count"], int(row["size_gb"])) for row in rows
        )

    async def removals(
        self,
        run_id: str,
        limit: int | None = None,
        offset: int = 0,
        states: Collection[State] = (),
        notebook_ids: Collection[str] = (),
    ) -> tuple[Removal, ...]:
        """List the removals of a run in the order of its plan, those in these states and of these notebooks if given."""
        wanted = REMOVALS.c.state.in_(sorted(states)) if states else true()
        named = REMOVALS.c.notebook_id.in_(sorted(notebook_ids)) if notebook_ids else true()
        planned = REMOVAL.where(REMOVALS.c.run_id == run_id, wanted, named).order_by(REMOVALS.c.position)
        return await self._access.records(REMOVAL_MAPPER, planned.limit(limit).offset(offset or None))

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """List the removals of one notebook in all runs, the newest first."""
        query = REMOVAL.where(REMOVALS.c.notebook_id == notebook_id)
        newest_first = query.order_by(REMOVALS.c.planned_at.desc(), REMOVALS.c.run_id.desc(), REMOVALS.c.position.desc())
        return await self._access.records(REMOVAL_MAPPER, newest_first)

    async def latest_removals(self, notebook_ids: Collection[str]) -> Mapping[str, Removal]:
        """Return the newest removal of each of these notebooks that has one, in whichever run, by notebook id."""
        newest = of_latest(REMOVAL, notebook_ids)
        return {each.notebook_id: each for each in await self._access.records(REMOVAL_MAPPER, newest)}

    async def orders_since(self, target: str, identity: TargetIdentity, since: datetime) -> tuple[Removal, ...]:
        """List the removals of a target with a stop or a DELETE that was about to leave since a time, the oldest first."""
        return await self._access.records(REMOVAL_MAPPER, of_orders(REMOVAL, target, identity, since))

    async def run_ids(self, beginning: str, limit: int) -> tuple[str, ...]:
        """List ids of runs that begin with a text, the newest first."""
        return tuple(row["run_id"] for row in await self._rows(ids_of_runs(self.engine.dialect.name, beginning, limit)))

    async def notebooks(self, text: str, limit: int) -> tuple[NotebookRef, ...]:
        """List notebooks with a removal or a mark that have this name, or an id with this beginning, the newest first."""
        rows = await self._rows(notebooks_like(self.engine.dialect.name, text, limit))
        return tuple(NotebookRef(row["target"], row["notebook_id"], row["name"], row["owner"]) for row in rows)

    async def history(
        self, target: str, identity: TargetIdentity, requested_since: datetime, failed_since: datetime
    ) -> History:
        """Return the past of a target that the brakes and the cool-down need."""
        return await read_history(self._access, target, identity, requested_since, failed_since)

    async def _rows(self, query: Select[Any]) -> Sequence[RowMapping]:
        self._writer.check_open()
        with journal_errors(self.address):
            return await outlasting(partial(ask, self.engine, query), self.patience_s)

    @cached_property
    def trail(self) -> SqlTrail:
        """The audit trail, for reading."""
        return SqlTrail(self._access.rows)

    @cached_property
    def control(self) -> SqlControl:
        """The pauses, requests and due times of targets, and the records of services."""
        access = self._access
        return SqlControl(access.dialect, access.write, access.rows, access.address, access.trail)

    @cached_property
    def sightings(self) -> SqlSightings:
        """When notebooks were last seen in a state other than at rest."""
        return SqlSightings(self._access)

    @cached_property
    def leases(self) -> SqlLeases:
        """The leases of targets, dated by the server's clock, or by that of the one machine that uses a file."""
        return SqlLeases(self._access, shared=self._files is None)

    @cached_property
    def marks(self) -> SqlMarks:
        """The marks of all targets."""
        return SqlMarks(self._access, self._mark_writer)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """The items and messages of the outbox."""
        return SqlOutbox(self._access, self._mark_writer)

    @cached_property
    def exemptions(self) -> SqlExemptions:
        """The exemptions, those that have ended included."""
        return SqlExemptions(self._access)

    @cached_property
    def inventory(self) -> SqlInventory:
        """The surveys, and the states of notebooks over time."""
        return SqlInventory(self._access)

    @cached_property
    def statistics(self) -> SqlStatistics:
        """Counts over all runs and targets."""
        return SqlStatistics(self._access)

    @cached_property
    def plans(self) -> SqlPlans:
        """The saved plans that were approved on a page or by the HTTP API."""
        return SqlPlans(self._access)

    @cached_property
    def sessions(self) -> SqlSessions:
        """The sessions of people who are signed in to the pages."""
        return SqlSessions(self._access)

    @cached_property
    def holds(self) -> SqlHolds:
        """The notebooks that are or were held out."""
        return SqlHolds(self._access)

    @cached_property
    def fences(self) -> SqlFences:
        """The fences of a fleet."""
        return SqlFences(self._access)

    @cached_property
    def due_sweeps(self) -> SqlDueSweeps:
        """The sweeps that are due, of a fleet."""
        return SqlDueSweeps(self._access)

    @cached_property
    def workers(self) -> SqlWorkers:
        """The workers of a fleet."""
        return SqlWorkers(self._access)

    @cached_property
    def retention(self) -> SqlRetention:
        """What deletes old records."""
        return SqlRetention(self._access)

    @cached_property
    def _mark_writer(self) -> MarkWriter:
        return MarkWriter(self._access.dialect, self._access.trail)
