"""The clocks of this machine."""

import time
from datetime import UTC, datetime

from nbsweep.core.freshness import ClockReading

BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that also counts while the machine sleeps, if the system has one."""


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """Return the time of the wall clock in UTC."""
        return datetime.now(UTC)

    def steady_s(self) -> float:
        """Return the seconds of a clock that never jumps. It stops while the machine sleeps."""
        return time.monotonic()

    def read(self) -> ClockReading:
        """Read all clocks at once."""
        return ClockReading(datetime.now(UTC), time.monotonic(), time.clock_gettime(BOOT_CLOCK))
