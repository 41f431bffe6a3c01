"""The port `RetentionRecords` on SQLAlchemy Core.

Each transaction deletes a bounded number of rows, so that a sweep never waits long for the lock of the database.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from nbsweep.adapters.journal.dialects import compiled, compiled_question, listed_in, month_of, upsert
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.inventory.tables import INVENTORY, LASTS
from nbsweep.adapters.journal.notices.exemptions import PRUNED_EXEMPTIONS, pruned_exemptions
from nbsweep.adapters.journal.notices.tables import COMPOSED, EXEMPTIONS, ITEMS, MARKS, MESSAGES, UNSENT, WAITING
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.tables import META, REMOVALS, RUNS
from nbsweep.adapters.journal.transaction import Change, Steps, Transaction
from nbsweep.core.lifecycle import ENDS, State
from nbsweep.core.marks.model import OPEN, MarkState
from nbsweep.core.model import microseconds, moment_of
from nbsweep.core.notices.outbox import MessageState
from nbsweep.core.retention.model import Pruned
from nbsweep.core.runs import FAILURES

CLAIMED = "journal pruned"
"""The key in `META` of the time of the last claim, in microseconds."""
A_DAY = timedelta(days=1)
AT_ONCE = 1000
"""Rows of one transaction."""
BEFORE = "before"
_RUN = ("run_id", "target")
_REMOVAL = ("run_id", "target", "notebook_id")


def _texts(states: Any) -> list[Any]:
    # Literals, because all parameters in a compiled text are taken from its rows.
    return [literal_column(f"'{state.value}'") for state in sorted(states)]


def _old_run() -> ColumnElement[bool]:
    """Return the condition that a sweep may go."""
    later, mine = RUNS.alias("later"), REMOVALS.alias("mine")
    before: ColumnElement[Any] = bindparam(BEFORE, type_=RUNS.c.ended_at.type)
    nothing: ColumnElement[Any] = literal_column("''")
    replaced = exists().where(
        *(later.c[name] == RUNS.c[name] for name in ("project", "extent", "target", "outcome")),
        later.c.started_at > RUNS.c.started_at,
        or_(later.c.problem == nothing, RUNS.c.problem != nothing),
        or_(later.c.fleet > literal_column("0"), RUNS.c.fleet <= literal_column("0")),
    )
    of_run = and_(*(mine.c[name] == RUNS.c[name] for name in _RUN))
    late = or_(mine.c.ended_at.is_(None), mine.c.ended_at >= before, mine.c.state.not_in(_texts(ENDS)))
    failing = and_(mine.c.state.in_(_texts(FAILURES)), ~_gone(mine))
    ended = and_(RUNS.c.started_at < before, RUNS.c.ended_at < before)
    return and_(ended, replaced, ~exists().where(of_run, late), ~exists().where(of_run, failing))


def _gone(removal: Any) -> ColumnElement[bool]:
    """Return the condition that the notebook of a removal is known to be gone."""
    other = REMOVALS.alias("other")
    deleted = exists().where(
        other.c.notebook_id == removal.c.notebook_id,
        other.c.project == removal.c.project,
        other.c.state.in_(_texts([State.DELETED])),
    )
    known = and_(INVENTORY.c.notebook_id == removal.c.notebook_id, INVENTORY.c.project == removal.c.project)
    return or_(deleted, and_(exists().where(known), ~exists().where(known, LASTS)))


def _old_mark() -> ColumnElement[bool]:
    """Return the condition that a mark may go."""
    before: ColumnElement[Any] = bindparam(BEFORE, type_=MARKS.c.ended_at.type)
    # Nothing else is correlated, so that this can stand inside a question about messages and their items.
    unsent = exists().where(MESSAGES.c.key == ITEMS.c.message_key, UNSENT).correlate(ITEMS)
    needed = exists().where(ITEMS.c.mark_id == MARKS.c.id, or_(and_(WAITING), unsent)).correlate(MARKS)
    closed = MARKS.c.state.in_(_texts(frozenset(MarkState) - OPEN))
    return and_(MARKS.c.marked_at < before, MARKS.c.ended_at < before, closed, ~needed)


def _stays() -> ColumnElement[bool]:
    """Return the condition that an item stays when all old marks have gone."""
    return ITEMS.c.mark_id.not_in(select(MARKS.c.id).where(_old_mark()).correlate(None))


def _old_message(*items: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a message may go: none of these items is listed in it."""
    before: ColumnElement[Any] = bindparam(BEFORE, type_=MESSAGES.c.ended_at.type)
    listed = exists().where(ITEMS.c.message_key == MESSAGES.c.key, COMPOSED, *items).correlate(MESSAGES)
    ended = MESSAGES.c.state.in_(_texts([MessageState.SENT, MessageState.FAILED]))
    return and_(MESSAGES.c.created_at < before, MESSAGES.c.ended_at < before, ended, ~listed)


