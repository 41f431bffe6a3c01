"""Stand-ins for the ports, for tests of whatever is built on them; they pass the same contract tests as the real ones."""

from nbsweep.testing.clock import START, FakeClock
from nbsweep.testing.cloud import FakeCloud
from nbsweep.testing.journal import InMemoryJournal
from nbsweep.testing.telemetry import RecordingTelemetry
from nbsweep.testing.troubles import LOST_AFTER, LOST_BEFORE, PLAIN, Call, Kind, Pace, Trouble

__all__ = [
    "LOST_AFTER",
    "LOST_BEFORE",
    "PLAIN",
    "START",
    "Call",
    "FakeClock",
    "FakeCloud",
    "InMemoryJournal",
    "Kind",
    "Pace",
    "RecordingTelemetry",
    "Trouble",
]
