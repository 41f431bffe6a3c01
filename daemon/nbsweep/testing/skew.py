"""How far a caller's clock is ahead of a `FakeCloud`'s."""

from nbsweep.core.freshness import ClockReading, have_parted
from nbsweep.core.ports import Clock


class FakeSkew:
    """What answers have told of the caller's clock."""

    def __init__(self, clock: Clock) -> None:
        """Begin with a clock that is right, and no answer."""
        self.ahead_s: float | None = 0.0
        """How far it was ahead when this was made, and what it was set since comes on top; None: no answer bears a Date."""
        self._clock = clock
        self._shown_s = _shown_s(clock)
        self._told: ClockReading | None = None

    def note_answer(self) -> None:
        """Note that an answer has told what time it is."""
        self._told = self._clock.read()

    def now_s(self) -> float | None:
        """Tell how far the clock is ahead; None while no answer has come since the clocks parted."""
        if self.ahead_s is None or self._told is None or have_parted(self._told, self._clock.read()):
            return None
        return self.ahead_s + _shown_s(self._clock) - self._shown_s


def _shown_s(clock: Clock) -> float:
    """Tell what the wall clock shows more than the boot clock, which changes only when it is set."""
    now = clock.read()
    return now.wall.timestamp() - now.boot_s
