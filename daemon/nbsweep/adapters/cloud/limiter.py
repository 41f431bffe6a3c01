"""The lanes: each class of calls has its own rate limit, beside an optional total limit in which DELETE has priority.

The lanes belong to an account, not to a sweep: all calls on that account go through the same object.
"""

import math
from collections.abc import Mapping
from enum import StrEnum

import anyio
import msgspec
from msgspec import Struct

from nbsweep.core.fences.port import CallFence
from nbsweep.core.pacing import LaneState, LearnedRate, Rate, Window, WindowMemory
from nbsweep.core.ports import Clock

TIMERS_PER_S = 1000
"""The resolution of uvloop's timers; a timer between two milliseconds would be set again repeatedly until it ends."""


class Lane(StrEnum):
    """The rate-limited classes of calls, the most urgent first."""

    DELETE = "delete"
    """Calls that change something: DELETE, and the stop before it."""
    SHOW = "show"
    LIST = "list"


PATIENCE_TURNS: Mapping[Lane, int] = {Lane.DELETE: 0, Lane.SHOW: 5, Lane.LIST: 10}
"""How many turns a call lets more urgent lanes go first under a shared limit. A DELETE needs facts from reads."""
TURNS_AHEAD_S = 0.3
"""How far ahead turns are granted: a lane without a prepared call would waste its rate."""
WAKE_UP_EVERY_S = 0.05
"""Turns are granted a few at a time, because a wake-up for each would dominate the CPU time."""
TOTAL = "total"
"""The name of the total limit over all lanes."""


class Throttle(Struct, frozen=True):
    """The parts of a 429 from which the lanes learn."""

    sent_s: float
    """When the refused call was sent, in seconds of the steady clock."""
    named: Rate | None
    """The limit that the gateway names; None if it names none."""
    shared: bool
    """Whether that limit counts all calls of the user together."""
    retry_after_s: float | None
    """The time to wait that the gateway names; None if it names none."""


class LanesMemory(Struct, frozen=True):
    """What the lanes of an account leave for its next owner."""

    lanes: dict[Lane, WindowMemory]
    total: WindowMemory | None = None
    """None if there is no total limit."""


def learned_rates(memory: str) -> dict[str, LearnedRate]:
    """Return the rates in what lanes have left for their next owner, by lane; empty if it cannot be read."""
    try:
        read = msgspec.json.decode(memory, type=LanesMemory)
    except (msgspec.DecodeError, UnicodeError):
        return {}
    windows = {**{lane.value: window for lane, window in read.lanes.items()}, **({TOTAL: read.total} if read.total else {})}
    return {lane: window.learned for lane, window in windows.items() if window.learned}


