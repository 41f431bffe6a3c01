"""What the service tells of itself, and what may be asked of it. The web face knows this, the journal, and nothing else."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from nbsweep.core.pacing import LaneState
from nbsweep.core.plan import Plan


class Phase(StrEnum):
    """What the service is doing for a target."""

    STARTING = "starting"
    """What an earlier process left under way is followed to its end."""
    WAITING = "waiting"
    """For its schedule, or for somebody to ask."""
    SWEEPING = "sweeping"
    BACKING_OFF = "backing-off"
    """Its last sweep failed; the next one is put off, a little longer each time."""
    HELD_ELSEWHERE = "held-elsewhere"
    """Another nbsweep holds this target's lease on the same journal."""


class TargetState(Struct, frozen=True):
    """How things stand with one target."""

    name: str
    phase: Phase
    dry_run: bool
    """Whether its sweeps only say what they would delete."""
    paused: bool
    next_run: datetime | None
    """When its schedule comes round next; None without a schedule, and while it is paused."""
    last_success: datetime | None
    """When a sweep last finished without an error, by the journal."""
    failures: int
    """How many sweeps have failed since."""
    problem: str
    """Why the last one failed, or who holds the lease; empty when all is well."""
    lanes: tuple[LaneState, ...] = ()
    """How fast the lanes of its account may go at this moment."""


class UnknownTargetError(LookupError):
    """No target has that name."""


class Control(Protocol):
    """The service, as far as others may touch it. Every method with a name raises `UnknownTargetError` for an unknown one."""

    def targets(self) -> tuple[TargetState, ...]:
        """Tell how things stand with every target, in the order of the configuration."""
        ...

    def not_ready(self) -> tuple[str, ...]:
        """Say what keeps the service from doing its work, a sentence each; empty when it is ready."""
        ...

    async def plan(self, name: str) -> Plan:
        """Survey a target, and judge what it shows; changes nothing.

        Raises:
            NbsweepError: it could not be surveyed.
        """
        ...

    def trigger(self, name: str) -> bool:
        """Ask for a sweep of a target as soon as may be; False when one is under way or wanted already."""
        ...

    async def pause(self, name: str) -> None:
        """Begin no more sweeps of a target until it is resumed, also after a restart; one that is under way goes on.

        Raises:
            JournalError: it holds for this process, but could not be noted for later ones.
        """
        ...

    async def resume(self, name: str) -> None:
        """Take a pause back.

        Raises:
            JournalError: the target stays paused, because that could not be noted.
        """
        ...
