"""What a kind of channel implements, and what one attempt came to. `lane.py` makes a channel of it."""

from datetime import timedelta
from typing import Protocol

from msgspec import Struct

from nbsweep.core.notices.channel import Acceptance, Letter, Receipt


class Attempt(Struct, frozen=True):
    """One attempt to send a letter."""

    receipt: Receipt
    throttled: bool = False
    """Whether too much was sent: the channel slows down."""
    of_recipient: bool = False
    """Whether a failure concerns the recipient alone, so that the channel is in order."""


class Sender(Protocol):
    """Sends the letters of one channel, without a limit."""

    @property
    def addressed(self) -> bool:
        """Return whether each letter needs an address."""
        ...

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of a letter, in the unit of the limit of its kind."""
        ...

    async def deliver(self, letter: Letter) -> Attempt:
        """Send a letter once.

        Raises:
            Unusable: a secret of the channel cannot be read or used.
        """
        ...


def accepted(detail: str, provider_id: str = "") -> Attempt:
    """Return an attempt that was accepted."""
    return Attempt(Receipt(Acceptance.ACCEPTED, detail, provider_id))


def unproven(detail: str) -> Attempt:
    """Return an attempt whose answer proves nothing."""
    return Attempt(Receipt(Acceptance.UNPROVEN, detail))


def later(detail: str, retry_after: timedelta | None = None, *, throttled: bool = False) -> Attempt:
    """Return an attempt that may succeed later."""
    return Attempt(Receipt(Acceptance.LATER, detail, retry_after=retry_after), throttled=throttled)


def refused(detail: str) -> Attempt:
    """Return an attempt whose message or recipient was refused permanently."""
    return Attempt(Receipt(Acceptance.REFUSED, detail))


def misconfigured(detail: str) -> Attempt:
    """Return an attempt that failed because of the channel."""
    return Attempt(Receipt(Acceptance.MISCONFIGURED, detail))
