"""Sends one leased message, part by part, and records after each part what was told.

The deadlines that a message promises are in the journal before the message leaves, so that no crash can make a deadline
earlier than one that somebody has read.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from nbsweep.core.calendar.length import before
from nbsweep.core.errors import MarksChanged
from nbsweep.core.events.marks import MarkTold
from nbsweep.core.events.outbox import MessageDelayed, MessageFailed, MessageSent
from nbsweep.core.marks.grace import OWNER
from nbsweep.core.marks.model import Mark, MarkState, promise, tell
from nbsweep.core.notices.channel import Acceptance, Letter, Receipt
from nbsweep.core.notices.contacts import NoContact
from nbsweep.core.notices.deadlines import awaits_survey, deadline_to_write, why_pointless
from nbsweep.core.notices.digest import Audience, Digest, to_line
from nbsweep.core.notices.operators import OperatorNotice
from nbsweep.core.notices.outbox import Item, ItemKind, Listed, Message, MessageKind, MessageState, ending_items, item_id
from nbsweep.core.notices.retry import next_attempt
from nbsweep.engine.notices.context import RelayOptions, RelayPorts
from nbsweep.engine.notices.recipients import FALLBACK, Recipient, find_recipient
from nbsweep.engine.notices.untold import record_untold

LEASE = timedelta(minutes=5)
"""How long a relay has to send a part and to record it; then another relay may send it again."""
SHORT_KEY = 12
ATTEMPTS = 5
"""How often marks are read again because another process has written one of them."""
MARKS_CHANGED = "its marks were written by another process; it is sent again"
POLICY_CHANGED = Receipt(
    Acceptance.LATER,
    "its policies were edited; the next survey decides what the owner is told",
    retry_after=timedelta(hours=1),
    attempted=False,
)
NO_PROOF = "the channel does not prove that it has accepted the message; trust_unproven: true lets that count"


@dataclass(slots=True)
class Sent:
    """What a relay has done so far."""

    messages: int = 0
    """Messages that a channel has accepted as a whole."""
    not_accepted: int = 0
    """Attempts that were not accepted."""
    told: int = 0
    """Marks whose owners were told."""


@dataclass(slots=True)
class Sender:
    """Sends leased messages."""

    ports: RelayPorts
    options: RelayOptions
    share: Callable[[], float]
    """Returns a random number from 0 to 1, by which delays differ."""
    sent: Sent = field(default_factory=Sent)

    async def send(self, message: Message) -> None:
        """Send a message that this relay has leased, and record the result.

        Raises:
            JournalError: the result cannot be recorded. The lease then ends by itself, and the message is sent again with the
                same key.
        """
        if message.kind is MessageKind.OPERATOR:
            await self._send_to_operators(message)
            return
        now = self.ports.clock.now()
        every = [each for each in await self.ports.journal.outbox.listed(message.key) if each.item.accepted_at is None]
        left = [each for each in every if not why_pointless(each, self.options.grace_of(each.mark), now)]
        listed = [each for each in left if not awaits_survey(each, self.options.grace_of(each.mark))]
        if not left:
            await self._end(message, MessageState.SENT, "nothing in it needs to be told any more", 0)
            return
        if not listed:
            await self._not_accepted(message, left, POLICY_CHANGED)
            return
        recipient = await find_recipient(message.recipient, [each.mark for each in listed], self.ports)
        if isinstance(recipient, NoContact):
            await self._not_accepted(message, listed, _no_contact(recipient))
        else:
            await self._send_parts(message, recipient, listed)

    # ---- the parts of a message for an owner --------------------------------------------------------------------------------

    async def _send_parts(self, message: Message, recipient: Recipient, listed: Sequence[Listed]) -> None:
        try:
            message, listed = await self._promised(message, listed)
        except MarksChanged:
            await self._not_accepted(message, listed, Receipt(Acceptance.LATER, MARKS_CHANGED, attempted=False))
            return
        parts = self.ports.renderer.letters(self._digest(message, recipient, listed), recipient.channel, recipient.address)
        by_id = {each.item.id: each for each in listed}
        for letter, item_ids in parts:
            receipt = await recipient.channel.send(letter)
            if not _counts(receipt, trusted=recipient.channel.trust_unproven):
                left = [each for each in by_id.values() if each.item.id not in _sent_before(parts, letter)]
                await self._not_accepted(message, left, receipt)
                return
            # The owner may be told by another channel than when the message was composed.
            proof = f"{recipient.channel.name}: {receipt.detail or receipt.acceptance}"
            message = await self._accepted(message, [by_id[each] for each in item_ids], proof)
        await self._end(message, MessageState.SENT, message.proof, len(listed))

    async def _promised(self, message: Message, listed: Sequence[Listed]) -> tuple[Message, Sequence[Listed]]:
        """Write the deadlines that the message will promise; return the message and its items as stored.

        Raises:
            MarksChanged: other messages or surveys write the marks all the time, or another process has taken the message.
        """
        for _ in range(ATTEMPTS - 1):
            with suppress(MarksChanged):
                return await self._promised_once(message, listed)
            listed = await self._read_again(listed)
        return await self._promised_once(message, listed)

    async def _promised_once(self, message: Message, listed: Sequence[Listed]) -> tuple[Message, Sequence[Listed]]:
        now = self.ports.clock.now()
        written = {each.mark.id: self._with_deadline(each, now) for each in listed if each.item.kind is ItemKind.ANNOUNCE}
        changed = [each for each in written.values() if each not in [before.mark for before in listed]]
        leased = replace(message, leased_until=now + LEASE)
        if not await self.ports.journal.outbox.record(leased, now, marks=changed):
            raise MarksChanged(f"message {message.key[:SHORT_KEY]} was taken by another process")
        stored = {mark.id: replace(mark, version=mark.version + 1) for mark in changed}
        promised = [replace(each, mark=stored.get(each.mark.id, each.mark)) for each in listed]
        return replace(leased, version=leased.version + 1), promised

    def _with_deadline(self, listed: Listed, now: datetime) -> Mark:
        grace = self.options.grace_of(listed.mark)
        return promise(listed.mark, deadline_to_write(listed.mark, grace, now)) if grace else listed.mark

    def _digest(self, message: Message, recipient: Recipient, listed: Sequence[Listed]) -> Digest:
        lines = [to_line(each, each.mark.deadline, *(self._link(each, recipient) or ())) for each in listed]
        return Digest(
            key=message.key,
            audience=recipient.audience,
            recipient=recipient.label,
            languages=(recipient.language,) if recipient.language else self.options.languages,
            zone=self.options.zone.key,
            lines=tuple(lines),
            page_url=self.options.page_url,
        )

    def _link(self, listed: Listed, recipient: Recipient) -> tuple[str, datetime] | None:
        """Return the link to keep a notebook; only its owner gets one, because the exemption is on record as theirs."""
        offered = recipient.audience is Audience.OWNER and listed.item.kind in (ItemKind.ANNOUNCE, ItemKind.REMIND)
        return self.ports.keep_link(listed.mark) if offered else None

    async def _accepted(self, message: Message, listed: Sequence[Listed], proof: str) -> Message:
        """Record that a part was accepted: its marks are told, and reminders are due. Return the message as stored."""
        now = self.ports.clock.now()
        accepted = replace(message, proof=proof, leased_until=now + LEASE)
        ids = [each.item.id for each in listed]
        for _ in range(ATTEMPTS):
            marks, items = self._told(listed, proof, now)
            try:
                recorded = await self.ports.journal.outbox.record(accepted, now, ids, marks, items)
            except MarksChanged:
                # A survey has written a mark since: what it says now decides what the owner hears next.
                listed = await self._read_again(listed)
                continue
            if recorded:
                self._emit_told(marks, message.channel)
                return replace(accepted, version=accepted.version + 1)
            break
        raise MarksChanged(f"message {message.key[:SHORT_KEY]} was sent, and another process has taken it meanwhile")

    async def _read_again(self, listed: Sequence[Listed]) -> list[Listed]:
        marks = [await self.ports.journal.marks.mark(each.mark.id) for each in listed]
        return [replace(each, mark=mark or each.mark) for each, mark in zip(listed, marks, strict=True)]

    def _told(self, listed: Sequence[Listed], proof: str, now: datetime) -> tuple[list[Mark], list[Item]]:
        """Return the marks that an accepted part tells, and the items that follow: reminders, or that a mark was cleared."""
        marks: list[Mark] = []
        items: list[Item] = []
        for each in listed:
            item, mark = each.item, each.mark
            if item.kind is not ItemKind.ANNOUNCE:
                continue
            if not mark.open:
                # It was cleared while the message was on its way; the owner has just read that it will be deleted.
                items += ending_items(mark, now, item.tell)
            elif mark.state is MarkState.MARKED and _reaches_owner(item, mark):
                told = tell(mark, now, proof, clock_verified=self.ports.is_clock_verified(), place=item.tell)
                marks.append(told)
                items += self._reminder(told, item)
        return marks, items

    def _reminder(self, mark: Mark, item: Item) -> list[Item]:
        grace = self.options.grace_of(mark)
        remind = grace.remind if grace else None
        if remind is None or mark.deadline is None:
            return []
        occasion = mark.deadline.isoformat()
        reminder = item_id(ItemKind.REMIND, mark.id, item.tell, occasion)
        return [Item(reminder, ItemKind.REMIND, mark.id, item.tell, before(mark.deadline, remind), mark.deadline)]

    def _emit_told(self, marks: Sequence[Mark], channel: str) -> None:
        self.sent.told += len(marks)
        for mark in marks:
            self.ports.telemetry.emit(MarkTold(mark.notebook_id, mark.policy, channel, mark.deadline))

    # ---- a message for operators ---------------------------------------------------------------------------------------------

    async def _send_to_operators(self, message: Message) -> None:
        recipient = await find_recipient(message.recipient, [], self.ports)
        if isinstance(recipient, NoContact):
            await self._not_accepted(message, [], _no_contact(recipient))
            return
        notice = msgspec.json.decode(message.document, type=OperatorNotice)
        letter = self.ports.renderer.operator_letter(notice, message.key, recipient.channel, recipient.address)
        receipt = await recipient.channel.send(letter)
        # Nothing is deleted because operators were told, so that an unproven acceptance is enough.
        if _counts(receipt, trusted=True):
            await self._end(message, MessageState.SENT, f"{message.channel}: {receipt.detail or receipt.acceptance}", 0)
        else:
            await self._not_accepted(message, [], receipt)

    # ---- ends ----------------------------------------------------------------------------------------------------------------

    async def _end(self, message: Message, state: MessageState, proof: str, items: int) -> None:
        attempts = message.attempts + 1
        ended = replace(
            message, state=state, proof=proof, attempts=attempts, ended_at=self.ports.clock.now(), leased_until=None
        )
        if await self.ports.journal.outbox.record(ended, self.ports.clock.now()):
            sent = MessageSent(message.key[:SHORT_KEY], message.channel, message.kind, items, attempts, proof)
            self.ports.telemetry.emit(sent)
            self.sent.messages += 1

    async def _not_accepted(self, message: Message, listed: Sequence[Listed], receipt: Receipt) -> None:
        """Record a failed attempt: the message is sent again later, or it has failed and its owners are untold."""
        now = self.ports.clock.now()
        attempts = message.attempts + int(receipt.attempted)
        unproven = receipt.acceptance is Acceptance.UNPROVEN
        final = receipt.acceptance is Acceptance.REFUSED or unproven
        next_at = None if final else next_attempt(attempts, receipt, now, self.share())
        problem = NO_PROOF if unproven else receipt.detail or receipt.acceptance.value
        after = replace(message, attempts=attempts, problem=problem, leased_until=None)
        if next_at is None:
            after = replace(after, state=MessageState.FAILED, ended_at=now)
        else:
            after = replace(after, state=MessageState.PENDING, next_at=next_at)
        if await self.ports.journal.outbox.record(after, now):
            self._emit_failure(after, next_at)
            self.sent.not_accepted += receipt.attempted
            if receipt.acceptance is Acceptance.MISCONFIGURED and receipt.attempted:
                await self.ports.on_channel_failed(message.channel, problem)
            if receipt.attempted and listed:
                passing = next_at is not None
                await record_untold(listed, f"{message.channel}: {problem}", self.ports, self.options, passing=passing)

    def _emit_failure(self, message: Message, next_at: datetime | None) -> None:
        place = (message.key[:SHORT_KEY], message.channel, message.kind.value, message.attempts)
        if next_at is None:
            self.ports.telemetry.emit(MessageFailed(*place, message.problem))
        else:
            self.ports.telemetry.emit(MessageDelayed(*place, next_at, message.problem))


def _reaches_owner(item: Item, mark: Mark) -> bool:
    """Return whether an accepted item tells who is to be told: a group does not count if the policy also tells the owner."""
    return item.tell in (OWNER, FALLBACK) or OWNER not in mark.tell


def _counts(receipt: Receipt, *, trusted: bool) -> bool:
    """Return whether a receipt counts as told."""
    return receipt.acceptance is Acceptance.ACCEPTED or (receipt.acceptance is Acceptance.UNPROVEN and trusted)


def _no_contact(found: NoContact) -> Receipt:
    return Receipt(Acceptance.LATER if found.passing else Acceptance.REFUSED, found.why)


def _sent_before(parts: Sequence[tuple[Letter, tuple[str, ...]]], letter: Letter) -> frozenset[str]:
    """Return the ids of the items in the parts before a letter."""
    position = next(number for number, (each, _) in enumerate(parts) if each.key == letter.key)
    return frozenset(item for _, ids in parts[:position] for item in ids)
