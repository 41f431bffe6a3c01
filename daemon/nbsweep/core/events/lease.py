"""Events of the lease of a target, see `lease`."""

from datetime import datetime
from typing import ClassVar, TypedDict

from nbsweep.core.events.base import Event, Level
from nbsweep.core.lease import Lease


class Another(TypedDict):
    """What is told of somebody else's lease."""

    host: str
    pid: int
    started_by: str
    taken_at: datetime
    beat_at: datetime


def another(lease: Lease) -> Another:
    """Give what is told of somebody else's lease."""
    return {
        "host": lease.holder.host,
        "pid": lease.holder.pid,
        "started_by": lease.started_by,
        "taken_at": lease.taken_at,
        "beat_at": lease.beat_at,
    }


class LeaseTakenOver(Event, frozen=True):
    """The lease was another's, who has died or fallen silent; it is ours now."""

    name: ClassVar[str] = "lease.taken_over"
    level: ClassVar[Level] = "warning"
    host: str
    pid: int
    started_by: str
    taken_at: datetime
    beat_at: datetime


class LeaseHeldElsewhere(Event, frozen=True):
    """Another nbsweep is sweeping the target; this one leaves it alone."""

    name: ClassVar[str] = "lease.held_elsewhere"
    level: ClassVar[Level] = "warning"
    host: str
    pid: int
    started_by: str
    taken_at: datetime
    beat_at: datetime


class LeaseLost(Event, frozen=True):
    """The lease went in mid-sweep: nothing more is sent, and what is under way is left to whoever has it next."""

    name: ClassVar[str] = "lease.lost"
    level: ClassVar[Level] = "error"
    problem: str
