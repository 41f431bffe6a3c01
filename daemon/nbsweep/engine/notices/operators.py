"""Puts messages for operators into the outbox: once for each cause, until the trouble was over in between."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from nbsweep.core.incidents import Incident, channel_incident, incidents_of, untold_incident
from nbsweep.core.marks.model import MarkState
from nbsweep.core.notices.operators import OperatorEvent, OperatorNotice, UntoldOwner
from nbsweep.core.notices.outbox import Message, MessageKind, MessageState
from nbsweep.core.ports import Clock, Journal
from nbsweep.core.report import Report
from nbsweep.engine.notices.recipients import channel_of

MOST_MARKS = 10_000
MOST_MESSAGES = 200
MOST_REMEMBERED = 2000
"""How many of the latest messages are searched for what operators know already."""
TRIED_FOR = timedelta(hours=6)
"""How long a message to an owner is tried before operators are told that the owner cannot be told."""


@dataclass(slots=True, frozen=True)
class OperatorNotices:
    """Tells operators of troubles, at the places that `notify` names for each event."""

    journal: Journal
    clock: Clock
    places: Mapping[OperatorEvent, Sequence[str]]
    """For each event the recipients: `channel:NAME`, or `operators:NAME` for a channel that takes addresses."""

    async def tell_of_sweep(self, report: Report, run_id: str) -> None:
        """Tell of the troubles of a sweep, and of the target's owners who could not be told.

        Raises:
            JournalError: the outbox cannot be written.
        """
        await self.tell_of_troubles(report, run_id)
        await self.tell_of_untold(report.target)

    async def tell_of_troubles(self, report: Report, run_id: str) -> None:
        """Tell of the troubles of a sweep.

        Raises:
            JournalError: the outbox cannot be written.
        """
        success = await self.journal.last_success(report.target)
        await self._tell(incidents_of(report, run_id, self.clock.now()), success.run_id if success else "")

    async def tell_of_untold(self, target: str) -> None:
        """Tell of a target's owners who could not be told; again only if there is one among them of whom nobody has heard.

        Raises:
            JournalError: the outbox cannot be read or written.
        """
        places = self.places.get(OperatorEvent.MARKS_UNTOLD, ())
        marked = await self.journal.marks.marks(MOST_MARKS, [MarkState.MARKED], target) if places else ()
        if not any(mark.untold for mark in marked):
            return
        tried = await self._still_tried()
        incident = untold_incident([mark for mark in marked if mark.id not in tried], target, self.clock.now())
        if incident is None:
            return
        untold = {_apart_from_count(owner) for owner in incident.notice.owners}
        for place in places:
            if not untold <= await self._known_untold(place, target):
                await self._store(incident, place, incident.key(place, ""))

    async def _still_tried(self) -> frozenset[str]:
        """Return the ids of marks whose messages were not accepted yet, and are sent again soon."""
        unsent = await self.journal.outbox.messages(MOST_REMEMBERED, [MessageState.PENDING, MessageState.LEASED])
        since = self.clock.now() - TRIED_FOR
        keys = [each.key for each in unsent if each.kind is MessageKind.OWNER and each.created_at > since]
        return frozenset([each.mark.id for key in keys for each in await self.journal.outbox.listed(key)])

    async def _known_untold(self, place: str, target: str) -> set[UntoldOwner]:
        """Return the owners in the latest message about owners of a target who could not be told."""
        for message in await self.journal.outbox.messages(MOST_REMEMBERED):
            if message.kind is MessageKind.OPERATOR and message.recipient == place and message.state is not MessageState.FAILED:
                notice = msgspec.json.decode(message.document, type=OperatorNotice)
                if (notice.event, notice.target) == (OperatorEvent.MARKS_UNTOLD, target):
                    return {_apart_from_count(owner) for owner in notice.owners}
        return set()

    async def tell_of_channel(self, channel: str, problem: str) -> None:
        """Tell of a channel that refuses all messages; again only after it has accepted one in between."""
        sent = await self.journal.outbox.messages(MOST_MESSAGES, [MessageState.SENT])
        since = next((message.key for message in sent if message.channel == channel), "")
        await self._tell([channel_incident(channel, problem, self.clock.now())], since, but=channel)

    async def _tell(self, incidents: Iterable[Incident], since: str, *, but: str = "") -> None:
        for incident in incidents:
            for place in self.places.get(incident.notice.event, ()):
                if channel_of(place) != but:
                    await self._store(incident, place, incident.key(place, since))

    async def _store(self, incident: Incident, place: str, key: str) -> None:
        now, document = self.clock.now(), msgspec.json.encode(incident.notice).decode()
        message = Message(key, MessageKind.OPERATOR, place, channel_of(place), now, key, next_at=now, document=document)
        await self.journal.outbox.compose(message, [])


def _apart_from_count(owner: UntoldOwner) -> UntoldOwner:
    return replace(owner, notebooks=0)
