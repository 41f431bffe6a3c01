"""The marks, the items and the messages in memory, which two ports share."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.audit.marks import entries_of_mark
from nbsweep.core.control.requests import Pause
from nbsweep.core.errors import JournalError, MarksChanged
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import require_aware
from nbsweep.core.notices.outbox import Item, Listed, Message, MessageState
from nbsweep.testing.records.trail import InMemoryTrail

AnyRecord = TypeVar("AnyRecord", bound=Struct)
UNSENT = frozenset({MessageState.PENDING, MessageState.LEASED})


def aware(record: AnyRecord) -> AnyRecord:
    """Return a record unchanged if its moments have a time zone.

    Raises:
        ValueError: one has none.
    """
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, datetime):
            require_aware(value)
    return record


@dataclass(slots=True)
class NoticeStore:
    """The marks, the items and the messages by their ids, and the trail that has the entries of marks."""

    trail: InMemoryTrail
    marks: dict[str, Mark] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    pause: Pause | None = None

    def check_marks(self, marks: Sequence[Mark]) -> None:
        """Check that the marks can be written.

        Raises:
            MarksChanged: one was written since it was read, or a notebook would have two open marks.
        """
        after = dict(self.marks)
        for mark in map(aware, marks):
            known = after.get(mark.id)
            if (known.version if known else 0) != mark.version:
                raise MarksChanged("A mark was written by another process since it was read: read the marks again.")
            after[mark.id] = following(mark)
        open_ones = [(mark.project, mark.notebook_id) for mark in after.values() if mark.open]
        if len(open_ones) != len(set(open_ones)):
            raise MarksChanged("A notebook has an open mark already: read the marks again.")

    def put_marks(self, marks: Iterable[Mark]) -> None:
        """Store marks that were checked, with their entries in the trail."""
        for mark in marks:
            known = self.marks.get(mark.id)
            self.trail.extend(entries_of_mark(mark, known.state if known else None, 0))
            self.marks[mark.id] = following(mark)

    def forget_marks(self, mark_ids: Collection[str]) -> None:
        """Delete marks with their items."""
        for mark_id in mark_ids:
            del self.marks[mark_id]
        self.items = {key: item for key, item in self.items.items() if item.mark_id not in mark_ids}

    def check_items(self, items: Iterable[Item], marks: Iterable[Mark]) -> None:
        """Check that the items can be written together with these marks.

        Raises:
            JournalError: one is about a mark that does not exist.
        """
        known = self.marks.keys() | {mark.id for mark in marks}
        if any(aware(item).mark_id not in known for item in items):
            raise JournalError("An item is about a mark that does not exist.")

    def put_items(self, items: Iterable[Item]) -> None:
        """Store new items; known ones stay."""
        for item in items:
            self.items.setdefault(item.id, item)

    def listed(self, items: Iterable[Item]) -> list[Listed]:
        """Return items with their marks, in the order of the marks' creation."""
        found = [Listed(item, self.marks[item.mark_id]) for item in items]
        return sorted(found, key=lambda each: (each.mark.marked_at, each.mark.id, each.item.id))


Versioned = TypeVar("Versioned", Mark, Message)


def following(record: Versioned) -> Versioned:
    """Return a record with its next version."""
    return replace(record, version=record.version + 1)
