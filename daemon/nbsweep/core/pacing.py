"""How fast: rates, the window that holds them exactly, and how long to wait before asking again."""

from collections import deque
from dataclasses import dataclass
from datetime import timedelta

CATCH_UP_S = 0.1
"""How far behind its schedule a lane may be and still make up for it; the window holds all the same."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in so many seconds."""

    calls: int
    period_s: float

    @property
    def spacing_s(self) -> float:
        """The time between two calls that are spread evenly."""
        return self.period_s / self.calls

    def __str__(self) -> str:
        """Write it as the configuration does."""
        units = {1.0: "s", 60.0: "m", 3600.0: "h"}
        return f"{self.calls}/{units.get(self.period_s, f'{self.period_s:g}s')}"


class Window:
    """Never more than `rate.calls` in any `rate.period_s`, and those spread evenly.

    Times are seconds of any steady clock. The rule is kept over the moments given to `take`, so these must be the moments at
    which the calls leave.
    """

    def __init__(self, rate: Rate) -> None:
        """Start with an empty window."""
        self.rate = rate
        self._taken: deque[float] = deque(maxlen=rate.calls)
        self._slot = float("-inf")
        self._not_before = float("-inf")

    def wait_s(self, now: float) -> float:
        """Tell how long it is until the next call may leave; 0.0 when it may leave now."""
        earliest = max(self._slot, self._not_before)
        if len(self._taken) == self.rate.calls:
            earliest = max(earliest, self._taken[0] + self.rate.period_s)
        return max(0.0, earliest - now)

    def take(self, now: float) -> None:
        """Note that a call leaves now."""
        self._taken.append(now)
        self._slot = max(self._slot, now - CATCH_UP_S) + self.rate.spacing_s

    def pause(self, until: float) -> None:
        """Let nothing leave before that moment."""
        self._not_before = max(self._not_before, until)


def next_interval(current: timedelta, least: timedelta, most: timedelta, *, ended: int) -> timedelta:
    """Ask again soon while removals end, and less and less often while none does."""
    return least if ended else min(most, current * 1.5)
