"""The port for events."""

from contextlib import AbstractContextManager
from typing import Protocol

from nbsweep.core.events.base import Event


class Telemetry(Protocol):
    """Receives events."""

    def emit(self, event: Event) -> None:
        """Record an event; never raises and never waits."""
        ...

    def bound(self, **context: str) -> AbstractContextManager[None]:
        """Add `context` to every event emitted inside, in this task and in the tasks that it starts."""
        ...
