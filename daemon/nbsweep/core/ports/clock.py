"""The port for the time."""

from datetime import datetime
from typing import Protocol

from nbsweep.core.freshness import ClockReading


class Clock(Protocol):
    """Reads the time."""

    def now(self) -> datetime:
        """Return the time of the wall clock, as an aware datetime; it may jump."""
        ...

    def steady_s(self) -> float:
        """Return the seconds of a clock that never jumps, but may stand still while the machine sleeps."""
        ...

    def read(self) -> ClockReading:
        """Read all clocks at once."""
        ...
