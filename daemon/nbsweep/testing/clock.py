"""A clock in virtual time."""

import asyncio
from datetime import UTC, datetime, timedelta

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

    def now(self) -> datetime:
        """Tell the wall clock's time: the start, what the loop has counted since, and every jump."""
        return self._shown + timedelta(seconds=self._loop.time() - self._made_s)

    def steady_s(self) -> float:
        """Tell the loop's own seconds; they never jump."""
        return self._loop.time()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back, as an administrator or NTP would."""
        self._shown += timedelta(seconds=seconds)
