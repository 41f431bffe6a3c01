"""A clock in virtual time."""

import asyncio
from datetime import UTC, datetime, timedelta

from nbsweep.core.freshness import ClockReading
from nbsweep.core.model import require_aware

START = datetime(2026, 1, 1, tzinfo=UTC)
"""What a `FakeClock` shows at first, unless told otherwise."""


class FakeClock:
    """A clock that goes with the running event loop, so that under virtual time both go as one."""

    def __init__(self, start: datetime = START) -> None:
        """Show `start` now; must be made while the loop runs."""
        self._loop = asyncio.get_running_loop()
        self._made_s = self._loop.time()
        self._shown = require_aware(start)
        self._slept_s = 0.0

    def now(self) -> datetime:
        """Tell the wall clock's time: the start, what the loop has counted since, and every jump."""
        return self._shown + timedelta(seconds=self._loop.time() - self._made_s)

    def steady_s(self) -> float:
        """Tell the loop's own seconds; they never jump."""
        return self._loop.time()

    def read(self) -> ClockReading:
        """Read all clocks at once."""
        return ClockReading(self.now(), self.steady_s(), self.steady_s() + self._slept_s)

    def sleep(self, seconds: float, *, boot_clock: bool = True) -> None:
        """Let the machine sleep: the wall clock goes on, the steady one does not; the boot clock does where there is one."""
        self._shown += timedelta(seconds=seconds)
        if boot_clock:
            self._slept_s += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back, as an administrator or NTP would."""
        self._shown += timedelta(seconds=seconds)
