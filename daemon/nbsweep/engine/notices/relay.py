"""The relay: composes messages and sends what is due, round by round."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import SystemRandom

import anyio

from nbsweep.core.errors import NbsweepError
from nbsweep.core.events.outbox import OutboxCounted, RelayFailed
from nbsweep.core.notices.outbox import Message
from nbsweep.engine.notices.composer import Composer
from nbsweep.engine.notices.context import RelayOptions, RelayPorts
from nbsweep.engine.notices.sender import LEASE, Sender, Sent
from nbsweep.engine.report import describe_bug

AT_ONCE = 8
"""How many messages are sent at the same time; each channel keeps to its own rate."""
QUIET_ROUNDS = 2
"""After so many rounds without a message a run ends: a round may find that the fallback is told, and the next one tells it."""
ROUND_S = 15.0
"""The time between two rounds of a service, in seconds."""
SETTLES = timedelta(minutes=10)
"""How long a service waits for further items of a recipient: other targets may be swept at the same time."""


@dataclass(slots=True)
class Relay:
    """Sends the messages of one journal. Several relays may share a journal: each message is leased by one of them."""

    ports: RelayPorts
    options: RelayOptions
    share: Callable[[], float] = SystemRandom().random
    """Returns a random number from 0 to 1, by which delays differ."""
    _composer: Composer = field(init=False)
    _sender: Sender = field(init=False)

    def __post_init__(self) -> None:
        """Build the parts."""
        self._composer = Composer(self.ports, self.options)
        self._sender = Sender(self.ports, self.options, self.share)

    async def run(self) -> None:
        """Work until cancelled; an outage of the journal is reported, and survived."""
        while True:
            await self.round(SETTLES)
            await self.count()
            await anyio.sleep(ROUND_S)

    async def round(self, settles: timedelta = timedelta(0)) -> int:
        """Compose and send what is due; return how many messages were tried. While sending is paused, nothing leaves."""
        try:
            pause = await self.ports.journal.outbox.paused()
            if pause is not None and pause.in_force(self.ports.clock.now()):
                return 0
            await self._composer.compose(self.ports.clock.now() - settles)
            return await self._send_due()
        except NbsweepError as error:
            self.ports.telemetry.emit(RelayFailed(str(error)))
            return 0

    async def count(self) -> None:
        """Emit how many messages are unsent; an outage of the journal is survived, as in a round."""
        now, outbox = self.ports.clock.now(), self.ports.journal.outbox
        try:
            counts, pause, waiting = await outbox.counts(), await outbox.paused(), await outbox.count_waiting(now)
        except NbsweepError as error:
            self.ports.telemetry.emit(RelayFailed(str(error)))
            return
        pending = {count.channel: count.pending for count in counts}
        oldest_s = {count.channel: (now - count.oldest_at).total_seconds() for count in counts}
        self.ports.telemetry.emit(OutboxCounted(pending, oldest_s, pause is not None and pause.in_force(now), waiting.count))

    @property
    def sent(self) -> Sent:
        """What this relay has done so far."""
        return self._sender.sent

    async def finish(self, within_s: float) -> None:
        """Compose and send everything that is due, as the end of a run does; messages that have to wait stay in the outbox."""
        with anyio.move_on_after(within_s):
            quiet = 0
            while quiet < QUIET_ROUNDS:
                quiet = 0 if await self.round() else quiet + 1

    async def _send_due(self) -> int:
        now = self.ports.clock.now()
        leased = await self.ports.journal.outbox.lease(now, now + LEASE, self.options.by, AT_ONCE)
        async with anyio.create_task_group() as group:
            for message in leased:
                group.start_soon(self._send, message, name=f"message to {message.channel}")
        return len(leased)

    async def _send(self, message: Message) -> None:
        """Send one message. After an error its lease ends by itself, and it is sent again with the same key."""
        try:
            await self._sender.send(message)
        except NbsweepError as error:
            self.ports.telemetry.emit(RelayFailed(str(error)))
        except Exception as bug:  # noqa: BLE001  # a bug in one message, such as in a template, must not stop the others
            self.ports.telemetry.emit(RelayFailed(f"a bug in nbsweep: {describe_bug(bug)}"))
