"""A lane in virtual time."""

import asyncio

from nbsweep.core.pacing import Rate, Window
from nbsweep.core.ports import Clock
from nbsweep.testing.faults import A_TICK_S


class FakeLane:
    """Sends calls one after the other, no faster than a rate."""

    def __init__(self, clock: Clock, rate: Rate | None) -> None:
        """Take the rate; None for no limit."""
        self._clock = clock
        self._window = Window(rate) if rate else None
        self._queue = asyncio.Lock()

    async def take(self) -> None:
        """Wait for a turn."""
        async with self._queue:
            if self._window is None:
                return await asyncio.sleep(0)
            # Again, since a timer may be a trifle early; and never for less than the clock can tell.
            while True:
                wait_s = self._window.wait_s(self._clock.steady_s())
                if wait_s <= 0:
                    return self._window.take(self._clock.steady_s())
                await asyncio.sleep(max(wait_s, A_TICK_S))
