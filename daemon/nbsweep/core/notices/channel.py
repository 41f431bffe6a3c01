"""The port of a channel: sends one letter, and returns what the other side said about it."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from nbsweep.core.pacing import Rate


class Letter(Struct, frozen=True):
    """One message, ready to be sent; the channel takes the forms that it can show."""

    key: str
    """Stays the same over all attempts, so that a receiver can recognise a repetition. ASCII letters and digits."""
    subject: str
    """One line."""
    text: str
    """Plain text."""
    html: str = ""
    """A whole HTML document; empty if there is none."""
    markdown: str = ""
    """The Markdown that chat robots have in common: bold, links, lists; names are already escaped."""
    to: str = ""
    """The address of a person; empty for a channel that has one fixed place."""


class Acceptance(StrEnum):
    """What the other side said, by the body of its answer and not by the HTTP status alone."""

    ACCEPTED = "accepted"
    """Accepted, which does not mean that anybody has read it."""
    UNPROVEN = "unproven"
    """The other side gave no sign of an error, but its answers do not prove that it has accepted the message."""
    LATER = "later"
    """A failure that may pass: unreachable, throttled, an error of the server."""
    REFUSED = "refused"
    """A permanent refusal of this message or of this address: sending it again cannot help."""
    MISCONFIGURED = "misconfigured"
    """A permanent refusal of the channel: a wrong key, signature or address of the robot. It concerns all messages."""


class Receipt(Struct, frozen=True):
    """The result of one attempt."""

    acceptance: Acceptance
    detail: str = ""
    """What the other side said, for people; without secrets."""
    provider_id: str = ""
    """The other side's id of the message; empty if it gives none."""
    retry_after: timedelta | None = None
    """When the next attempt makes sense, by the other side or by the channel's own limits; None if nobody said."""
    attempted: bool = True
    """False if nothing was sent, because the channel keeps to its rate, or is not tried for a while after failures. Then it is
    no attempt of the message."""


class Channel(Protocol):
    """A way to reach people. `send` never raises for what the other side does; it may be cancelled at any await.

    `send` waits for its turn, but not for long: if the next turn is far away, it returns LATER and has sent nothing.
    """

    @property
    def name(self) -> str:
        """Return the channel's name in the configuration."""
        ...

    @property
    def addressed(self) -> bool:
        """Return whether each letter needs an address; otherwise the channel has one fixed place, such as a group."""
        ...

    @property
    def trust_unproven(self) -> bool:
        """Return whether UNPROVEN counts as told, by the configuration."""
        ...

    @property
    def rate(self) -> Rate:
        """Return the most messages that may leave in a time: by the other side's documentation, or fewer by configuration."""
        ...

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of a letter as this channel would send it, in the unit of `limit_bytes`."""
        ...

    @property
    def limit_bytes(self) -> int:
        """Return the largest size that the other side accepts."""
        ...

    async def send(self, letter: Letter) -> Receipt:
        """Send a letter once, and return what the other side said."""
        ...


class OpenChannels(Struct, frozen=True):
    """The channels of a configuration."""

    channels: Sequence[Channel]

    def find(self, name: str) -> Channel | None:
        """Return the channel with a name."""
        return next((channel for channel in self.channels if channel.name == name), None)
