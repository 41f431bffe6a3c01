"""How fast: rates, the window that holds them exactly, and how long to wait before asking again."""

from collections import deque
from collections.abc import Collection, Mapping
from datetime import timedelta
from itertools import takewhile

from msgspec import Struct
from msgspec.structs import asdict

CATCH_UP_S = 0.1
"""How far behind its schedule a lane may be and still make up for it; the window holds all the same."""
TOGETHER_S = 0.06
"""Calls that come due so soon after the next one leave together, for a program that wakes up for each of them spends a sixth
of its time on that; it is less than a lane can make up for."""
TOGETHER_MOST = 4
"""However many more come due meanwhile: a fast lane is not to stand still for them."""
IN_A_ROW_PERIODS = 3
"""Refusals closer together than so many windows of the limit follow each other."""
LITTLE_LESS = 0.95
MUCH_LESS = 0.7
HALF = 0.5
GUARD_S = 0.005
"""How much longer than its period a window is held: calls may arrive more closely together than they left."""
SLOWEST_PER_S = 0.1
CLIMB_SHARE_PER_S = 0.02
"""Of the known limit, in each second."""
TRY_FOR_MORE_AFTER_S = 60.0
"""How long a limit that the gateway named is believed before more is tried."""
ROUNDING = 1e-9
GROWTH = 1.5
FAR_BEYOND = 2
"""So many times the longest deletion yet, and an end is no longer expected at any moment."""


class Rate(Struct, frozen=True):
    """So many calls in so many seconds."""

    calls: int
    period_s: float

    @property
    def per_s(self) -> float:
        """How many calls that is in a second."""
        return self.calls / self.period_s

    @property
    def spacing_s(self) -> float:
        """The time between two calls that are spread evenly."""
        return self.period_s / self.calls

    def __str__(self) -> str:
        """Write it as the configuration does."""
        units = {1.0: "s", 60.0: "m", 3600.0: "h"}
        return f"{self.calls}/{units.get(self.period_s, f'{self.period_s:g}s')}"


class AdaptiveLimit:
    """A limit below the ceiling, which the gateway has shown by refusing calls. Falls at once, climbs back slowly.

    A 429 may name the limit (API notes, section 4). Then the lane falls to it, and stays there for a minute before it tries for
    more; a refusal at the named limit means that somebody else calls too, and costs a twentieth, or a third when refusals
    follow each other. Without a name the rate is halved.
    """

    def __init__(self, ceiling: Rate) -> None:
        """Start at the ceiling."""
        self.limit = ceiling
        """What the gateway named last; the ceiling while it has named nothing."""
        self._ceiling = ceiling
        self._per_s = ceiling.per_s
        self._climbed_at = float("-inf")
        self._fell_at = float("-inf")

    def fall(self, now: float, sent: float, named: Rate | None) -> bool:
        """Take a refusal of a call that left at `sent`; False when the lane has fallen since, so that this one is no news."""
        if sent <= self._fell_at:
            return False
        current = self.per_s(now)
        in_a_row = now - self._fell_at < IN_A_ROW_PERIODS * self.limit.period_s
        self.limit = named or self.limit
        if named is None:
            self._per_s = current * HALF
        elif current > named.per_s:
            self._per_s = named.per_s
        else:
            self._per_s = current * (MUCH_LESS if in_a_row else LITTLE_LESS)
        self._per_s = max(self._per_s, min(SLOWEST_PER_S, self._ceiling.per_s))
        self._fell_at = self._climbed_at = now
        return True

    def per_s(self, now: float) -> float:
        """Tell how many calls a second may leave now."""
        if self._per_s < self._ceiling.per_s and now > self._climbed_at:
            known = min(self.limit.per_s, self._ceiling.per_s)
            until = known if now - self._fell_at < TRY_FOR_MORE_AFTER_S else self._ceiling.per_s
            self._per_s = max(self._per_s, min(self._per_s + CLIMB_SHARE_PER_S * known * (now - self._climbed_at), until))
            self._climbed_at = now
        return self._per_s

    def allowance(self, now: float) -> tuple[int, float]:
        """Tell how many calls in how many seconds may leave now."""
        period_s = self.limit.period_s
        return max(1, int(self.per_s(now) * period_s + ROUNDING)), period_s


