"""The port that renders messages."""

from collections.abc import Sequence
from typing import Protocol

from nbsweep.core.notices.channel import Channel, Letter
from nbsweep.core.notices.digest import Digest
from nbsweep.core.notices.operators import OperatorNotice


class MessageRenderer(Protocol):
    """Renders digests and events as letters of a size that a channel accepts."""

    def letters(self, digest: Digest, channel: Channel, to: str = "") -> Sequence[tuple[Letter, tuple[str, ...]]]:
        """Return a digest as letters, each with the ids of the items that it lists; each item is in exactly one of them.

        The same digest always gives the same letters.
        """
        ...

    def operator_letter(self, notice: OperatorNotice, key: str, channel: Channel, to: str = "") -> Letter:
        """Return an event for operators as one letter."""
        ...
