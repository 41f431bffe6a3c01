"""The port `MarkRecords` on SQLAlchemy Core."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, case, func, select

from nbsweep.adapters.journal.dialects import among
from nbsweep.adapters.journal.notices.mark_writer import ITEM_MAPPER, MARK_MAPPER, MarkWriter
from nbsweep.adapters.journal.notices.tables import MARKS, OPEN
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.records.audit import chains_of
from nbsweep.adapters.journal.transaction import Transaction, Turn
from nbsweep.core.marks.listing import MarkPage, MarkQuery, OwnerMarks, TargetMarkCounts, most_first
from nbsweep.core.marks.model import OPEN as OPEN_STATES
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.notices.outbox import Item

_MARK = select(*MARK_MAPPER.columns)
_OLDEST = (MARKS.c.marked_at, MARKS.c.id)
_BY_OWNER = (MARKS.c.owner_name, MARKS.c.owner_id, MARKS.c.deadline.is_(None), MARKS.c.deadline, MARKS.c.id)
_TOLD = MARKS.c.state == MarkState.TOLD.value
_NEWEST = (MARKS.c.marked_at.desc(), MARKS.c.id.desc())


class SqlMarks:
    """The marks, in a table of the journal."""

    def __init__(self, access: Access, writer: MarkWriter) -> None:
        """Store the open journal, and what writes marks."""
        self._access = access
        self._writer = writer

    async def open_marks(self, project: str, notebook_ids: Collection[str] | None = None) -> tuple[Mark, ...]:
        """List the open marks of a project, of these notebooks if they are given, the oldest first."""
        named = among(MARKS.c.notebook_id, notebook_ids)
        return await self._marks(_MARK.where(MARKS.c.project == project, OPEN, named).order_by(*_OLDEST))

    async def marks(
        self, limit: int, states: Collection[MarkState] = (), target: str | None = None, owner: str | None = None
    ) -> tuple[Mark, ...]:
        """List the latest marks, the newest first."""
        wanted = _conditions(states, target, owner)
        return await self._marks(_MARK.where(*wanted).order_by(*_NEWEST).limit(limit))

    async def page(self, query: MarkQuery, limit: int, offset: int) -> MarkPage:
        """List some of the marks that match, by owner and deadline."""
        wanted = [*_conditions(query.states, query.target, query.owner), *_of_telling(query)]
        # Only the IDs are sorted and skipped: whole rows would take several times as long.
        ids = select(MARKS.c.id).where(*wanted).order_by(*_BY_OWNER).limit(limit).offset(offset)
        marks = await self._marks(_MARK.where(MARKS.c.id.in_(ids)).order_by(*_BY_OWNER))
        [row] = await self._access.rows(select(func.count().label("total")).select_from(MARKS).where(*wanted))
        return MarkPage(marks, int(row["total"]))

    async def owners(self, now: datetime, target: str | None = None) -> tuple[OwnerMarks, ...]:
        """Count the open marks of each owner."""
        rows = await self._access.rows(_count_owners(now, target))
        return tuple(sorted((OwnerMarks(**row) for row in rows), key=most_first))

    async def targets(self, now: datetime) -> tuple[TargetMarkCounts, ...]:
        """Count the open marks of each target that has any, in any order."""
        return tuple(TargetMarkCounts(**row) for row in await self._access.rows(_count_targets(now)))

    async def marks_of(self, notebook_id: str) -> tuple[Mark, ...]:
        """List the marks of a notebook in all projects, the newest first."""
        return await self._marks(_MARK.where(MARKS.c.notebook_id == notebook_id).order_by(*_NEWEST))

    async def mark(self, mark_id: str) -> Mark | None:
        """Return a mark by its id."""
        return next(iter(await self._marks(_MARK.where(MARKS.c.id == mark_id))), None)

    async def write(self, marks: Sequence[Mark], items: Sequence[Item] = (), dropped: str = "") -> None:
        """Store new and known marks and new items, and drop the other waiting items of these marks."""
        # The caller's lists may change after a cancellation; the records in them cannot.
        marks, items = checked(marks, items)

        def store(transaction: Transaction) -> None:
            self._writer.write(transaction, marks)
            self._writer.add_items(transaction, items)
            if dropped:
                self._writer.drop_other_items(transaction, marks, items, dropped)

        if marks or items:
            await self._access.perform(store, chains=chains_of(marks), turn=Turn.NONE)

    async def _marks(self, query: Select[Any]) -> tuple[Mark, ...]:
        return await self._access.records(MARK_MAPPER, query)


def checked(marks: Sequence[Mark], items: Sequence[Item]) -> tuple[tuple[Mark, ...], tuple[Item, ...]]:
    """Return copies of the lists.

    Raises:
        ValueError: a moment has no time zone.
    """
    for mark in marks:
        MARK_MAPPER.check(mark)
    for item in items:
        ITEM_MAPPER.check(item)
    return tuple(marks), tuple(items)


def _conditions(
    states: Collection[MarkState], target: str | None, owner: str | None
) -> Iterator[ColumnElement[bool] | TextClause]:
    if states:
        yield MARKS.c.state.in_(sorted(state.value for state in states))
        if OPEN_STATES.issuperset(states):
            yield OPEN
    if target is not None:
        yield MARKS.c.target == target
    if owner is not None:
        # The database folds both, because it may fold only ASCII letters.
        folded = func.lower(owner)
        yield (func.lower(MARKS.c.owner_id) == folded) | (func.lower(MARKS.c.owner_name) == folded)


def _of_telling(query: MarkQuery) -> Iterator[ColumnElement[bool]]:
    if query.untold:
        yield MARKS.c.untold != ""
    if query.deadline_until is not None:
        yield MARKS.c.deadline <= query.deadline_until


def _count_owners(now: datetime, target: str | None) -> Select[Any]:
    """Return the query for the fields of `OwnerMarks`."""
    counted = select(
        MARKS.c.owner_id,
        MARKS.c.owner_name,
        _count(~_TOLD).label("marked"),
        _count(_TOLD).label("told"),
        _count(~_TOLD & (MARKS.c.untold != "")).label("untold"),
        *_deadlines(now),
    )
    return counted.where(OPEN, *_conditions((), target, None)).group_by(MARKS.c.owner_id, MARKS.c.owner_name)


def _count_targets(now: datetime) -> Select[Any]:
    """Return the query for the fields of `TargetMarkCounts`."""
    return select(MARKS.c.target, func.count().label("open"), *_deadlines(now)).where(OPEN).group_by(MARKS.c.target)


def _deadlines(now: datetime) -> tuple[ColumnElement[Any], ...]:
    """Return how many deadlines have passed, and when the next one does."""
    next_deadline = func.min(case((_TOLD & (MARKS.c.deadline > now), MARKS.c.deadline)))
    return _count(_TOLD & (MARKS.c.deadline <= now)).label("passed"), next_deadline.label("next_deadline")


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
