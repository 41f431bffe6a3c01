"""Channels, the directory of owners, and the letters, as one relay sees them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from nbsweep.core.notices.channel import Acceptance, Channel, Letter, Receipt
from nbsweep.core.notices.contacts import Contact, NoContact, Owner
from nbsweep.core.notices.digest import Digest, split
from nbsweep.core.notices.operators import OperatorNotice
from nbsweep.core.pacing import Rate
from simulation.people.life import FOR_EVER_S, Life
from simulation.people.scenario import HOUR_S
from simulation.people.truth import Arrival, Shown

if TYPE_CHECKING:
    from simulation.people.world import World

TEAM = "team@example.com"
"""The address of the fallback contact."""
NOBODY_KNOWS = "nobody knows them"
RATE = Rate(1000, 1.0)


def address_of(owner: str) -> str:
    """Return the address of an owner."""
    return f"{owner}@example.com"


@dataclass(slots=True)
class SimulatedChannel:
    """A channel as one process sees it; the other side accepts, fails, hangs and loses answers by the scenario."""

    world: "World"
    life: Life
    name: str
    addressed: bool
    rate: Rate = RATE

    @property
    def trust_unproven(self) -> bool:
        """Whether an acceptance without proof counts."""
        return self.world.scenario.post.trusted

    @property
    def limit_bytes(self) -> int:
        """The size of a part."""
        return self.world.scenario.post.limit_bytes

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the text."""
        return len(letter.text)

    async def send(self, letter: Letter) -> Receipt:
        """Send a letter; the judge learns what truly happens."""
        if self.life.dead:
            await asyncio.sleep(FOR_EVER_S)
        sent = self.world.judge.sends(self._arrival(letter))
        receipt = await self._answer(letter, sent)
        if self.life.dead:
            await asyncio.sleep(FOR_EVER_S)
        counts = receipt.acceptance is Acceptance.ACCEPTED
        sent.counts = counts or (receipt.acceptance is Acceptance.UNPROVEN and self.trust_unproven)
        self.world.judge.answered(sent, receipt)
        return receipt

    def _arrival(self, letter: Letter) -> Arrival:
        lines = tuple(shown_of(line) for line in letter.text.splitlines())
        return Arrival(letter.key.partition("-")[0], self.name, letter.to, lines, self.world.now(), self.life.number)

    async def _answer(self, letter: Letter, sent: Arrival) -> Receipt:
        habits, random = self.world.scenario.post, self.world.chance
        await asyncio.sleep(random.uniform(0.05, 3))
        if not self.world.calm:
            if failure := self.world.channel_failure(letter):
                return failure
            if random.random() < habits.jumps:
                self.world.jump_for_a_while()
            if random.random() < habits.hangs:
                await asyncio.sleep(random.uniform(1, 48) * HOUR_S)
                return Receipt(Acceptance.LATER, "no answer")
            if random.random() < habits.slow:
                await asyncio.sleep(random.uniform(0.01, 10) * HOUR_S)
        return self._accept(sent)

    def _accept(self, sent: Arrival) -> Receipt:
        habits, random = self.world.scenario.post, self.world.chance
        if habits.unproven and self.addressed and not self.world.calm:
            if habits.trusted:
                self.world.judge.arrives(sent)
            return Receipt(Acceptance.UNPROVEN, "no sign of an error")
        self.world.judge.arrives(sent)
        if not self.world.calm and random.random() < habits.lost:
            return Receipt(Acceptance.LATER, "the answer was lost")
        if not self.world.calm and random.random() < habits.crash:
            self.world.crash(self.life, "after a channel accepted a letter")
        return Receipt(Acceptance.ACCEPTED, "250 ok")


@dataclass(slots=True)
class SimulatedDirectory:
    """The owners' directory as one process sees it."""

    world: "World"
    life: Life

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return where an owner is reached."""
        await self.life.pass_time()
        world, habits = self.world, self.world.scenario.post
        if not world.calm and world.chance.random() < habits.passing:
            return NoContact("the directory is busy", passing=True)
        if not world.calm and owner.name in habits.unknown and world.loop.time() < habits.known_from_s:
            world.judge.unreachable(owner.name)
            return NoContact(NOBODY_KNOWS)
        return Contact(address_of(owner.name), "domain")

    async def fallback(self) -> Contact | NoContact:
        """Return the fallback contact."""
        await self.life.pass_time()
        return Contact(TEAM, "fallback") if self.world.scenario.post.fallback else NoContact("there is no fallback")


class TableRenderer:
    """Renders each item as one line that the judge can read."""

    def letters(self, digest: Digest, channel: Channel, to: str = "") -> Sequence[tuple[Letter, tuple[str, ...]]]:
        """Return a digest as letters that the channel accepts."""
        parts = split(digest, lambda part: channel.size_bytes(_letter(part, to)) <= channel.limit_bytes)
        return [(_letter(part, to), part.item_ids) for part in parts]

    def operator_letter(self, notice: OperatorNotice, key: str, channel: Channel, to: str = "") -> Letter:  # noqa: ARG002  # the port's signature
        """Return an event as one letter."""
        return Letter(key, notice.event, "", to=to)


def _letter(digest: Digest, to: str) -> Letter:
    lines = [
        f"{line.kind} {line.item_id} {line.name} {line.deadline.isoformat() if line.deadline else '-'}" for line in digest.lines
    ]
    part = sha256(" ".join(sorted(digest.item_ids)).encode()).hexdigest()[:12]
    return Letter(f"{digest.key}-{part}", f"{len(lines)} notebooks", "\n".join(lines), to=to)


def shown_of(line: str) -> Shown:
    """Return a line of a letter, as its reader understands it."""
    kind, item, name, deadline = line.split(" ")
    return Shown(kind, item, name, None if deadline == "-" else datetime.fromisoformat(deadline))
