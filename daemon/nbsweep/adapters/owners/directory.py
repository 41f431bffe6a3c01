"""The chain of `owners`: asks the parts in turn, and takes the first answer."""

from collections.abc import Sequence

from msgspec import Struct

from nbsweep.adapters.owners.parts import FilePart, Part
from nbsweep.core.notices.addresses import is_address
from nbsweep.core.notices.contacts import Contact, NoContact, Owner
from nbsweep.core.reasons.sentences.untold import BETWEEN, UntoldSentence

FALLBACK = "fallback"


class NamedPart(Struct, frozen=True):
    """A part with the key that it has in the configuration."""

    key: str
    part: Part


class Fallback(Struct, frozen=True):
    """The contact for those who cannot be told: an address, the name of a channel, or an owner of the file."""

    value: str
    channels: frozenset[str] = frozenset()
    """The names of the configured channels."""
    files: tuple[FilePart, ...] = ()

    def __repr__(self) -> str:
        """Return the fallback for debugging, without its value, which may be an address."""
        return "Fallback()"

    async def find(self) -> Contact | NoContact:
        """Return the fallback contact."""
        if is_address(self.value):
            return Contact(self.value, FALLBACK)
        if self.value in self.channels:
            return Contact("", FALLBACK, channel=self.value)
        said: list[str] = []
        for file in self.files:
            found = await file.look_up(self.value)
            if isinstance(found, Contact):
                return Contact(found.address, FALLBACK, found.channel, found.language, found.name)
            said.append(found.why)
            if found.passing:
                return NoContact(describe("fallback", said), passing=True)
        return NoContact(describe("fallback", said or [UntoldSentence.BAD_FALLBACK.value]))


class ChainDirectory(Struct, frozen=True):
    """The port `OwnerDirectory` over a chain of parts."""

    parts: Sequence[NamedPart] = ()
    last: Fallback | None = None

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return where an owner is reached, by the first part that answers.

        A part that cannot answer at present ends the search, because a later part might name somebody else.
        """
        said: list[str] = []
        for named in self.parts:
            found = await named.part.find(owner)
            if isinstance(found, Contact):
                return found
            said.append(describe(named.key, [found.why]))
            if found.passing:
                return NoContact(BETWEEN.join(said), passing=True)
        return NoContact(BETWEEN.join(said) or UntoldSentence.NO_PARTS.value)

    async def fallback(self) -> Contact | NoContact:
        """Return the fallback contact."""
        return await self.last.find() if self.last else NoContact(UntoldSentence.NO_FALLBACK.value)


def describe(key: str, said: Sequence[str]) -> str:
    """Return what a part said, with its key."""
    return f"{key}: {BETWEEN.join(said)}"
