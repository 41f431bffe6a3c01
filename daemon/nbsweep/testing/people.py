"""Channels, an owners' directory and a renderer in memory, which do what a test tells them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nbsweep.core.notices.channel import Acceptance, Channel, Letter, Receipt
from nbsweep.core.notices.contacts import Contact, NoContact, Owner
from nbsweep.core.notices.digest import Digest, split
from nbsweep.core.notices.operators import OperatorNotice
from nbsweep.core.pacing import Rate

NO_FALLBACK = NoContact("there is no fallback")
ACCEPTED = Receipt(Acceptance.ACCEPTED, "ok")


@dataclass(slots=True)
class ScriptedChannel:
    """A channel whose other side answers as a function says; it records each letter that reached it."""

    name: str = "mail"
    addressed: bool = True
    trust_unproven: bool = False
    rate: Rate = Rate(1000, 1.0)  # noqa: RUF009  # frozen
    limit_bytes: int = 1_000_000
    answer: Callable[[Letter], Receipt] = lambda _: ACCEPTED
    letters: list[Letter] = field(default_factory=list)

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the text."""
        return len(letter.text.encode())

    async def send(self, letter: Letter) -> Receipt:
        """Record the letter, and return the scripted answer."""
        await asyncio.sleep(0)
        self.letters.append(letter)
        receipt = self.answer(letter)
        await asyncio.sleep(0)
        return receipt


@dataclass(slots=True)
class KnownOwners:
    """A directory that knows some owners by id or name."""

    contacts: Mapping[str, Contact | NoContact] = field(default_factory=dict)
    otherwise: Contact | NoContact | None = None
    """The answer for all others; None for an address that is made of the owner's name."""
    standby: Contact | NoContact = NO_FALLBACK
    tag: str = ""
    """The tag that names a contact before anything else does; empty for none."""

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return the contact of an owner."""
        await asyncio.sleep(0)
        if address := owner.tags.get(self.tag):
            return Contact(address, "tag")
        known = self.contacts.get(owner.id) or self.contacts.get(owner.name) or self.otherwise
        return known or Contact(f"{owner.name or owner.id}@example.com", "domain")

    async def fallback(self) -> Contact | NoContact:
        """Return the fallback contact."""
        await asyncio.sleep(0)
        return self.standby


class PlainRenderer:
    """Renders each item of a digest as one line: its kind, the notebook's id and the deadline."""

    def letters(self, digest: Digest, channel: Channel, to: str = "") -> Sequence[tuple[Letter, tuple[str, ...]]]:
        """Return a digest as letters that the channel accepts."""
        parts = split(digest, lambda part: channel.size_bytes(_letter(part, to)) <= channel.limit_bytes)
        return [(_letter(part, to), part.item_ids) for part in parts]

    def operator_letter(self, notice: OperatorNotice, key: str, channel: Channel, to: str = "") -> Letter:  # noqa: ARG002  # the port's signature
        """Return an event as one letter."""
        return Letter(key, notice.event, f"{notice.event} {notice.target}: {notice.problem}", to=to)


def _letter(digest: Digest, to: str) -> Letter:
    lines = [f"{line.kind} {line.notebook_id} {line.deadline.isoformat() if line.deadline else '-'}" for line in digest.lines]
    return Letter(f"{digest.key}-{'-'.join(sorted(digest.item_ids))}", f"{len(lines)} notebooks", "\n".join(lines), to=to)
