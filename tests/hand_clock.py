"""A clock for tests that want to move it themselves."""

from datetime import datetime, timedelta

from builders import NOON
from nbsweep.core.freshness import ClockReading


class HandClock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.set_s = 0.0
        """How far somebody has set the wall clock."""

    def now(self) -> datetime:
        """Tell the wall clock's time."""
        return NOON + timedelta(seconds=self.passed_s + self.set_s)

    def steady_s(self) -> float:
        """Tell the steady clock's time."""
        return 1000 + self.passed_s

    def read(self) -> ClockReading:
        """Read all clocks."""
        return ClockReading(self.now(), self.steady_s(), self.steady_s())

    def seconds(self) -> float:
        """Tell what time it really is, as the cloud's `time.time` would."""
        return NOON.timestamp() + self.passed_s
