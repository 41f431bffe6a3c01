"""The ports of the journal for marks and for the outbox."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from nbsweep.core.control.requests import Pause
from nbsweep.core.marks.listing import MarkPage, MarkQuery, OwnerMarks, TargetMarkCounts
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.notices.outbox import Item, Listed, Message, MessageState, OutboxCount, WaitingItems


class MarkRecords(Protocol):
    """The marks of all targets. All methods raise JournalError; nothing of a policy with grace may be deleted then."""

    async def open_marks(self, project: str, notebook_ids: Collection[str] | None = None) -> tuple[Mark, ...]:
        """List the open marks of a project, of these notebooks if they are given, the oldest first."""
        ...

    async def marks(
        self, limit: int, states: Collection[MarkState] = (), target: str | None = None, owner: str | None = None
    ) -> tuple[Mark, ...]:
        """List the latest marks, the newest first; `owner` is an id or a name, without regard to case. None matches all."""
        ...

    async def page(self, query: MarkQuery, limit: int, offset: int) -> MarkPage:
        """List `limit` of the marks that match, after the first `offset`.

        They are in the order of their owners' names, of which those of one owner have the earliest deadline first.
        """
        ...

    async def owners(self, now: datetime, target: str | None = None) -> tuple[OwnerMarks, ...]:
        """Count the open marks of each owner, the most marks first; of one target if it is given."""
        ...

    async def targets(self, now: datetime) -> tuple[TargetMarkCounts, ...]:
        """Count the open marks of each target that has any, in any order."""
        ...

    async def marks_of(self, notebook_id: str) -> tuple[Mark, ...]:
        """List the marks of a notebook in all projects, the newest first."""
        ...

    async def mark(self, mark_id: str) -> Mark | None:
        """Return a mark by its id."""
        ...

    async def write(self, marks: Sequence[Mark], items: Sequence[Item] = (), dropped: str = "") -> None:
        """Store new and known marks and new items in one transaction, with the marks' entries in the audit trail.

        Each mark is stored with the next version. An item that is known already stays as it is. If `dropped` is not empty, all
        waiting items of these marks that are not among `items` are dropped for that reason.

        Raises:
            MarksChanged: a mark was written by another process since it was read, or the notebook has another open mark.
                Nothing was stored.
        """
        ...


class OutboxRecords(Protocol):
    """The items and messages of the outbox. All methods raise JournalError."""

    async def waiting(self, now: datetime, limit: int) -> tuple[Listed, ...]:
        """List the waiting items whose `not_before` has come, with their marks, the oldest first."""
        ...

    async def count_waiting(self, now: datetime) -> WaitingItems:
        """Count the waiting items whose `not_before` has come."""
        ...

    async def drop(self, item_ids: Sequence[str], why: str) -> None:
        """Drop waiting items: they will never be sent."""
        ...

    async def compose(self, message: Message, item_ids: Sequence[str]) -> bool:
        """Store a new message, and assign these waiting items to it, in one transaction.

        Return False, and store nothing, if the key is known, if the recipient has a message of that channel and slot, or if one
        of the items is no longer waiting: another process was faster. An operator's message has no items.
        """
        ...

    async def lease(self, now: datetime, until: datetime, by: str, limit: int) -> tuple[Message, ...]:
        """Lease up to `limit` messages that are due: PENDING, or LEASED with a lease that has ended. Return them as stored.

        Two processes never lease the same message at the same time.
        """
        ...

    async def listed(self, message_key: str) -> tuple[Listed, ...]:
        """List the items of a message with their marks, in the order of the marks' creation."""
        ...

    async def items_of(self, notebook_id: str, limit: int) -> tuple[Listed, ...]:
        """List up to `limit` items about a notebook with their marks, the latest `not_before` first."""
        ...

    async def record(
        self,
        message: Message,
        now: datetime,
        accepted: Sequence[str] = (),
        marks: Sequence[Mark] = (),
        items: Sequence[Item] = (),
    ) -> bool:
        """Store the result of an attempt in one transaction: message, accepted items, changed marks with audit, and new items.

        The accepted items of this message are accepted at `now`; one that was accepted before stays as it is.

        Return False, and store nothing, if the message was written by another process since it was leased.

        Raises:
            MarksChanged: a mark was written by another process since it was read; nothing was stored.
        """
        ...

    async def messages(self, limit: int, states: Collection[MessageState] = ()) -> tuple[Message, ...]:
        """List the latest messages, the newest first; without states, all."""
        ...

    async def message(self, key: str) -> Message | None:
        """Return a message by its key, or by a beginning of it that no other key has."""
        ...

    async def retry(self, key: str, now: datetime, by: str) -> bool:
        """Make a failed message PENDING and due, with no attempts; return False if no failed message has this key.

        The audit trail says who did it: `by` is the user, or the token and the interface.
        """
        ...

    async def counts(self) -> tuple[OutboxCount, ...]:
        """Count the unsent messages, sorted by channel."""
        ...

    async def pause(self, pause: Pause) -> None:
        """Send nothing until it is resumed; the pause's target is empty. It replaces an earlier pause."""
        ...

    async def resume(self) -> None:
        """End the pause, if there is one."""
        ...

    async def paused(self) -> Pause | None:
        """Return the pause, also one that has ended by itself; None if there is none."""
        ...
