"""The port of the owners' directory: where an owner is reached."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from msgspec import Struct

from nbsweep.core.reasons.language import Language


class Owner(Struct, frozen=True):
    """The owner of a marked notebook, as the cloud shows it, and the tags that may name a contact."""

    id: str
    """The IAM id; empty if the cloud does not show it."""
    name: str
    """The IAM name; empty if the cloud does not show it."""
    tags: Mapping[str, str | None] = {}
    """The tags of the notebook."""
    target: str = ""
    """The target whose account knows the owner."""

    def __repr__(self) -> str:
        """Return the owner for debugging, without the tags, which may hold an address."""
        return f"Owner(id={self.id!r}, name={self.name!r}, target={self.target!r})"


class Contact(Struct, frozen=True):
    """Where an owner is reached. The address is personal data: it is never logged and never stored in the journal."""

    address: str
    """The address for the channel, such as an e-mail address; empty for a channel that has one fixed place."""
    source: str
    """The part of `owners` that answered: file, tag, domain, iam or fallback."""
    channel: str = ""
    """The name of the channel; empty for the first channel that takes addresses."""
    language: Language | None = None
    """None for the language of the configuration."""
    name: str = ""
    """How the person is addressed; empty for the owner's name."""

    def __repr__(self) -> str:
        """Return the contact for debugging, without the address."""
        return f"Contact(source={self.source!r}, channel={self.channel!r})"


class NoContact(Struct, frozen=True):
    """The owner cannot be found."""

    why: str
    """For people: which parts were asked, and what each said; without addresses."""
    passing: bool = False
    """Whether a later attempt may succeed, because a part could not answer."""


class IamUser(Struct, frozen=True):
    """A user as IAM describes them. The e-mail address is personal data: it is never logged and never stored."""

    id: str
    email: str = ""
    """Empty if IAM has none."""
    enabled: bool = True

    def __repr__(self) -> str:
        """Return the user for debugging, without the address."""
        return f"IamUser(id={self.id!r}, enabled={self.enabled!r})"


UserLookup = Callable[[str], Awaitable[IamUser | None]]
"""Returns the user with an IAM id, or None if IAM knows no such user; raises CloudError if IAM gives no such answer.

`Forbidden` means that the permission is missing; after `Unreachable` a later attempt may succeed.
"""


class OwnerDirectory(Protocol):
    """Finds the addresses of owners. Answers may be cached."""

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return where an owner is reached, the fallback excluded; the first part of `owners` that answers wins.

        A part that cannot answer at present ends the search, because a later part might name somebody else.
        """
        ...

    async def fallback(self) -> Contact | NoContact:
        """Return the fallback contact."""
        ...
