"""Updates the metrics of marks and messages from events."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nbsweep.adapters.metrics.in_flight import Labels
from nbsweep.adapters.metrics.instruments import OPEN_STATES, Instruments
from nbsweep.core.events.base import Event
from nbsweep.core.events.marks import MarkCleared, MarkMade, MarksCounted, MarksMade
from nbsweep.core.events.outbox import MessageDelayed, MessageFailed, MessageSent, OutboxCounted
from nbsweep.core.marks.model import ClearCause
from nbsweep.core.notices.outbox import MessageKind

OUTCOMES: Mapping[type[Event], str] = {MessageSent: "sent", MessageDelayed: "delayed", MessageFailed: "failed"}


class NoticeMetrics:
    """Counts marks and messages."""

    def __init__(self, instruments: Instruments) -> None:
        """Take the metrics to update."""
        self._instruments = instruments
        self._channels: set[str] = set()
        """The channels that have ever had a message."""
        self.handlers: Mapping[type[Event], Callable[[Any, Labels], None]] = {
            MarkMade: self._made,
            MarkCleared: self._cleared,
            MarksMade: self._surveyed,
            MarksCounted: self._counted_marks,
            MessageSent: self._tried,
            MessageDelayed: self._tried,
            MessageFailed: self._tried,
            OutboxCounted: self._counted,
        }

    def begin_at_nothing(self, target: str) -> None:
        """Initialize the counters of a target with 0, because an alert cannot detect an increase of a missing series."""
        self._instruments.marks_made.labels(target)
        for cause in ClearCause:
            self._instruments.marks_cleared.labels(target, cause)

    def _made(self, _event: MarkMade, labels: Labels) -> None:
        self._instruments.marks_made.labels(labels.target).inc()

    def _cleared(self, event: MarkCleared, labels: Labels) -> None:
        self._instruments.marks_cleared.labels(labels.target, event.cause).inc()

    def _surveyed(self, event: MarksMade, labels: Labels) -> None:
        marked = event.open - event.told - event.due - event.held_out - event.exempt
        self._show_marks(labels.target, (marked, event.told, event.due, event.held_out, event.exempt), event.untold)

    def _counted_marks(self, event: MarksCounted, labels: Labels) -> None:
        self._show_marks(labels.target, (event.marked, event.told, event.due, event.held_out, event.exempt), event.untold)

    def _show_marks(self, target: str, counts: Sequence[int], untold: int) -> None:
        for state, count in zip(OPEN_STATES, counts, strict=True):
            self._instruments.marks.labels(target, state).set(count)
        self._instruments.untold.labels(target).set(untold)

    def _tried(self, event: MessageSent | MessageDelayed | MessageFailed, _labels: Labels) -> None:
        self._channels.add(event.channel)
        self._begin_channel(event.channel)
        self._instruments.notifications.labels(event.channel, event.kind, OUTCOMES[type(event)]).inc()

    def _begin_channel(self, channel: str) -> None:
        for kind in MessageKind:
            for outcome in OUTCOMES.values():
                self._instruments.notifications.labels(channel, kind, outcome)

    def _counted(self, event: OutboxCounted, _labels: Labels) -> None:
        self._instruments.outbox_paused.set(event.paused)
        self._instruments.outbox_waiting.set(event.waiting)
        # A channel without unsent messages keeps its series, which is 0 then.
        self._channels |= event.pending.keys()
        for channel in self._channels:
            self._begin_channel(channel)
            self._instruments.outbox_pending.labels(channel).set(event.pending.get(channel, 0))
            self._instruments.outbox_oldest_s.labels(channel).set(event.oldest_s.get(channel, 0.0))