class Window:
    """Never more than `rate.calls` in any `rate.period_s`, spread evenly, one by one or a few at once; less after a 429.

    Times are seconds of any steady clock. The rule is kept over the moments given to `take`, so these must be the moments at
    which the calls leave.
    """

    def __init__(self, rate: Rate, catch_up_s: float = CATCH_UP_S) -> None:
        """Start with an empty window; it may make up for so much of what it is behind its schedule."""
        self.rate = rate
        self._catch_up_s = catch_up_s
        self.learned: AdaptiveLimit | None = None
        """None while the gateway has refused nothing, and again once the lane has climbed back to its ceiling."""
        self._taken: deque[float] = deque(maxlen=rate.calls)
        self._slot = float("-inf")
        self._not_before = float("-inf")

    def wait_s(self, now: float) -> float:
        """Tell how long it is until the next call may leave; 0.0 when it may leave now."""
        return max(0.0, self._due(now) - now)

    def wait_for_group_s(self, now: float) -> float:
        """Tell how long it is until the next few calls may leave together: all of those that come due soon after the first.

        A call that leaves later than it might is lost for good where the window is full. So none waits for one that the window
        holds back for longer.
        """
        first = self._due(now)
        followers = min(TOGETHER_MOST - 1, int(TOGETHER_S / self._spacing_s(now) + ROUNDING))
        due = (self._due(now, ahead) for ahead in range(1, followers + 1))
        last = max(takewhile(lambda due_s: due_s <= first + TOGETHER_S + ROUNDING, due), default=first)
        return max(0.0, last - now)

    def take(self, now: float) -> None:
        """Note that a call leaves now."""
        spacing_s = self._spacing_s(now)
        if self.learned is not None and self.learned.per_s(now) >= self.rate.per_s:
            self.learned = None
        self._taken.append(now)
        self._slot = max(self._slot, now - self._catch_up_s) + spacing_s

    def fall(self, now: float, sent: float, named: Rate | None) -> bool:
        """Slow down, because a call that left at `sent` was refused; False when that is no news."""
        if self.learned is None:
            self.learned = AdaptiveLimit(self.rate)
        longest = max(self.rate.calls, named.calls if named else 0)
        if longest > (self._taken.maxlen or 0):
            self._taken = deque(self._taken, maxlen=longest)
        return self.learned.fall(now, sent, named)

    def pause(self, until: float) -> None:
        """Let nothing leave before that moment."""
        self._not_before = max(self._not_before, until)

    def _due(self, now: float, ahead: int = 0) -> float:
        """Tell when the next call may leave, or the one after so many others."""
        due = max(self._slot + ahead * self._spacing_s(now), self._not_before)
        limits = [(self.rate.calls, self.rate.period_s)]
        if self.learned is not None:
            limits.append(self.learned.allowance(now))
        for calls, period_s in limits:
            if len(self._taken) >= calls > ahead:
                due = max(due, self._taken[ahead - calls] + period_s + GUARD_S)
        return due

    def _spacing_s(self, now: float) -> float:
        slowest = 1 / self.learned.per_s(now) if self.learned is not None else 0.0
        return max(self.rate.spacing_s, slowest)


class PollInterval:
    """How long to wait before the next look at deletions, fitted to how long deletions have been taking."""

    def __init__(self, least: timedelta, most: timedelta) -> None:
        """Keep within these two."""
        self._least = least
        self._most = most
        self._interval = least
        self._shortest: timedelta | None = None
        self._longest = timedelta(0)

    def note_end(self, took: timedelta) -> None:
        """Learn from a deletion that has ended."""
        self._shortest = took if self._shortest is None else min(self._shortest, took)
        self._longest = max(self._longest, took)

    def next_interval(self, ages: Collection[timedelta], *, ended: int) -> timedelta:
        """Say when to look again at deletions of these ages, after a look that found so many at their end.

        Soon while ends are likely; less and less often while nothing is known, or while all that is left has been going on
        for much longer than any deletion yet; and not before half the time that the quickest one took.
        """
        likely = ended or any(age <= FAR_BEYOND * self._longest for age in ages)
        self._interval = self._least if likely else min(self._most, GROWTH * self._interval)
        if self._shortest is None or not ages:
            return self._interval
        earliest = self._shortest * HALF - max(ages)
        return min(self._most, max(self._interval, earliest))


class LaneState(Struct, frozen=True):
    """How fast a lane may go at a moment."""

    lane: str
    """delete, show or list; total for all of them together."""
    configured_calls_per_s: float | None
    """None for a total that was not configured, but learned from the gateway."""
    calls_per_s: float
    learned_limit: str | None
    """The limit that the gateway named last, such as 5/s; None when it has named none, or the lane has climbed back since."""

    @property
    def figures(self) -> Mapping[str, float | str | None]:
        """All but the name, as the event `LanesState` holds them by name."""
        return {key: value for key, value in asdict(self).items() if key != "lane"}
