"""Composes messages: all waiting items of one recipient become one message for each channel and day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from hashlib import sha256

from nbsweep.core.events.outbox import MessageComposed
from nbsweep.core.notices.contacts import NoContact
from nbsweep.core.notices.deadlines import awaits_survey, why_pointless
from nbsweep.core.notices.outbox import ItemKind, Listed, Message, MessageKind
from nbsweep.engine.notices.context import RelayOptions, RelayPorts
from nbsweep.engine.notices.recipients import Recipient, recipient_of_item
from nbsweep.engine.notices.untold import record_untold

MOST_ITEMS = 5000
"""How many waiting items one round takes."""
LOOK_AGAIN_AFTER = timedelta(hours=1)
"""When an owner who could not be found is looked for again."""
A_DAY = timedelta(days=1)
ENDINGS = frozenset({ItemKind.CLEARED, ItemKind.DELETED})
"""Items that do not wait for an owner who cannot be found: nothing depends on them."""
SHORT_KEY = 12


@dataclass(slots=True)
class Composer:
    """Turns waiting items into messages."""

    ports: RelayPorts
    options: RelayOptions
    _later: dict[str, datetime] = field(default_factory=dict)
    """When an item whose recipient was not found is looked at again, by item id."""

    async def compose(self, settled_before: datetime) -> int:
        """Compose a message for each recipient with an item from before a moment; return the number of messages.

        Later items of these recipients go with them: a recipient gets one message a day, with everything in it.

        Raises:
            JournalError: the outbox cannot be read or written.
        """
        now = self.ports.clock.now()
        waiting = [each for each in await self.ports.journal.outbox.waiting(now, MOST_ITEMS) if self._is_due(each, now)]
        groups, untold = await self._grouped(await self._worth_telling(waiting, now), now)
        for why, (listed, passing) in untold.items():
            await record_untold(listed, why, self.ports, self.options, passing=passing)
            if not passing:
                await self.ports.journal.outbox.drop([each.item.id for each in listed if each.item.kind in ENDINGS], why)
        made = 0
        for recipient, listed in groups.values():
            if min(each.item.not_before for each in listed) <= settled_before:
                made += await self._compose(recipient, listed, now)
        return made

    def _is_due(self, listed: Listed, now: datetime) -> bool:
        return self._later.get(listed.item.id, now) <= now

    async def _worth_telling(self, waiting: Sequence[Listed], now: datetime) -> list[Listed]:
        """Drop the items that need not be told any more; return the others, without those that wait for a survey."""
        worth: list[Listed] = []
        pointless: dict[str, list[str]] = {}
        for listed in waiting:
            grace = self.options.grace_of(listed.mark)
            if why := why_pointless(listed, grace, now):
                pointless.setdefault(why, []).append(listed.item.id)
            elif not awaits_survey(listed, grace):
                worth.append(listed)
        for why, ids in pointless.items():
            await self.ports.journal.outbox.drop(ids, why)
        return worth

    async def _grouped(
        self, waiting: Sequence[Listed], now: datetime
    ) -> tuple[Mapping[tuple[str, str], tuple[Recipient, list[Listed]]], Mapping[str, tuple[list[Listed], bool]]]:
        """Return the items of each recipient and channel, and the items without a recipient, by the reason."""
        groups: dict[tuple[str, str], tuple[Recipient, list[Listed]]] = {}
        untold: dict[str, tuple[list[Listed], bool]] = {}
        for listed in waiting:
            found = await recipient_of_item(listed.item, listed.mark, self.ports)
            if isinstance(found, NoContact):
                untold.setdefault(found.why, ([], found.passing))[0].append(listed)
                self._later[listed.item.id] = now + LOOK_AGAIN_AFTER
            else:
                groups.setdefault((found.id, found.channel.name), (found, []))[1].append(listed)
        return groups, untold

    async def _compose(self, recipient: Recipient, listed: Sequence[Listed], now: datetime) -> int:
        """Compose one message; if the recipient already got the message of the day, only what cannot wait goes today."""
        today = now.astimezone(self.options.zone).date()
        if await self._store(recipient, listed, now, today.isoformat()):
            return 1
        tomorrow = datetime.combine(today + timedelta(days=1), time(), self.options.zone)
        self._later |= {each.item.id: tomorrow for each in listed}
        urgent = [each for each in listed if each.item.kind is ItemKind.REMIND and (each.item.deadline or now) <= now + A_DAY]
        return int(bool(urgent) and await self._store(recipient, urgent, now, f"{today.isoformat()} reminder"))

    async def _store(self, recipient: Recipient, listed: Sequence[Listed], now: datetime, slot: str) -> bool:
        ids = sorted(each.item.id for each in listed)
        key = sha256("\n".join((recipient.id, recipient.channel.name, *ids)).encode()).hexdigest()
        message = Message(key, MessageKind.OWNER, recipient.id, recipient.channel.name, now, slot, next_at=now)
        stored = await self.ports.journal.outbox.compose(message, ids)
        if stored:
            self.ports.telemetry.emit(MessageComposed(key[:SHORT_KEY], message.channel, len(ids)))
        return stored
