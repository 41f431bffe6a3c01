"""Rates, the window that keeps them exactly, the limit that adapts to 429s, and the interval between two polls."""

from collections import deque
from collections.abc import Collection, Mapping
from datetime import timedelta
from itertools import takewhile
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import asdict

CATCH_UP_S = 0.1
"""How far behind its schedule a lane may be and still catch up; the window is kept all the same."""
TOGETHER_S = 0.06
"""Calls that come due within this time of the next call leave together: to wake up for each call takes a sixth of the CPU time.
It is shorter than `CATCH_UP_S`."""
TOGETHER_MOST = 4
"""At most so many calls leave together: a fast lane does not wait for more."""
IN_A_ROW_PERIODS = 3
"""Refusals count as consecutive if they are closer together than so many periods of the limit."""
LITTLE_LESS = 0.95
MUCH_LESS = 0.7
HALF = 0.5
GUARD_S = 0.005
"""How much longer than its period a window is kept: calls may arrive closer together than they left."""
SLOWEST_PER_S = 0.1
CLIMB_SHARE_PER_S = 0.02
"""The share of the known limit by which the rate climbs in each second."""
TRY_FOR_MORE_AFTER_S = 60.0
"""How long a lane keeps to a limit that the gateway named before it tries a higher rate."""
ROUNDING = 1e-9
LONGEST_PAUSE_S = 86_400.0
"""No pause is remembered for longer."""
GROWTH = 1.5
FAR_BEYOND = 2
"""No end is expected soon of a deletion that is so many times as old as the longest deletion took."""


class Rate(Struct, frozen=True):
    """A number of calls in a period."""

    calls: int
    period_s: float

    @property
    def per_s(self) -> float:
        """The number of calls in a second."""
        return self.calls / self.period_s

    @property
    def spacing_s(self) -> float:
        """The time between two calls that are spread evenly, in seconds."""
        return self.period_s / self.calls

    def __str__(self) -> str:
        """Return the rate as the configuration writes it."""
        units = {1.0: "s", 60.0: "m", 3600.0: "h"}
        return f"{self.calls}/{units.get(self.period_s, f'{self.period_s:g}s')}"


class LearnedRate(Struct, frozen=True):
    """What a limit has learned, for another process to go on from."""

    calls: Annotated[int, Meta(gt=0, le=10**6)]
    """The limit that the gateway named last, in calls per `period_s`; the ceiling if it named none."""
    period_s: Annotated[float, Meta(gt=0, le=86_400)]
    calls_per_s: Annotated[float, Meta(gt=0, le=10**6)]
    backed_off_s: Annotated[float, Meta(ge=0, le=10**9)]
    """How long ago the rate was lowered last."""


class WindowMemory(Struct, frozen=True):
    """What a window leaves for the one of another process."""

    learned: LearnedRate | None = None
    """None if the rate is at its ceiling."""
    paused_s: Annotated[float, Meta(ge=0, le=LONGEST_PAUSE_S)] = 0.0
    """For how much longer all calls are held back, as the gateway asked."""


class AdaptiveLimit:
    """A limit below the ceiling, learned from 429 answers. The rate backs off at once and climbs back slowly.

    A 429 may name the limit (ModelArts API, section 4). The rate then drops to it, and stays there for a minute before it
    climbs further. A refusal at the named limit means that another program calls too: the rate drops by a twentieth, or by a
    third if refusals are consecutive. If the 429 names no limit, the rate is halved.
    """

    def __init__(self, ceiling: Rate) -> None:
        """Start at the ceiling."""
        self.limit = ceiling
        """The limit that the gateway named last; the ceiling while it has named none."""
        self._ceiling = ceiling
        self._per_s = ceiling.per_s
        self._climbed_at = float("-inf")
        self._backed_off_at = float("-inf")

    def back_off(self, now: float, sent: float, named: Rate | None) -> bool:
        """Lower the rate after a refused call that left at `sent`; return False if it was lowered after that call left."""
        if sent <= self._backed_off_at:
            return False
        current = self.per_s(now)
        in_a_row = now - self._backed_off_at < IN_A_ROW_PERIODS * self.limit.period_s
        self.limit = named or self.limit
        if named is None:
            self._per_s = current * HALF
        elif current > named.per_s:
            self._per_s = named.per_s
        else:
            self._per_s = current * (MUCH_LESS if in_a_row else LITTLE_LESS)
        self._per_s = max(self._per_s, min(SLOWEST_PER_S, self._ceiling.per_s))
        self._backed_off_at = self._climbed_at = now
        return True

    def remembered(self, now: float) -> LearnedRate | None:
        """Return what was learned; None if the rate is at its ceiling."""
        per_s = self.per_s(now)
        if per_s >= self._ceiling.per_s:
            return None
        return LearnedRate(self.limit.calls, self.limit.period_s, per_s, now - self._backed_off_at)

    def recall(self, learned: LearnedRate, at: float) -> None:
        """Go on from what was learned, as if this limit had been in use since that time; never above the ceiling."""
        self.limit = Rate(learned.calls, learned.period_s)
        self._per_s = min(learned.calls_per_s, self._ceiling.per_s)
        self._climbed_at, self._backed_off_at = at, at - learned.backed_off_s

    def per_s(self, now: float) -> float:
        """Return how many calls a second may leave now."""
        if self._per_s < self._ceiling.per_s and now > self._climbed_at:
            known = min(self.limit.per_s, self._ceiling.per_s)
            until = known if now - self._backed_off_at < TRY_FOR_MORE_AFTER_S else self._ceiling.per_s
            self._per_s = max(self._per_s, min(self._per_s + CLIMB_SHARE_PER_S * known * (now - self._climbed_at), until))
            self._climbed_at = now
        return self._per_s

    def allowance(self, now: float) -> tuple[int, float]:
        """Return how many calls may leave now, and in how many seconds."""
        period_s = self.limit.period_s
        return max(1, int(self.per_s(now) * period_s + ROUNDING)), period_s


