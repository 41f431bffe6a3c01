"""Invariant 3: no window holds more calls than the lanes, and every 429, allow."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulation.wire import Answer

NAMED = re.compile(rb"policy (\w+) over ratelimit,limit:(\d+),time:1 (second|minute)")
BELIEVED_S = 60.0
"""How long a limit that a 429 names holds; after that more calls may be tried."""


@dataclass(slots=True)
class ThrottleDemand:
    """The demand of a 429 on some lanes."""

    lanes: frozenset[str]
    from_s: float
    pause_until_s: float
    calls: int | None
    period_s: float
    words: str


@dataclass(slots=True)
class RateCheck:
    """Counts the calls of each process as they are sent."""

    limits: Any
    """`limits` of the target, as configured."""
    record_violation: Callable[[int, str], None]
    _life: int = 0
    _left: dict[str, deque[float]] = field(default_factory=dict)
    _demands: list[ThrottleDemand] = field(default_factory=list)

    def begun(self, at_s: float, life: int, lane: str) -> None:
        """Count a call, and check it against all limits."""
        if life != self._life:
            # A new process knows nothing of the calls of the one before it.
            self._life, self._left, self._demands = life, {}, []
        for name in (lane, "total"):
            self._left.setdefault(name, deque(maxlen=4096)).append(at_s)
            rate = getattr(self.limits, name)
            if rate and (count := self._count(name, at_s, rate.period_s)) > rate.calls:
                self.record_violation(3, f"{count} calls of {name} in {rate.period_s:g} s, and {rate} are allowed")
        for asked in self._demands:
            if lane in asked.lanes and 0 < at_s - asked.from_s < BELIEVED_S:
                self._check(asked, lane, at_s)

    def _check(self, asked: ThrottleDemand, lane: str, at_s: float) -> None:
        if at_s < asked.pause_until_s - 1e-6:
            self.record_violation(3, f"a call of {lane} leaves at {at_s:.3f}, and a 429 said: {asked.words}")
        if asked.calls is not None:
            since_s = max(asked.from_s, at_s - asked.period_s)
            count = sum(one > since_s for name in asked.lanes for one in self._left.get(name, ()))
            if count > asked.calls:
                self.record_violation(3, f"{count} calls of {'/'.join(sorted(asked.lanes))} since a 429 said: {asked.words}")

    def _count(self, name: str, at_s: float, period_s: float) -> int:
        return sum(one > at_s - period_s for one in self._left[name])

    def refused(self, at_s: float, life: int, lane: str, answer: Answer) -> None:
        """Record the demand of a 429 from the time of its arrival."""
        if life != self._life:
            return
        named = NAMED.search(answer.body)
        shared = named is not None and named[1] == b"user"
        lanes = frozenset({"delete", "list", "show"} if shared else {lane})
        pause_s = float(answer.headers.get("Retry-After", "0"))
        calls, period_s = (int(named[2]), 1.0 if named[3] == b"second" else 60.0) if named else (None, 1.0)
        words = f"{named[0].decode() if named else 'no limit named'}, Retry-After {pause_s:g}"
        self._demands.append(ThrottleDemand(lanes, at_s, at_s + pause_s, calls, period_s, words))
