"""The port `MarkRecords` on SQLAlchemy Core."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from nbsweep.adapters.journal.notices.access import Access
from nbsweep.adapters.journal.notices.mark_writer import ITEM_MAPPER, MARK_MAPPER, MarkWriter
from nbsweep.adapters.journal.notices.tables import MARKS, OPEN
from nbsweep.adapters.journal.transaction import Transaction
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.notices.outbox import Item

_MARK = select(*MARK_MAPPER.columns)
_OLDEST = (MARKS.c.marked_at, MARKS.c.id)
_NEWEST = (MARKS.c.marked_at.desc(), MARKS.c.id.desc())


class SqlMarks:
    """The marks, in a table of the journal."""

    def __init__(self, access: Access, writer: MarkWriter) -> None:
        """Store the open journal, and what writes marks."""
        self._access = access
        self._writer = writer

    async def open_marks(self, project: str) -> tuple[Mark, ...]:
        """List the open marks of a project, the oldest first."""
        return await self._marks(_MARK.where(MARKS.c.project == project, OPEN).order_by(*_OLDEST))

    async def marks(
        self, limit: int, states: Collection[MarkState] = (), target: str | None = None, owner: str | None = None
    ) -> tuple[Mark, ...]:
        """List the latest marks, the newest first."""
        wanted = _conditions(states, target, owner)
        return await self._marks(_MARK.where(*wanted).order_by(*_NEWEST).limit(limit))

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
            await self._access.perform(store)

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


def _conditions(states: Collection[MarkState], target: str | None, owner: str | None) -> Iterator[ColumnElement[bool]]:
    if states:
        yield MARKS.c.state.in_(sorted(state.value for state in states))
    if target is not None:
        yield MARKS.c.target == target
    if owner is not None:
        # A database may fold only ASCII letters, and an exact name has to match in any case.
        exact = (MARKS.c.owner_id == owner) | (MARKS.c.owner_name == owner)
        folded = func.lower(owner)
        yield exact | (func.lower(MARKS.c.owner_id) == folded) | (func.lower(MARKS.c.owner_name) == folded)
