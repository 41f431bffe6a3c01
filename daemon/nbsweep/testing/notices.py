"""The marks and the outbox in memory: one store, which two ports share."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.audit.control import entry_of_retry
from nbsweep.core.audit.marks import entries_of_mark
from nbsweep.core.control.requests import Pause
from nbsweep.core.errors import JournalError, MarksChanged
from nbsweep.core.marks.listing import MarkPage, MarkQuery, OwnerMarks, count_by_owner
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.model import require_aware
from nbsweep.core.notices.outbox import Item, Listed, Message, MessageState, OutboxCount, WaitingItems
from nbsweep.testing.trail import InMemoryTrail

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
            after[mark.id] = _next(mark)
        open_ones = [(mark.project, mark.notebook_id) for mark in after.values() if mark.open]
        if len(open_ones) != len(set(open_ones)):
            raise MarksChanged("A notebook has an open mark already: read the marks again.")

    def put_marks(self, marks: Iterable[Mark]) -> None:
        """Store marks that were checked, with their entries in the trail."""
        for mark in marks:
            known = self.marks.get(mark.id)
            self.trail.extend(entries_of_mark(mark, known.state if known else None, self.trail.length))
            self.marks[mark.id] = _next(mark)

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


class InMemoryMarks:
    """The `MarkRecords` port."""

    def __init__(self, store: NoticeStore) -> None:
        """Take the store."""
        self._store = store

    async def open_marks(self, project: str) -> tuple[Mark, ...]:
        """List the open marks of a project, the oldest first."""
        await asyncio.sleep(0)
        mine = (mark for mark in self._store.marks.values() if mark.project == project and mark.open)
        return tuple(sorted(mine, key=_age))

    async def marks(
        self, limit: int, states: Collection[MarkState] = (), target: str | None = None, owner: str | None = None
    ) -> tuple[Mark, ...]:
        """List the latest marks, the newest first."""
        await asyncio.sleep(0)
        fit = (
            mark
            for mark in self._newest_first()
            if (not states or mark.state in states)
            and target in (None, mark.target)
            and (owner is None or owner.lower() in (mark.owner_id.lower(), mark.owner_name.lower()))
        )
        return tuple(fit)[:limit]

    async def page(self, query: MarkQuery, limit: int, offset: int) -> MarkPage:
        """List some of the marks that match, by owner and deadline."""
        await asyncio.sleep(0)
        found = sorted((mark for mark in self._store.marks.values() if _fits(mark, query)), key=_by_owner)
        return MarkPage(tuple(found[offset : offset + limit]), len(found))

    async def owners(self, now: datetime, target: str | None = None) -> tuple[OwnerMarks, ...]:
        """Count the open marks of each owner."""
        await asyncio.sleep(0)
        return count_by_owner([mark for mark in self._store.marks.values() if target in (None, mark.target)], now)

    async def marks_of(self, notebook_id: str) -> tuple[Mark, ...]:
        """List the marks of a notebook in all projects, the newest first."""
        await asyncio.sleep(0)
        return tuple(mark for mark in self._newest_first() if mark.notebook_id == notebook_id)

    async def mark(self, mark_id: str) -> Mark | None:
        """Return a mark by its id."""
        await asyncio.sleep(0)
        return self._store.marks.get(mark_id)

    async def write(self, marks: Sequence[Mark], items: Sequence[Item] = (), dropped: str = "") -> None:
        """Store new and known marks and new items, and drop the other waiting items of these marks."""
        store = self._store
        store.check_marks(marks)
        store.check_items(items, marks)
        store.put_marks(marks)
        store.put_items(items)
        stay, written = {item.id for item in items}, {mark.id for mark in marks}
        for item in list(store.items.values()) if dropped else ():
            if item.waiting and item.mark_id in written and item.id not in stay:
                store.items[item.id] = replace(item, dropped=dropped)
        await asyncio.sleep(0)

    def _newest_first(self) -> list[Mark]:
        return sorted(self._store.marks.values(), key=_age, reverse=True)


class InMemoryOutbox:
    """The `OutboxRecords` port."""

    def __init__(self, store: NoticeStore) -> None:
        """Take the store."""
        self._store = store

    async def waiting(self, now: datetime, limit: int) -> tuple[Listed, ...]:
        """List the waiting items whose time has come, with their marks, the oldest first."""
        await asyncio.sleep(0)
        found = self._store.listed(item for item in self._store.items.values() if item.waiting and item.not_before <= now)
        return tuple(sorted(found, key=lambda each: each.item.not_before))[:limit]

    async def count_waiting(self, now: datetime) -> WaitingItems:
        """Count the waiting items whose time has come."""
        await asyncio.sleep(0)
        since = [item.not_before for item in self._store.items.values() if item.waiting and item.not_before <= now]
        return WaitingItems(len(since), min(since, default=None))

    async def drop(self, item_ids: Sequence[str], why: str) -> None:
        """Drop waiting items."""
        items = self._store.items
        for item_id in item_ids:
            if item_id in items and items[item_id].waiting:
                items[item_id] = replace(items[item_id], dropped=why)
        await asyncio.sleep(0)

    async def compose(self, message: Message, item_ids: Sequence[str]) -> bool:
        """Store a new message, and assign these waiting items to it, unless another process was faster."""
        await asyncio.sleep(0)
        store, place = self._store, (aware(message).recipient, message.channel, message.slot)
        taken = {(known.recipient, known.channel, known.slot) for known in store.messages.values()}
        waiting = all(item_id in store.items and store.items[item_id].waiting for item_id in item_ids)
        if message.key in store.messages or place in taken or not waiting:
            return False
        store.messages[message.key] = _next(message)
        for item_id in item_ids:
            store.items[item_id] = replace(store.items[item_id], message_key=message.key)
        return True

    async def lease(self, now: datetime, until: datetime, by: str, limit: int) -> tuple[Message, ...]:
        """Lease up to `limit` messages that are due."""
        await asyncio.sleep(0)
        due = [message for message in self._store.messages.values() if _is_due(message, now)]
        due.sort(key=lambda message: (message.next_at, message.created_at, message.key))
        leased = [
            _next(replace(message, state=MessageState.LEASED, leased_until=require_aware(until), leased_by=by))
            for message in due[:limit]
        ]
        self._store.messages.update({message.key: message for message in leased})
        return tuple(leased)

    async def listed(self, message_key: str) -> tuple[Listed, ...]:
        """List the items of a message with their marks, in the order of the marks' creation."""
        await asyncio.sleep(0)
        return tuple(self._store.listed(item for item in self._store.items.values() if item.message_key == message_key))

    async def items_of(self, notebook_id: str, limit: int) -> tuple[Listed, ...]:
        """List items about a notebook with their marks, the latest first."""
        await asyncio.sleep(0)
        items, marks = self._store.items.values(), self._store.marks
        found = self._store.listed(item for item in items if marks[item.mark_id].notebook_id == notebook_id)
        return tuple(sorted(found, key=lambda each: (each.item.not_before, each.item.id), reverse=True))[:limit]

    async def record(
        self,
        message: Message,
        now: datetime,
        accepted: Sequence[str] = (),
        marks: Sequence[Mark] = (),
        items: Sequence[Item] = (),
    ) -> bool:
        """Store the result of an attempt, unless another process has written the message."""
        await asyncio.sleep(0)
        store = self._store
        known = store.messages.get(aware(message).key)
        if known is None or known.version != message.version:
            return False
        store.check_marks(marks)
        store.check_items(items, marks)
        store.messages[message.key] = _next(message)
        for item_id in accepted:
            item = store.items.get(item_id)
            if item is not None and item.message_key == message.key and item.accepted_at is None:
                store.items[item_id] = replace(item, accepted_at=require_aware(now))
        store.put_marks(marks)
        store.put_items(items)
        return True

    async def messages(self, limit: int, states: Collection[MessageState] = ()) -> tuple[Message, ...]:
        """List the latest messages, the newest first."""
        await asyncio.sleep(0)
        fit = [message for message in self._store.messages.values() if not states or message.state in states]
        return tuple(sorted(fit, key=lambda message: (message.created_at, message.key), reverse=True)[:limit])

    async def message(self, key: str) -> Message | None:
        """Return a message by its key, or by a beginning of it that no other key has."""
        await asyncio.sleep(0)
        found = [message for message in self._store.messages.values() if message.key.startswith(key)]
        return self._store.messages.get(key) or (found[0] if len(found) == 1 else None)

    async def retry(self, key: str, now: datetime, by: str) -> bool:
        """Make a failed message PENDING and due, with no attempts."""
        await asyncio.sleep(0)
        message = self._store.messages.get(key)
        if message is None or message.state is not MessageState.FAILED:
            return False
        again = replace(message, state=MessageState.PENDING, next_at=require_aware(now), attempts=0, ended_at=None)
        self._store.messages[key] = _next(replace(again, leased_until=None, leased_by=""))
        self._store.trail.extend([entry_of_retry(key, now, by, self._store.trail.length + 1)])
        return True

    async def counts(self) -> tuple[OutboxCount, ...]:
        """Count the unsent messages, sorted by channel."""
        await asyncio.sleep(0)
        unsent: dict[str, list[datetime]] = {}
        for message in self._store.messages.values():
            if message.state in UNSENT:
                unsent.setdefault(message.channel, []).append(message.created_at)
        return tuple(OutboxCount(channel, len(times), min(times)) for channel, times in sorted(unsent.items()))

    async def pause(self, pause: Pause) -> None:
        """Send nothing until it is resumed."""
        self._store.pause = aware(pause)
        await asyncio.sleep(0)

    async def resume(self) -> None:
        """End the pause, if there is one."""
        self._store.pause = None
        await asyncio.sleep(0)

    async def paused(self) -> Pause | None:
        """Return the pause; None if there is none."""
        await asyncio.sleep(0)
        return self._store.pause


Versioned = TypeVar("Versioned", Mark, Message)


def _next(record: Versioned) -> Versioned:
    return replace(record, version=record.version + 1)


def _age(mark: Mark) -> tuple[datetime, str]:
    return mark.marked_at, mark.id


def _is_due(message: Message, now: datetime) -> bool:
    if message.state is MessageState.LEASED:
        return message.leased_until is None or message.leased_until <= now
    return message.state is MessageState.PENDING and message.next_at <= now


def _fits(mark: Mark, query: MarkQuery) -> bool:
    deadline = query.deadline_until
    return (
        (not query.states or mark.state in query.states)
        and query.target in (None, mark.target)
        and (query.owner is None or query.owner.lower() in (mark.owner_id.lower(), mark.owner_name.lower()))
        and (not query.untold or bool(mark.untold))
        and (deadline is None or (mark.deadline is not None and mark.deadline <= deadline))
    )


def _by_owner(mark: Mark) -> tuple[str, str, bool, float, str]:
    deadline = mark.deadline
    return mark.owner_name, mark.owner_id, deadline is None, deadline.timestamp() if deadline else 0.0, mark.id
