"""The outbox: items that are to be told, and the messages that list them.

A survey writes items in the transaction of their marks. The relay composes the items of one recipient into a message, leases
it, sends it, and records the result with the marks, in one transaction each.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct

from nbsweep.core.marks.model import Mark, MarkState

MARK_CLEARED = "its mark was cleared"
NOTEBOOK_DELETED = "the notebook was deleted"
MARK_ENDED = "its mark has ended"
DEADLINE_MOVED = "its deadline was moved"
DEADLINE_PASSED = "its deadline has passed"
"""Why items are dropped, in the words that are recorded."""


class ItemKind(StrEnum):
    """What an item says about its mark."""

    ANNOUNCE = "announce"
    """The notebook will be deleted after the deadline."""
    REMIND = "remind"
    CLEARED = "cleared"
    """The deletion that was announced will not take place."""
    DELETED = "deleted"


class Item(Struct, frozen=True):
    """One line of a message about one mark; also one row of the journal."""

    id: str
    """A digest of the kind, the mark, the place and the occasion, so that the same item is never written twice."""
    kind: ItemKind
    mark_id: str
    tell: str
    """`owner`, or the name of a channel."""
    not_before: datetime
    deadline: datetime | None = None
    """The deadline that a reminder is about; a reminder of another deadline is dropped."""
    message_key: str = ""
    """The message that lists the item; empty until it is composed."""
    accepted_at: datetime | None = None
    dropped: str = ""
    """Why the item will never be sent; empty if it may be."""

    @property
    def waiting(self) -> bool:
        """Return whether the item is in no message yet, and may still be sent."""
        return not self.message_key and not self.dropped


def item_id(kind: ItemKind, mark_id: str, tell: str, occasion: str = "") -> str:
    """Return the id of an item; `occasion` tells apart items that are sent more than once, such as reminders by deadline."""
    return sha256(f"{kind.value}\n{mark_id}\n{tell}\n{occasion}".encode()).hexdigest()[:24]


def ending_items(mark: Mark, now: datetime, *others: str) -> Iterator[Item]:
    """Yield an item about the end of a told mark for each place that was told; `others` were told besides."""
    kind = ItemKind.DELETED if mark.state is MarkState.REMOVED else ItemKind.CLEARED
    for place in dict.fromkeys((*mark.tell, *others)):
        yield Item(item_id(kind, mark.id, place), kind, mark.id, place, now)


class MessageKind(StrEnum):
    """Who a message is for."""

    OWNER = "owner"
    """A digest of items for an owner, for the fallback contact, or for the place of a channel."""
    OPERATOR = "operator"
    """An event for operators, by `notify`."""


class MessageState(StrEnum):
    """The state of a message."""

    PENDING = "PENDING"
    LEASED = "LEASED"
    """A relay is sending it; after the lease another relay may."""
    SENT = "SENT"
    """The channel has accepted all of it."""
    FAILED = "FAILED"
    """It was refused, or not accepted within the time for attempts."""


class Message(Struct, frozen=True):
    """One message of the outbox; also one row of the journal. It holds no address and no text that is sent."""

    key: str
    """Unique, and the same in all attempts: a digest of what the message says and to whom."""
    kind: MessageKind
    recipient: str
    """`owner:KEY`, `fallback`, or `channel:NAME`."""
    channel: str
    created_at: datetime
    slot: str
    """A recipient gets one message for each channel and slot: the day, or for an operator's message its key."""
    next_at: datetime
    """When the next attempt is due."""
    state: MessageState = MessageState.PENDING
    document: str = ""
    """The event of an operator's message as JSON; empty for an owner's message, whose items are in the outbox."""
    attempts: int = 0
    leased_until: datetime | None = None
    leased_by: str = ""
    ended_at: datetime | None = None
    proof: str = ""
    """What the other side said when it accepted the message."""
    problem: str = ""
    """The result of the last failed attempt."""
    version: int = 0
    """How often the message was written before; see `Mark.version`."""


class Listed(Struct, frozen=True):
    """An item with its mark."""

    item: Item
    mark: Mark


class WaitingItems(Struct, frozen=True):
    """The waiting items whose time has come: no message lists them yet."""

    count: int = 0
    oldest_at: datetime | None = None
    """Since when the first of them waits; None if there is none."""


class OutboxCount(Struct, frozen=True):
    """The unsent messages of one channel."""

    channel: str
    pending: int
    oldest_at: datetime