class Window:
    """Allows at most `rate.calls` in any `rate.period_s`, spread evenly, one by one or a few at once; fewer after a 429.

    Times are seconds of any steady clock. The rule holds for the moments passed to `take`, so these must be the moments at
    which the calls leave.
    """

    def __init__(self, rate: Rate, catch_up_s: float = CATCH_UP_S) -> None:
        """Start with an empty window, which may catch up by at most `catch_up_s` with its schedule."""
        self.rate = rate
        self._catch_up_s = catch_up_s
        self.learned: AdaptiveLimit | None = None
        """The limit learned from 429s; None before the first 429, and again once the rate is back at its ceiling."""
        self._taken: deque[float] = deque(maxlen=rate.calls)
        self._slot = float("-inf")
        self._not_before = float("-inf")

    def wait_s(self, now: float) -> float:
        """Return the time until the next call may leave; 0.0 if it may leave now."""
        return max(0.0, self._due(now) - now)

    def wait_for_group_s(self, now: float) -> float:
        """Return the time until the next few calls may leave together: those that come due soon after the first.

        If the window is full, a late call cannot be caught up. So no call waits for one that the window holds back for longer.
        """
        first = self._due(now)
        followers = min(TOGETHER_MOST - 1, int(TOGETHER_S / self._spacing_s(now) + ROUNDING))
        due = (self._due(now, ahead) for ahead in range(1, followers + 1))
        last = max(takewhile(lambda due_s: due_s <= first + TOGETHER_S + ROUNDING, due), default=first)
        return max(0.0, last - now)

    def take(self, now: float) -> None:
        """Record that a call leaves now."""
        spacing_s = self._spacing_s(now)
        if self.learned is not None and self.learned.per_s(now) >= self.rate.per_s:
            self.learned = None
        self._taken.append(now)
        self._slot = max(self._slot, now - self._catch_up_s) + spacing_s

    def back_off(self, now: float, sent: float, named: Rate | None) -> bool:
        """Lower the rate after a refused call that left at `sent`; return False if it was lowered after that call left."""
        if self.learned is None:
            self.learned = AdaptiveLimit(self.rate)
        self._look_back(named.calls if named else 0)
        return self.learned.back_off(now, sent, named)

    def remembered(self, now: float) -> WindowMemory:
        """Return what this window leaves for the one of another process."""
        learned = self.learned.remembered(now) if self.learned else None
        return WindowMemory(learned, min(max(0.0, self._not_before - now), LONGEST_PAUSE_S))

    def recall(self, memory: WindowMemory, at: float) -> None:
        """Go on from what was remembered at that time, instead of from what this window has learned itself."""
        self.learned = None
        self.pause(at + memory.paused_s)
        if memory.learned is not None:
            self.learned = AdaptiveLimit(self.rate)
            self.learned.recall(memory.learned, at)
            self._look_back(memory.learned.calls)

    def _look_back(self, calls: int) -> None:
        """Keep the times of at least so many calls."""
        longest = max(self.rate.calls, calls)
        if longest > (self._taken.maxlen or 0):
            self._taken = deque(self._taken, maxlen=longest)

    def pause(self, until: float) -> None:
        """Hold back all calls until that time."""
        self._not_before = max(self._not_before, until)

    def _due(self, now: float, ahead: int = 0) -> float:
        """Return when the next call may leave, or the call after `ahead` others."""
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
    """Computes the time until the next poll from how long deletions have taken."""

    def __init__(self, least: timedelta, most: timedelta) -> None:
        """Keep the interval between these bounds."""
        self._least = least
        self._most = most
        self._interval = least
        self._shortest: timedelta | None = None
        self._longest = timedelta(0)

    def note_end(self, took: timedelta) -> None:
        """Record how long a deletion took."""
        self._shortest = took if self._shortest is None else min(self._shortest, took)
        self._longest = max(self._longest, took)

    def next_interval(self, ages: Collection[timedelta], *, ended: int) -> timedelta:
        """Return the time until the next poll of deletions of these ages, after a poll that found `ended` ends.

        The interval is the shortest one while ends are likely. It grows while nothing is known, or while all deletions that are
        left are much older than any deletion took. No poll comes before half the time that the quickest deletion took.
        """
        likely = ended or any(age <= FAR_BEYOND * self._longest for age in ages)
        self._interval = self._least if likely else min(self._most, GROWTH * self._interval)
        if self._shortest is None or not ages:
            return self._interval
        earliest = self._shortest * HALF - max(ages)
        return min(self._most, max(self._interval, earliest))


class LaneState(Struct, frozen=True):
    """The rate of a lane at one time."""

    lane: str
    """delete, show or list; total for all of them together."""
    configured_calls_per_s: float | None
    """None for a total rate that was not configured, but learned from the gateway."""
    calls_per_s: float
    learned_limit: str | None
    """The limit that the gateway named last, such as 5/s; None if it named none, or the rate is back at its ceiling."""

    @property
    def figures(self) -> Mapping[str, float | str | None]:
        """All fields but the name, as the event `LanesState` holds them."""
        return {key: value for key, value in asdict(self).items() if key != "lane"}
