"""Writes marks and items inside a transaction, with the entries of the marks in the audit trail."""

import json
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Dialect, bindparam, select, update

from nbsweep.adapters.journal.dialects import compiled, compiled_question, insert_if_unique, insert_new, listed_in
from nbsweep.adapters.journal.notices.tables import ITEMS, MARKS, WAITING
from nbsweep.adapters.journal.records.audit import CHUNK, Appender, TrailWriter, as_stored
from nbsweep.adapters.journal.rows import Row, RowMapper
from nbsweep.adapters.journal.transaction import Transaction
from nbsweep.core.audit.marks import entries_of_mark
from nbsweep.core.errors import MarksChanged
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.notices.outbox import Item

MARK_MAPPER = RowMapper(Mark, MARKS)
ITEM_MAPPER = RowMapper(Item, ITEMS, prefix="item_")
_WRITTEN_SINCE = "A mark was written by another process since it was read: read the marks again."
_TWO_OPEN = "A notebook has an open mark already, or a mark was written by another process: read the marks again."


class MarkWriter:
    """Writes marks and items; the caller's transaction has locked the chains of the marks' targets."""

    def __init__(self, dialect: Dialect, trail: TrailWriter) -> None:
        """Compile the statements for one kind of database."""
        self._trail = trail
        unchanged = (MARKS.c.id == bindparam("of_id")) & (MARKS.c.version == bindparam("of_version"))
        others = (ITEMS.c.mark_id == bindparam("of_mark")) & ~listed_in(dialect.name, ITEMS.c.id, "stay")
        named = (ITEMS.c.id == bindparam("of_id")) & WAITING
        known = select(MARKS.c.id, MARKS.c.state).where(listed_in(dialect.name, MARKS.c.id, "marks"))
        self.known = compiled_question(dialect, known)
        self.insert = compiled(dialect, insert_if_unique(dialect.name, MARKS), MARK_MAPPER.names)
        self.update = compiled(dialect, update(MARKS).where(unchanged), MARK_MAPPER.names)
        self.insert_item = compiled(dialect, insert_new(dialect.name, ITEMS), ITEM_MAPPER.names)
        self.drop_others = compiled(dialect, update(ITEMS).where(others, WAITING), ["dropped"])
        self.drop_item = compiled(dialect, update(ITEMS).where(named), ["dropped"])

    def write(self, transaction: Transaction, marks: Sequence[Mark]) -> None:
        """Write marks, each with the next version, and their entries in the audit trail.

        Raises:
            MarksChanged: a mark was written since it was read, or its notebook has another open mark.
        """
        appender = self._trail.appender(transaction)
        for begin in range(0, len(marks), CHUNK):
            self._append(transaction, marks[begin : begin + CHUNK], appender)
        # Known marks first: one that is cleared makes room for a new one of the same notebook.
        known = transaction.execute(self.update, (_known_row(mark) for mark in marks if mark.version))
        if known != sum(mark.version > 0 for mark in marks):
            raise MarksChanged(_WRITTEN_SINCE)
        if known + transaction.execute(self.insert, (_row(mark) for mark in marks if not mark.version)) != len(marks):
            raise MarksChanged(_TWO_OPEN)

    def add_items(self, transaction: Transaction, items: Sequence[Item]) -> None:
        """Write new items; known ones stay as they are."""
        transaction.execute(self.insert_item, map(ITEM_MAPPER.row_of, items))

    def drop_other_items(self, transaction: Transaction, marks: Sequence[Mark], items: Sequence[Item], why: str) -> None:
        """Drop the waiting items of these marks, except for some."""
        stay: dict[str, list[str]] = {}
        for item in items:
            stay.setdefault(item.mark_id, []).append(item.id)
        rows = ({"of_mark": mark.id, "stay": json.dumps(stay.get(mark.id, [])), "dropped": why} for mark in marks)
        transaction.execute(self.drop_others, rows)

    def _append(self, transaction: Transaction, marks: Sequence[Mark], appender: Appender) -> None:
        ids = json.dumps([as_stored(mark.id) for mark in marks])
        states = {row[0]: MarkState(row[1]) for row in transaction.fetch(self.known, {"marks": ids})}
        for mark in marks:
            appender.add(mark.target, partial(entries_of_mark, mark, states.get(as_stored(mark.id))))
        appender.write()


def _row(mark: Mark) -> Row:
    return {**MARK_MAPPER.row_of(mark), "version": mark.version + 1}


def _known_row(mark: Mark) -> Row:
    return {**_row(mark), "of_id": mark.id, "of_version": mark.version}