class Lanes:
    """Limits calls to the rates of the lanes, a few at a time; the times at which `acquire` returns count."""

    fence: CallFence | None = None
    """Says whether this process may call at all; None unless several processes share the account. See `transport`."""

    def __init__(self, rates: dict[Lane, Rate], total: Rate | None, clock: Clock) -> None:
        """Store the rate of each lane, and the total rate if there is one."""
        self._windows = {lane: Window(rate) for lane, rate in rates.items()}
        self._turns = {lane: Window(rate, TURNS_AHEAD_S) for lane, rate in rates.items()}
        # A free lock is acquired at once. A cancelled caller still does not acquire it: cancellation is checked first.
        self._early_queues = {lane: anyio.Lock(fast_acquire=True) for lane in rates}
        self._queues = {lane: anyio.Lock(fast_acquire=True) for lane in rates}
        self._total = Window(total) if total else None
        self._total_is_configured = total is not None
        self._due: dict[Lane, float] = {}
        """For each lane whose first call waits for the total: when it no longer lets other lanes go first."""
        self._moved = anyio.Event()
        self._clock = clock

    async def acquire(self, lane: Lane) -> float:
        """Wait for this lane's turn; return the present time, in seconds of the steady clock."""
        async with self._queues[lane]:
            now: float | None = None
            while now is None:
                while self._holds_back(lane):
                    await self._sleep_for_group(lane)
                now = await self._enter_total(lane, self._total) if self._total else self._clock.steady_s()
            self._windows[lane].take(now)
            return now

    async def acquire_early(self, lane: Lane) -> None:
        """Wait for a turn to prepare a call; turns come at the lane's own rate, so that a prepared call need not wait long."""
        async with self._early_queues[lane]:
            await self._sleep_for(self._turns[lane], at_least_s=WAKE_UP_EVERY_S)
            await self._sleep_for(self._windows[lane])
            self._turns[lane].take(self._clock.steady_s())

    def refused(self, lane: Lane, refusal: Throttle) -> float:
        """Learn from a 429: back off at once, for as long as the gateway says; return the new rate in calls per second.

        A limit over all calls together binds the total, which begins to exist when it was not configured; one of a single API
        binds its lane. Where the gateway names none, both slow down.
        """
        now = self._clock.steady_s()
        slowed = self._slowed_by(lane, refusal)
        for window in slowed:
            window.back_off(now, refusal.sent_s, refusal.named)
            if refusal.retry_after_s is not None:
                window.pause(now + refusal.retry_after_s)
        return min(_calls_per_s(window, now) for window in slowed)

    def state(self) -> tuple[LaneState, ...]:
        """Return the present rate of each lane, and of the total if there is one."""
        now = self._clock.steady_s()
        lanes = [_state(lane, window, now, window.rate) for lane, window in self._windows.items()]
        if self._total is not None:
            configured = self._total.rate if self._total_is_configured else None
            lanes.append(_state(TOTAL, self._total, now, configured))
        return tuple(lanes)

    def remembered(self) -> str:
        """Return what the lanes have learned, as JSON, for the next process that calls on this account."""
        now = self._clock.steady_s()
        lanes = {lane: window.remembered(now) for lane, window in self._windows.items()}
        memory = LanesMemory(lanes, self._total.remembered(now) if self._total else None)
        return msgspec.json.encode(memory).decode()

    def recall(self, memory: str, age_s: float) -> bool:
        """Go on from what another process has learned, as if the time since had passed here; call it while no call waits.

        A memory that cannot be read is ignored. Return whether it was read.
        """
        try:
            read = msgspec.json.decode(memory, type=LanesMemory)
        except (msgspec.DecodeError, UnicodeError):
            return False
        at = self._clock.steady_s() - max(0.0, age_s)
        for lane, remembered in read.lanes.items():
            for window in (self._windows[lane], self._turns[lane]):
                window.recall(remembered, at)
        if read.total is not None:
            self._make_total().recall(read.total, at)
        return True

    def _make_total(self) -> Window:
        """Return the total; without a configured one, its ceiling is what all lanes together may call."""
        if self._total is None:
            together = math.ceil(sum(window.rate.per_s for window in self._windows.values()))
            self._total = Window(Rate(together, 1.0))
        return self._total

    def _slowed_by(self, lane: Lane, refusal: Throttle) -> tuple[Window, ...]:
        own = (self._windows[lane], self._turns[lane])
        if refusal.named is not None and not refusal.shared:
            return own
        if refusal.named is not None:
            return (self._make_total(),)
        return (*own, self._total) if self._total else own

    async def _enter_total(self, lane: Lane, total: Window) -> float | None:
        """Wait for a turn in the total; return its time, which counts in both windows.

        None when it is the lane's own rate that the call waits for, as after a refusal: then the others go first.
        """
        now = self._clock.steady_s()
        self._due[lane] = now + PATIENCE_TURNS[lane] / _calls_per_s(total, now)
        try:
            while True:
                if self._holds_back(lane):
                    return None
                now = self._clock.steady_s()
                if min(self._due, key=self._due.__getitem__) is not lane:
                    await self._moved.wait()
                elif total.wait_s(now) > 0:
                    await self._sleep_for_group(lane)
                else:
                    total.take(now)
                    return now
        finally:
            del self._due[lane]
            if self._due:
                self._moved.set()
                self._moved = anyio.Event()

    def _holds_back(self, lane: Lane) -> bool:
        """Return whether the next call waits for the rate of its lane, and not for the total."""
        now = self._clock.steady_s()
        total_s = self._total.wait_s(now) if self._total else 0.0
        return self._windows[lane].wait_s(now) > total_s

    async def _sleep_for_group(self, lane: Lane) -> None:
        """Sleep until the next few calls may leave together, by the lane's own rate and by the total."""
        now = self._clock.steady_s()
        own_s = self._windows[lane].wait_for_group_s(now)
        total_s = self._total.wait_for_group_s(now) if self._total else 0.0
        await anyio.sleep(_whole(max(own_s, total_s)))

    async def _sleep_for(self, window: Window, at_least_s: float = 0.0) -> None:
        while True:
            seconds = window.wait_s(self._clock.steady_s())
            if seconds <= 0:
                return
            await anyio.sleep(max(_whole(seconds), at_least_s))


def _whole(seconds: float) -> float:
    """Round a wait up to the resolution of a timer."""
    return math.ceil(seconds * TIMERS_PER_S) / TIMERS_PER_S


def _calls_per_s(window: Window, now: float) -> float:
    return window.learned.per_s(now) if window.learned else window.rate.per_s


def _state(lane: str, window: Window, now: float, configured: Rate | None) -> LaneState:
    named = window.learned is not None and window.learned.limit != window.rate
    return LaneState(
        lane=str(lane),
        configured_calls_per_s=round(configured.per_s, 3) if configured else None,
        calls_per_s=round(_calls_per_s(window, now), 3),
        learned_limit=str(window.learned.limit) if window.learned and named else None,
    )
