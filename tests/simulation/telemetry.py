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
    """An event, formatted only when it is read."""

    notebook_id: str
    event: Event

    def __str__(self) -> str:
        """Return one line."""
        return f"nbsweep: {self.notebook_id} {self.event}"


@dataclass(slots=True)
class TraceTelemetry:
    """The telemetry of a process: adds events to the trace, and tells the judge when a plan is built."""

    world: "World"
    journal: LifeJournal
    _bound: ContextVar[str] = field(default_factory=lambda: ContextVar("bound", default=""))

    def emit(self, event: Event) -> None:
        """Add an event to the trace."""
        if self.journal.dead:
            # The order in which the tasks of a killed process end is not recorded.
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
        """Bind the notebook of the events inside."""
        token = self._bound.set(context.get("notebook_id", ""))
        try:
            yield
        finally:
            self._bound.reset(token)
