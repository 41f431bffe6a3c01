"""The outbox in memory."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.audit.control import entry_of_retry
from nbsweep.core.control.requests import Pause
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import require_aware
from nbsweep.core.notices.outbox import Item, Listed, Message, MessageState, OutboxCount, WaitingItems
from nbsweep.testing.notices.store import UNSENT, NoticeStore, aware, following


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
        store.messages[message.key] = following(message)
        for item_id in item_ids:
            store.items[item_id] = replace(store.items[item_id], message_key=message.key)
        return True

    async def lease(self, now: datetime, until: datetime, by: str, limit: int) -> tuple[Message, ...]:
        """Lease up to `limit` messages that are due."""
        await asyncio.sleep(0)
        due = [message for message in self._store.messages.values() if _is_due(message, now)]
        due.sort(key=lambda message: (message.next_at, message.created_at, message.key))
        leased = [
            following(replace(message, state=MessageState.LEASED, leased_until=require_aware(until), leased_by=by))
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
        store.messages[message.key] = following(message)
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
        self._store.messages[key] = following(replace(again, leased_until=None, leased_by=""))
        self._store.trail.extend([entry_of_retry(key, now, by, 0)])
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


def _is_due(message: Message, now: datetime) -> bool:
    if message.state is MessageState.LEASED:
        return message.leased_until is None or message.leased_until <= now
    return message.state is MessageState.PENDING and message.next_at <= now
