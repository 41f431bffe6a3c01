"""How far a caller's clock is ahead of a `FakeCloud`'s."""

from nbsweep.core.freshness import ClockReading, have_diverged
from nbsweep.core.ports import Clock


class FakeSkew:
    """The caller's clock, as the dates of the answers show it."""

    def __init__(self, clock: Clock) -> None:
        """Begin with a correct clock and no answer."""
        self.ahead_s: float | None = 0.0
        """How far it was ahead when this was made, and what it was set since comes on top; None: no answer bears a Date."""
        self._clock = clock
        self._shown_s = _shown_s(clock)
        self._told: ClockReading | None = None

    def note_answer(self) -> None:
        """Record an answer with a date."""
        self._told = self._clock.read()

    def now_s(self) -> float | None:
        """Return how far the clock is ahead; None without an answer since the clocks parted."""
        if self.ahead_s is None or self._told is None or have_diverged(self._told, self._clock.read()):
            return None
        return self.ahead_s + _shown_s(self._clock) - self._shown_s


def _shown_s(clock: Clock) -> float:
    """Return the difference between wall clock and boot clock, which changes only when the wall clock is set."""
    now = clock.read()
    return now.wall.timestamp() - now.boot_s
