"""The time, as the machine tells it."""

import time
from datetime import UTC, datetime

from nbsweep.core.freshness import ClockReading

BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts the time in which the machine sleeps; Linux has it, other systems may not."""


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """Tell the wall clock's time in UTC."""
        return datetime.now(UTC)

    def steady_s(self) -> float:
        """Tell seconds of a clock that never jumps, and stands still while the machine sleeps."""
        return time.monotonic()

    def read(self) -> ClockReading:
        """Read all clocks at once."""
        return ClockReading(datetime.now(UTC), time.monotonic(), time.clock_gettime(BOOT_CLOCK))
