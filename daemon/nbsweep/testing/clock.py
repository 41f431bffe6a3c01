"""A clock in virtual time."""

import asyncio
from datetime import UTC, datetime, timedelta

from nbsweep.core.freshness import ClockReading
from nbsweep.core.model import require_aware

START = datetime(2026, 1, 1, tzinfo=UTC)
"""The default start of a `FakeClock`."""


class FakeClock:
    """A clock that follows the time of the running event loop."""

    def __init__(self, start: datetime = START) -> None:
        """Show `start` now; requires a running loop."""
        self._loop = asyncio.get_running_loop()
        self._made_s = self._loop.time()
        self._shown = require_aware(start)
        self._slept_s = 0.0

    def now(self) -> datetime:
        """Return the wall clock's time: the start, the loop's time since, and all jumps."""
        return self._shown + timedelta(seconds=self._loop.time() - self._made_s)

    def steady_s(self) -> float:
        """Return the loop's seconds, which never jump."""
        return self._loop.time()

    def read(self) -> ClockReading:
        """Read all clocks at once."""
        return ClockReading(self.now(), self.steady_s(), self.steady_s() + self._slept_s)

    def sleep(self, seconds: float, *, boot_clock: bool = True) -> None:
        """Suspend the machine: the wall clock and the boot clock, if there is one, go on; the steady clock does not."""
        self._shown += timedelta(seconds=seconds)
        if boot_clock:
            self._slept_s += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator or NTP does."""
        self._shown += timedelta(seconds=seconds)
