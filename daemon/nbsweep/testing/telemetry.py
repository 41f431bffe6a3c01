"""Telemetry that records its events."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from nbsweep.core.events.base import Event

AnEvent = TypeVar("AnEvent", bound=Event)


class RecordingTelemetry:
    """Records every event with the context that was bound."""

    def __init__(self) -> None:
        """Begin without events and context."""
        self.records: list[tuple[Event, dict[str, str]]] = []
        self._context: ContextVar[Mapping[str, str]] = ContextVar("recorded_context")

    def emit(self, event: Event) -> None:
        """Record the event."""
        self.records.append((event, dict(self._context.get({}))))

    @contextmanager
    def bound(self, **context: str) -> Iterator[None]:
        """Add `context` to every event inside, in this task and in those that it starts."""
        token = self._context.set({**self._context.get({}), **context})
        try:
            yield
        finally:
            self._context.reset(token)

    def of(self, kind: type[AnEvent]) -> list[AnEvent]:
        """List the events of one kind, in order."""
        return [event for event, _ in self.records if isinstance(event, kind)]

    def names(self) -> list[str]:
        """List the names of all events, in order."""
        return [event.name for event, _ in self.records]
