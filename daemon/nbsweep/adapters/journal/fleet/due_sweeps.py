"""The port `DueSweeps` on SQLAlchemy Core."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import RowMapping, bindparam, select, update

from nbsweep.adapters.journal.dialects import compiled, compiled_question, upsert
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.fleet.tables import DUE_SWEEPS
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.transaction import Change, Overtaken, Transaction
from nbsweep.core.due_sweeps.model import DueSweep
from nbsweep.core.model import microseconds

_FIELDS = DueSweep.__struct_fields__
_OF_KEY = (DUE_SWEEPS.c.target == bindparam("of_target")) & (DUE_SWEEPS.c.plan_id == bindparam("of_plan"))
_OPEN = DUE_SWEEPS.c.ended_at.is_(None)
_SAME = _OF_KEY & (DUE_SWEEPS.c.due_at == bindparam("of_due_at")) & _OPEN


class SqlDueSweeps:
    """The due sweeps, in a table of the journal: one row for each target and plan."""

    def __init__(self, access: Access) -> None:
        """Compile the statements."""
        dialect = access.dialect
        recorded = (DUE_SWEEPS.c.by == bindparam("of_by")) & (DUE_SWEEPS.c.due_at >= bindparam("of_due_at"))
        in_the_way = select(DUE_SWEEPS.c.target).where(_OF_KEY, _OPEN | recorded)
        self._access = access
        self._in_the_way = compiled_question(dialect, in_the_way)
        self._upsert = compiled(dialect, upsert(dialect.name, DUE_SWEEPS), DUE_SWEEPS.columns.keys())
        self._begin = compiled(dialect, update(DUE_SWEEPS).where(_SAME), ["begun_at"])
        self._put_off = compiled(dialect, update(DUE_SWEEPS).where(_SAME), ["not_before", "failures", "problem", "begun_at"])
        self._end = compiled(dialect, update(DUE_SWEEPS).where(_SAME), ["ended_at"])

    async def add(self, sweep: DueSweep) -> bool:
        """Record that a sweep is due; False if one is open, or this due time was recorded before."""
        row = _row(sweep)

        def store(transaction: Transaction) -> None:
            if transaction.fetch(self._in_the_way, {**_key(sweep), "of_by": sweep.by}):
                raise Overtaken("There is such a sweep.")
            transaction.execute(self._upsert, iter([row]))

        return await self._succeeds(store)

    async def open(self, account: str | None = None) -> tuple[DueSweep, ...]:
        """List the sweeps that have not ended, those that were due first come first."""
        query = select(DUE_SWEEPS).where(_OPEN).order_by(DUE_SWEEPS.c.due_at, DUE_SWEEPS.c.target, DUE_SWEEPS.c.plan_id)
        rows = await self._access.rows(query if account is None else query.where(DUE_SWEEPS.c.account == account))
        with journal_errors(self._access.address):
            return tuple(map(_sweep_of, rows))

    async def begin(self, sweep: DueSweep, at: datetime) -> bool:
        """Record that a worker begins a sweep; False if it has ended meanwhile."""
        row = {**_key(sweep), "begun_at": microseconds(at)}

        def store(transaction: Transaction) -> None:
            if not transaction.execute(self._begin, iter([row])):
                raise Overtaken("It has ended.")

        return await self._succeeds(store)

    async def put_off(self, sweep: DueSweep) -> None:
        """Store `not_before`, `failures` and `problem` of an open sweep, which has not begun then."""
        changed = {"not_before": microseconds(sweep.not_before), "failures": sweep.failures, "problem": sweep.problem}
        await self._access.write(Change(self._put_off, [{**_key(sweep), **changed, "begun_at": None}], dict))

    async def end(self, sweep: DueSweep, at: datetime) -> None:
        """Record that a sweep has ended."""
        await self._access.write(Change(self._end, [{**_key(sweep), "ended_at": microseconds(at)}], dict))

    async def _succeeds(self, store: Any) -> bool:
        try:
            await self._access.perform(store)
        except Overtaken:
            return False
        return True


def _key(sweep: DueSweep) -> dict[str, Any]:
    return {"of_target": sweep.target, "of_plan": sweep.plan_id, "of_due_at": microseconds(sweep.due_at)}


def _row(sweep: DueSweep) -> dict[str, Any]:
    """Convert a due sweep to the values of its columns.

    Raises:
        ValueError: one of its moments has no time zone.
    """
    return {name: microseconds(value) if isinstance(value, datetime) else value for name, value in asdict(sweep).items()}


def _sweep_of(row: RowMapping) -> DueSweep:
    """Convert a row to a due sweep.

    Raises:
        msgspec.ValidationError: it holds something that a due sweep cannot have.
    """
    return msgspec.convert({name: row[name] for name in _FIELDS}, DueSweep)
