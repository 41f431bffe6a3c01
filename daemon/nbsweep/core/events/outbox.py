"""Events of the outbox: messages that are composed, sent and refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from nbsweep.core.events.base import Event, Level


class MessageComposed(Event, frozen=True):
    """Waiting items of one recipient were put into a message."""

    name: ClassVar[str] = "message.composed"
    message: str
    """The beginning of the key."""
    channel: str
    items: int


class MessageSent(Event, frozen=True):
    """A channel has accepted all of a message."""

    name: ClassVar[str] = "message.sent"
    message: str
    channel: str
    kind: str
    items: int
    attempts: int
    proof: str
    """What the other side said."""


class MessageDelayed(Event, frozen=True):
    """A message was not accepted, and will be sent again."""

    name: ClassVar[str] = "message.delayed"
    level: ClassVar[Level] = "warning"
    message: str
    channel: str
    kind: str
    attempts: int
    next_at: datetime
    problem: str


class MessageFailed(Event, frozen=True):
    """A message was refused, or not accepted within three days; it is not sent again by itself."""

    name: ClassVar[str] = "message.failed"
    level: ClassVar[Level] = "error"
    message: str
    channel: str
    kind: str
    attempts: int
    problem: str


class OutboxCounted(Event, frozen=True):
    """A round of the relay has ended; what is unsent, by channel, and what waits for a message."""

    name: ClassVar[str] = "outbox.counted"
    level: ClassVar[Level] = "debug"
    pending: Mapping[str, int]
    oldest_s: Mapping[str, float]
    """The age of the oldest unsent message."""
    paused: bool
    waiting: int
    """Items that no message lists yet."""


class RelayFailed(Event, frozen=True):
    """The outbox could not be read or written; the next round tries again."""

    name: ClassVar[str] = "relay.failed"
    level: ClassVar[Level] = "warning"
    problem: str
