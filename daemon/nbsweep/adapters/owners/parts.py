"""The parts of the chain that need no network. Each answers for itself; `directory.py` asks them in turn."""

from typing import Protocol

from msgspec import Struct

from nbsweep.adapters.owners.file import FileReader
from nbsweep.core.notices.addresses import address_of, comparable, is_address
from nbsweep.core.notices.contacts import Contact, NoContact, Owner


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
        return NoContact(f"{self.reader.path} does not name the owner" if keys else "the owner is unknown")

    def _cannot_answer(self, why: str) -> NoContact:
        return NoContact(f"{self.reader.path} cannot be relied on: {why}", passing=True)


class TagPart(Struct, frozen=True):
    """A tag of the notebook."""

    key: str

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return the address in the tag."""
        value = owner.tags.get(self.key)
        if value is None or not value.strip():
            return NoContact(f"the notebook has no tag {self.key}")
        if not is_address(value.strip()):
            return NoContact(f"the tag {self.key} is no address")
        return Contact(value.strip(), "tag")


class DomainPart(Struct, frozen=True):
    """The domain at which each owner has a mailbox of their name."""

    domain: str

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return the owner's name at the domain."""
        if not owner.name:
            return NoContact("the name of the owner is unknown")
        address = address_of(owner.name, self.domain)
        return Contact(address, "domain") if address else NoContact("the name of the owner cannot be part of an address")
