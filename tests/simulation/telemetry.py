"""The telemetry of one process: its events go into the trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from nbsweep.core.events.base import Event
from nbsweep.core.events.removal import RecoveryFinished
from nbsweep.core.events.sweep import PlanBuilt
from simulation.journal import LifeJournal

if TYPE_CHECKING:
    from simulation.world import World


class EventLine(NamedTuple):
    """An event, to be written out only for who wants to read it."""

    notebook_id: str
    event: Event

    def __str__(self) -> str:
        """Say it in one line."""
        return f"nbsweep: {self.notebook_id} {self.event}"


@dataclass(slots=True)
class TraceTelemetry:
    """The telemetry of a life: what it says goes into the trace, and tells the judge when a plan is there."""

    world: "World"
    journal: LifeJournal
    _bound: ContextVar[str] = field(default_factory=lambda: ContextVar("bound", default=""))

    def emit(self, event: Event) -> None:
        """Write it down."""
        if self.journal.dead:
            # In which order its tasks end is nobody's to hear.
            return
        world = self.world
        world.history.note(world.loop.time(), EventLine(self._bound.get(), event))
        world.events[event.name] += 1
        if isinstance(event, RecoveryFinished):
            world.judge.sweeps[-1].surveyed_from_s = world.loop.time()
        elif isinstance(event, PlanBuilt):
            world.judge.planned(world.judge.sweeps[-1])

    @contextmanager
    def bound(self, **context: str) -> Iterator[None]:
        """Remember which notebook it is about."""
        token = self._bound.set(context.get("notebook_id", ""))
        try:
            yield
        finally:
            self._bound.reset(token)
