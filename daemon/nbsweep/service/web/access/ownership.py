"""Knows whether a visitor is the owner of a notebook, by the owners' directory."""

from msgspec import Struct

from nbsweep.core.notices.addresses import comparable
from nbsweep.core.notices.contacts import Contact, Owner, OwnerDirectory
from nbsweep.service.web.access.visitors import SignedIn, Visitor


class Ownership(Struct, frozen=True):
    """The owners' directory, asked the other way round: a visitor is the owner whose address is the visitor's."""

    directory: OwnerDirectory | None = None

    async def owns(self, visitor: Visitor, owner: Owner) -> bool:
        """Return whether a user of a proxy is this owner: the directory reaches the owner by the user's name or address.

        A name that is equal in the cloud and at the proxy is not enough: they may be different people.
        """
        if self.directory is None or visitor.signed_in is not SignedIn.PROXY:
            return False
        found = await self.directory.find(owner)
        return isinstance(found, Contact) and bool(found.address) and _same(found.address, visitor.known_as)


def _same(address: str, known_as: tuple[str, ...]) -> bool:
    return comparable(address) in map(comparable, known_as)
