"""A clock that a test moves."""

from datetime import datetime, timedelta

from builders import NOON
from nbsweep.core.freshness import ClockReading


class HandClock:
    """A wall clock and a steady clock, moved by a test."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.set_s = 0.0
        """How far the wall clock was set."""

    def now(self) -> datetime:
        """Return the wall clock's time."""
        return NOON + timedelta(seconds=self.passed_s + self.set_s)

    def steady_s(self) -> float:
        """Return the steady clock's time."""
        return 1000 + self.passed_s

    def read(self) -> ClockReading:
        """Read all clocks."""
        return ClockReading(self.now(), self.steady_s(), self.steady_s())

    def seconds(self) -> float:
        """Return the real time, as the cloud's `time.time` does."""
        return NOON.timestamp() + self.passed_s
