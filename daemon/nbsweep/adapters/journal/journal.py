"""The `Journal` port on SQLAlchemy Core."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Select, bindparam, func, insert, inspect, select, update

from nbsweep.adapters.journal.address import make_room, parse_address
from nbsweep.adapters.journal.connection import connected, spawned
from nbsweep.adapters.journal.dialects import DEFAULT_LIMITS, Limits, begin_exclusively, opened_engine, upsert
from nbsweep.adapters.journal.rows import Record, columns_of, record_of, row_of
from nbsweep.adapters.journal.tables import META, NEWEST, REMOVALS, REVISION, RUNS, SIGHTINGS
from nbsweep.adapters.journal.trouble import told
from nbsweep.adapters.journal.writer import Change, GroupWriter
from nbsweep.core.lifecycle import ENDS, Removal
from nbsweep.core.model import require_aware
from nbsweep.core.ports import RunRecord

_RUN = select(*columns_of(RunRecord, RUNS))
_REMOVAL = select(*columns_of(Removal, REMOVALS))


class SqlJournal:
    """A journal in a database; made by `open_journal`."""

    def __init__(self, engine: Engine, writer: GroupWriter, place: str) -> None:
        """Take an engine whose database is up to date, and the running writer."""
        self._engine = engine
        self._writer = writer
        self._place = place
        self._upsert_removals = upsert(engine.dialect.name, REMOVALS, frozen=["position"]).values(position=_next_position())
        self._upsert_sightings = upsert(engine.dialect.name, SIGHTINGS, newest="last_active")

    async def open_run(self, run: RunRecord) -> None:
        """Note that a sweep begins; the pair of run and target is new."""
        await self._writer.write(Change(insert(RUNS), [row_of(run)]))

    async def close_run(self, run: RunRecord) -> None:
        """Note how a sweep ended, over the record that `open_run` made."""
        mine = (RUNS.c.run_id == bindparam("of_run")) & (RUNS.c.target == bindparam("of_target"))
        row = row_of(run) | {"of_run": run.run_id, "of_target": run.target}
        never_opened = f"The journal {self._place} has no run {run.run_id} of {run.target} that could be closed."
        await self._writer.write(Change(update(RUNS).where(mine), [row], never_opened))

    async def write(self, removals: Sequence[Removal]) -> None:
        """Store removals as they are now, new ones and known ones; all of them or none."""
        rows = [row_of(removal) | {"of_run": removal.run_id} for removal in removals]
        await self._write_rows(Change(self._upsert_removals, rows))

    async def unfinished(self, target: str) -> tuple[Removal, ...]:
        """List the removals of a target, of any run, that have no end, oldest first."""
        # Not "in one of the others": a state that this version does not know must come up, and be refused.
        open_end = REMOVALS.c.state.not_in([state.value for state in ENDS])
        query = _REMOVAL.where(REMOVALS.c.target == target, open_end)
        return await self._records(Removal, query.order_by(REMOVALS.c.planned_at, REMOVALS.c.run_id, REMOVALS.c.position))

    async def note_active(self, target: str, notebook_ids: Iterable[str], seen_at: datetime) -> None:
        """Remember that these were seen other than at rest; only the latest time is kept."""
        moment = require_aware(seen_at)
        rows = [{"target": target, "notebook_id": notebook_id, "last_active": moment} for notebook_id in notebook_ids]
        await self._write_rows(Change(self._upsert_sightings, rows))

    async def last_active(self, target: str) -> Mapping[str, datetime]:
        """Tell when each notebook of a target was last seen other than at rest."""
        query = select(SIGHTINGS.c.notebook_id, SIGHTINGS.c.last_active).where(SIGHTINGS.c.target == target)
        return {row["notebook_id"]: row["last_active"] for row in await self._rows(query)}

    async def runs(self, limit: int) -> tuple[RunRecord, ...]:
        """List the latest sweeps, the newest first."""
        newest_first = _RUN.order_by(RUNS.c.started_at.desc(), RUNS.c.run_id.desc(), RUNS.c.target)
        return await self._records(RunRecord, newest_first.limit(limit))

    async def open_runs(self, target: str) -> tuple[RunRecord, ...]:
        """List the sweeps of a target that have no end, the oldest first."""
        query = _RUN.where(RUNS.c.target == target, RUNS.c.ended_at.is_(None))
        return await self._records(RunRecord, query.order_by(RUNS.c.started_at, RUNS.c.run_id))

    async def run(self, run_id: str) -> tuple[RunRecord, ...]:
        """List the sweeps of one run, a record for each target; empty when there is no such run."""
        query = _RUN.where(RUNS.c.run_id == run_id).order_by(RUNS.c.started_at, RUNS.c.target)
        return await self._records(RunRecord, query)

    async def removals(self, run_id: str) -> tuple[Removal, ...]:
        """List the removals of one run, in the order in which they were planned."""
        return await self._records(Removal, _REMOVAL.where(REMOVALS.c.run_id == run_id).order_by(REMOVALS.c.position))

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """List the removals of one notebook over all runs, the newest first."""
        query = _REMOVAL.where(REMOVALS.c.notebook_id == notebook_id)
        newest_first = query.order_by(REMOVALS.c.planned_at.desc(), REMOVALS.c.run_id.desc(), REMOVALS.c.position.desc())
        return await self._records(Removal, newest_first)

    async def _write_rows(self, change: Change) -> None:
        self._writer.check_open()
        if change.rows:
            await self._writer.write(change)

    async def _records(self, kind: type[Record], query: Select[Any]) -> tuple[Record, ...]:
        rows = await self._rows(query)
        with told(self._place):
            return tuple(record_of(kind, row) for row in rows)

    async def _rows(self, query: Select[Any]) -> Sequence[RowMapping]:
        self._writer.check_open()
        with told(self._place):
            async with connected(self._engine) as connection:
                return await spawned(_fetch, connection, query)


@asynccontextmanager
async def open_journal(url: str, limits: Limits = DEFAULT_LIMITS) -> AsyncIterator[SqlJournal]:
    """Open the journal at `url`, made new or brought up to date; leaving writes what is queued, and closes it.

    That it can be written is proven here, before anything is deleted.

    Raises:
        JournalError: it cannot be opened, or not be written; says why, and what to do.
    """
    address = parse_address(url)
    make_room(address)
    async with opened_engine(address, limits) as engine:
        with told(address.place):
            async with connected(engine) as connection:
                await spawned(_prepare, connection, address.place)
        async with GroupWriter(engine, address.place, limits) as writer:
            yield SqlJournal(engine, writer, address.place)


def _prepare(connection: Connection, place: str) -> None:
    opening = {"key": "opened_at", "value": datetime.now(UTC).isoformat()}
    with connection.begin():
        begin_exclusively(connection)
        if not _is_up_to_date(connection):
            from nbsweep.adapters.journal.migrating import upgrade  # brings Alembic, which is needed once in a journal's life

            upgrade(connection, place)
        connection.execute(upsert(connection.dialect.name, META), [opening])


def _is_up_to_date(connection: Connection) -> bool:
    # A question to a table that is missing would end the transaction on PostgreSQL.
    if not inspect(connection).has_table(REVISION.name):
        return False
    return connection.execute(select(REVISION.c.version_num)).scalars().all() == [NEWEST]


def _fetch(connection: Connection, query: Select[Any]) -> Sequence[RowMapping]:
    return connection.execute(query).mappings().all()


def _next_position() -> Any:
    earlier = REMOVALS.alias("earlier")
    following = func.coalesce(func.max(earlier.c.position) + 1, 0)
    return select(following).where(earlier.c.run_id == bindparam("of_run")).scalar_subquery()
