"""The parts of the chain that need no network. Each answers for itself; `directory.py` asks them in turn."""

from typing import Protocol

from msgspec import Struct

from nbsweep.adapters.owners.file import FileReader
from nbsweep.core.notices.addresses import address_of, comparable, is_address
from nbsweep.core.notices.contacts import Contact, NoContact, Owner
from nbsweep.core.reasons.sentences.untold import UntoldSentence


class Part(Protocol):
    """One part of `owners`."""

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return where an owner is reached. `NoContact.why` says what the part found, without addresses."""
        ...


class FilePart(Struct, frozen=True):
    """The owners' file."""

    reader: FileReader

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return the contact that the file has for the id or the name of an owner."""
        return await self.look_up(owner.id, owner.name)

    async def look_up(self, *names: str) -> Contact | NoContact:
        """Return the contact that the file has for an owner with these names or ids."""
        file = await self.reader.current()
        keys = {comparable(name) for name in names if name.strip()}
        found = [file.entries[key] for key in keys if key in file.entries]
        if len({entry.line for entry in found}) > 1:
            first, second = sorted(entry.line for entry in found)
            return self._cannot_answer(f"lines {first} and {second} are about the same owner, by name and by id; keep one")
        if not keys & file.doubtful and found:
            return found[0].contact
        if file.mistakes:
            return self._cannot_answer(file.describe_mistakes())
        said = UntoldSentence.NOT_NAMED.format(file=self.reader.path) if keys else UntoldSentence.OWNER_UNKNOWN.value
        return NoContact(said)

    def _cannot_answer(self, why: str) -> NoContact:
        return NoContact(UntoldSentence.UNRELIABLE_FILE.format(file=self.reader.path, why=why), passing=True)


class TagPart(Struct, frozen=True):
    """A tag of the notebook."""

    key: str

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return the address in the tag."""
        value = owner.tags.get(self.key)
        if value is None or not value.strip():
            return NoContact(UntoldSentence.NO_TAG.format(tag=self.key))
        if not is_address(value.strip()):
            return NoContact(UntoldSentence.TAG_IS_NO_ADDRESS.format(tag=self.key))
        return Contact(value.strip(), "tag")


class DomainPart(Struct, frozen=True):
    """The domain at which each owner has a mailbox of their name."""

    domain: str

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return the owner's name at the domain."""
        if not owner.name:
            return NoContact(UntoldSentence.NAME_UNKNOWN.value)
        address = address_of(owner.name, self.domain)
        return Contact(address, "domain") if address else NoContact(UntoldSentence.NO_ADDRESS_OF_NAME.value)
