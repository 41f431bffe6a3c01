"""What operators are told: events of the program as values, once for each cause."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class OperatorEvent(StrEnum):
    """The events that `notify` sends to channels."""

    SWEEP_REFUSED = "sweep.refused"
    """A brake refused a plan; nothing was deleted."""
    SWEEP_FAILED = "sweep.failed"
    """A sweep ended with an error, or removals failed."""
    MARKS_UNTOLD = "marks.untold"
    """Owners could not be told; their notebooks are kept."""
    AUTHENTICATION_FAILED = "authentication.failed"
    """The cloud does not accept the credentials of a target, or they are not allowed to do what is needed."""
    CHANNEL_FAILED = "channel.failed"
    """A channel refuses all messages, or cannot be reached; what it would tell is not told."""


class UntoldOwner(Struct, frozen=True):
    """An owner who could not be told."""

    owner: str
    """The owner's name for people."""
    why: str
    """Without addresses."""
    notebooks: int


class OperatorNotice(Struct, frozen=True):
    """One event for operators, with the facts that its message tells."""

    event: OperatorEvent
    at: datetime
    problem: str = ""
    """What happened, in a sentence; without secrets."""
    target: str = ""
    channel: str = ""
    """The channel that fails."""
    run_id: str = ""
    advice: str = ""
    """What to do; empty if there is nothing to say."""
    notebooks: int = 0
    """How many notebooks are concerned."""
    owners: tuple[UntoldOwner, ...] = ()
