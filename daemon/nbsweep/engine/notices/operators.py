"""Puts messages for operators into the outbox: once for each cause, until the trouble was over in between."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from nbsweep.core.incidents import Incident, channel_incident, incidents_of, untold_incident
from nbsweep.core.marks.model import MarkState
from nbsweep.core.notices.operators import OperatorEvent
from nbsweep.core.notices.outbox import Message, MessageKind, MessageState
from nbsweep.core.ports import Clock, Journal
from nbsweep.core.report import Report
from nbsweep.engine.notices.recipients import channel_of

MOST_MARKS = 10_000
MOST_MESSAGES = 200


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
        now = self.clock.now()
        success = await self.journal.last_success(report.target)
        await self._tell(incidents_of(report, run_id, now), success.run_id if success else "")
        if self.places.get(OperatorEvent.MARKS_UNTOLD):
            marked = await self.journal.marks.marks(MOST_MARKS, [MarkState.MARKED], report.target)
            untold = untold_incident(marked, report.target, now)
            await self._tell([untold] if untold else [], "")

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