def _old_exemption() -> ColumnElement[bool]:
    """Return the condition that an exemption may go."""
    before: ColumnElement[Any] = bindparam(BEFORE, type_=EXEMPTIONS.c.until.type)
    return or_(EXEMPTIONS.c.until < before, EXEMPTIONS.c.revoked_at < before)


class SqlRetention:
    """Deletes old rows of the journal."""

    def __init__(self, access: Access) -> None:
        """Compile the statements."""
        self._access = access
        self._sql = _Statements(access.dialect)

    async def claim(self, now: datetime) -> bool:
        """Return whether the last claim is a day away, and record this one then."""
        rows = await self._access.rows(select(META.c.value).where(META.c.key == CLAIMED))
        with journal_errors(self._access.address):
            if not all(abs(now - moment_of(int(row["value"]))) >= A_DAY for row in rows):
                return False
        note = {"key": CLAIMED, "value": str(microseconds(now))}
        await self._access.write(Change(self._sql.upsert_meta, [note], dict))
        return True

    async def prunable(self, before: datetime) -> Mapping[str, Pruned]:
        """Count what `prune` would delete, by the month in UTC in which it ended, such as 2024-10."""
        of_runs = and_(*(REMOVALS.c[name] == RUNS.c[name] for name in _RUN))
        revoked_at, until = EXEMPTIONS.c.revoked_at, EXEMPTIONS.c.until
        ended = case((revoked_at < until, revoked_at), else_=until)
        counts = {
            "runs": await self._count(RUNS, RUNS.c.ended_at, _old_run(), before),
            "removals": await self._count(RUNS.join(REMOVALS, of_runs), RUNS.c.ended_at, _old_run(), before),
            "marks": await self._count(MARKS, MARKS.c.ended_at, _old_mark(), before),
            "messages": await self._count(MESSAGES, MESSAGES.c.ended_at, _old_message(_stays()), before),
            "exemptions": await self._count(EXEMPTIONS, ended, _old_exemption(), before),
        }
        months = sorted(set[str]().union(*counts.values()))
        return {month: Pruned(**{kind: of_kind.get(month, 0) for kind, of_kind in counts.items()}) for month in months}

    async def prune(self, before: datetime, limit: int) -> Pruned:
        """Delete about so many records that ended before a moment, in short transactions; none only if none is left."""
        moment, sql = {BEFORE: microseconds(before)}, self._sql
        runs, removals = await self._prune_runs(moment, limit)
        left = limit - runs - removals
        marks = await self._repeat(partial(self._delete_marks, moment), left)
        messages = await self._repeat(partial(self._delete, sql.messages, moment), left - marks)
        exemptions = await self._repeat(partial(self._delete_exemptions, moment), left - marks - messages)
        return Pruned(runs, removals, marks, messages, exemptions)

    async def _count(
        self, rows: Any, ended: ColumnElement[Any], condition: ColumnElement[bool], before: datetime
    ) -> Mapping[str, int]:
        month = month_of(self._access.dialect.name, ended).label("month")
        columns: list[ColumnElement[Any]] = [month, func.count().label("count")]
        query = select(*columns).select_from(rows).where(condition).group_by(month)
        return {row["month"]: int(row["count"]) for row in await self._access.rows(query.params({BEFORE: before}))}

    async def _prune_runs(self, moment: dict[str, int], limit: int) -> tuple[int, int]:
        """Delete sweeps that may go, the removals of each before itself."""
        runs = removals = 0
        for run_id, target in await self._old_runs(moment):
            if runs + removals >= limit:
                break
            of_run = {"of_run": run_id, "of_target": target}
            left = limit - runs - removals
            gone = await self._repeat(partial(self._delete, self._sql.removals, {**of_run, **moment}), left)
            removals += gone
            if gone < left:
                runs += await self._once(partial(self._delete, self._sql.run, of_run))
        return runs, removals

    async def _old_runs(self, moment: dict[str, int]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []

        def find(transaction: Transaction) -> int:
            found[:] = [(row[0], row[1]) for row in transaction.fetch(self._sql.old_runs, moment)]
            return len(found)

        await self._once(find)
        return found

    async def _repeat(self, steps: Callable[[Transaction], int], limit: int) -> int:
        """Take steps in one transaction after the other, until they met so many rows or no more; return how many they met."""
        total = 0
        while total < limit and (met := await self._once(steps)):
            total += met
        return total

    async def _once(self, steps: Callable[[Transaction], int]) -> int:
        met = 0

        def take(transaction: Transaction) -> None:
            nonlocal met
            met = steps(transaction)

        taken: Steps = take
        await self._access.perform(taken)
        return met

    @staticmethod
    def _delete(sql: str, parameters: dict[str, Any], transaction: Transaction) -> int:
        return transaction.execute(sql, iter([parameters]))

    def _delete_marks(self, moment: dict[str, int], transaction: Transaction) -> int:
        ids = [row[0] for row in transaction.fetch(self._sql.old_marks, moment)]
        if not ids:
            return 0
        listing = {"ids": json.dumps(ids)}
        transaction.execute(self._sql.items, iter([listing]))
        return transaction.execute(self._sql.marks, iter([listing]))

    def _delete_exemptions(self, moment: dict[str, int], transaction: Transaction) -> int:
        rows = transaction.fetch(self._sql.old_exemptions, moment)
        if not rows:
            return 0
        # The version of the exemptions is made of counts, and must never fall.
        [[already]] = transaction.fetch(self._sql.pruned_exemptions, {})
        weight = len(rows) + sum(row[1] is not None for row in rows)
        note = {"key": PRUNED_EXEMPTIONS, "value": str(already + weight)}
        transaction.execute(self._sql.upsert_meta, iter([note]))
        return transaction.execute(self._sql.exemptions, iter([{"ids": json.dumps([row[0] for row in rows])}]))


class _Statements:
    """The compiled statements."""

    def __init__(self, dialect: Dialect) -> None:
        question, change = partial(compiled_question, dialect), partial(compiled, dialect)
        key = [REMOVALS.c[name] for name in _REMOVAL]
        of_run = [REMOVALS.c.run_id == bindparam("of_run"), REMOVALS.c.target == bindparam("of_target")]
        some = _first(select(*key).where(*of_run, REMOVALS.c.ended_at < bindparam(BEFORE)))
        runs = select(RUNS.c.run_id, RUNS.c.target).where(_old_run()).order_by(RUNS.c.started_at)
        run = [RUNS.c.run_id == bindparam("of_run"), RUNS.c.target == bindparam("of_target")]
        self.old_runs = question(_first(runs))
        self.removals = change(delete(REMOVALS).where(tuple_(*key).in_(some)), [])
        self.run = change(delete(RUNS).where(*run), [])
        self.old_marks = question(_first(select(MARKS.c.id).where(_old_mark())))
        self.items = change(delete(ITEMS).where(listed_in(dialect.name, ITEMS.c.mark_id, "ids")), [])
        self.marks = change(delete(MARKS).where(listed_in(dialect.name, MARKS.c.id, "ids")), [])
        self.messages = change(_delete_some(MESSAGES, MESSAGES.c.key, _old_message()), [])
        self.old_exemptions = question(_first(select(EXEMPTIONS.c.id, EXEMPTIONS.c.revoked_at).where(_old_exemption())))
        self.exemptions = change(delete(EXEMPTIONS).where(listed_in(dialect.name, EXEMPTIONS.c.id, "ids")), [])
        self.pruned_exemptions = question(select(pruned_exemptions()))
        self.upsert_meta = change(upsert(dialect.name, META), META.columns.keys())


def _delete_some(table: Table, key: ColumnElement[Any], condition: ColumnElement[bool]) -> Any:
    return delete(table).where(key.in_(_first(select(key).where(condition))))


def _first(query: Select[Any]) -> Select[Any]:
    most: ColumnElement[int] = literal_column(str(AT_ONCE))
    return query.limit(most).offset(literal_column("0"))
