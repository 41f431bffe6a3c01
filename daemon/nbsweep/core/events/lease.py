"""Events of the lease of a target, see `lease`."""

from datetime import datetime
from typing import ClassVar, TypedDict

from nbsweep.core.events.base import Event, Level
from nbsweep.core.lease import TargetLease


class Another(TypedDict):
    """The fields of events about another process's lease."""

    host: str
    pid: int
    started_by: str
    taken_at: datetime
    beat_at: datetime


def another(lease: TargetLease) -> Another:
    """Return the fields of events about another process's lease."""
    return {
        "host": lease.holder.host,
        "pid": lease.holder.pid,
        "started_by": lease.started_by,
        "taken_at": lease.taken_at,
        "beat_at": lease.beat_at,
    }


class LeaseTakenOver(Event, frozen=True):
    """The lease was taken over from a process that has died or sends no beats."""

    name: ClassVar[str] = "lease.taken_over"
    level: ClassVar[Level] = "warning"
    host: str
    pid: int
    started_by: str
    taken_at: datetime
    beat_at: datetime


class LeaseHeldElsewhere(Event, frozen=True):
    """Another nbsweep is sweeping the target; this process does not sweep it."""

    name: ClassVar[str] = "lease.held_elsewhere"
    level: ClassVar[Level] = "warning"
    host: str
    pid: int
    started_by: str
    taken_at: datetime
    beat_at: datetime


class LeaseLost(Event, frozen=True):
    """The lease was lost during the sweep: nothing more is sent, and the next holder follows the removals under way."""

    name: ClassVar[str] = "lease.lost"
    level: ClassVar[Level] = "error"
    problem: str
