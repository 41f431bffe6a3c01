"""Events of fences, see `fences`."""

from typing import ClassVar

from nbsweep.core.events.base import Event, Level


class FenceTaken(Event, frozen=True):
    """This process holds a fence from now on."""

    name: ClassVar[str] = "fence.taken"
    fence: str
    epoch: int
    waited_s: float


class FenceHeldElsewhere(Event, frozen=True):
    """Another process holds a fence; this process waits for it."""

    name: ClassVar[str] = "fence.held_elsewhere"
    fence: str
    host: str
    pid: int
    age_s: float


class FenceGone(Event, frozen=True):
    """A fence was lost: nothing more that needs it is sent."""

    name: ClassVar[str] = "fence.lost"
    level: ClassVar[Level] = "error"
    fence: str
    problem: str
