"""Fakes of the ports, for tests; they pass the same contract tests as the real ones."""

from nbsweep.testing.clock import START, FakeClock
from nbsweep.testing.cloud import FakeCloud
from nbsweep.testing.faults import LOST_AFTER, LOST_BEFORE, NO_FAULT, Call, Fault, Kind, Pace
from nbsweep.testing.journal import InMemoryJournal
from nbsweep.testing.telemetry import RecordingTelemetry

__all__ = [
    "LOST_AFTER",
    "LOST_BEFORE",
    "NO_FAULT",
    "START",
    "Call",
    "FakeClock",
    "FakeCloud",
    "Fault",
    "InMemoryJournal",
    "Kind",
    "Pace",
    "RecordingTelemetry",
]
