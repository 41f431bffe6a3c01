"""The clocks of the machine on which nbsweep runs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nbsweep.core.freshness import ClockReading
from nbsweep.testing.loop import VirtualLoop
from simulation.facts import START_MS


@dataclass(slots=True)
class WallClock:
    """The clocks of the machine; the administrator sets the wall clock at times."""

    loop: VirtualLoop
    ahead_s: float = 0.0

    def now(self) -> datetime:
        """Return the wall clock's time."""
        return datetime.fromtimestamp(START_MS / 1000, UTC) + timedelta(seconds=self.loop.time() + self.ahead_s)

    def steady_s(self) -> float:
        """Return the steady clock's seconds."""
        return self.loop.time()

    def read(self) -> ClockReading:
        """Read all clocks; the machine has no clock that counts suspensions."""
        return ClockReading(self.now(), self.steady_s(), self.steady_s())
