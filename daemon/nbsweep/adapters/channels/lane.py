"""Makes a channel of a sender: it keeps the rate, learns from throttling, and pauses after failures."""

import math
from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from nbsweep.adapters.channels.breaker import CircuitBreaker
from nbsweep.adapters.channels.sender import Attempt, Sender, misconfigured
from nbsweep.adapters.secret_files import Unusable
from nbsweep.core.notices.channel import Acceptance, Letter, Receipt
from nbsweep.core.pacing import Rate, Window
from nbsweep.core.ports import Clock

LONGEST_TURN_S = 30.0
"""A letter whose turn is further away is not kept, because its sender has a lease on it for a limited time."""
TIMERS_PER_S = 1000
FAILED = (Acceptance.LATER, Acceptance.MISCONFIGURED)


@dataclass(slots=True)
class LaneChannel:
    """A channel."""

    name: str
    sender: Sender
    rate: Rate
    limit_bytes: int
    clock: Clock = field(repr=False)
    trust_unproven: bool = False
    _window: Window = field(init=False, repr=False)
    _breaker: CircuitBreaker = field(default_factory=CircuitBreaker, init=False, repr=False)
    _queue: anyio.Lock = field(default_factory=anyio.Lock, init=False, repr=False)
    _waiting: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        """Start with an empty window."""
        self._window = Window(self.rate)

    @property
    def addressed(self) -> bool:
        """Whether each letter needs an address."""
        return self.sender.addressed

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of a letter, in the unit of `limit_bytes`."""
        return self.sender.size_bytes(letter)

    async def send(self, letter: Letter) -> Receipt:
        """Wait for a turn, send a letter once, and return what the other side said."""
        held_back = await self._take_turn()
        if held_back is not None:
            return held_back
        sent_s = self.clock.steady_s()
        try:
            attempt = await self.sender.deliver(letter)
        except Unusable as error:
            attempt = misconfigured(str(error))
        self._learn(attempt, sent_s)
        return attempt.receipt

    async def _take_turn(self) -> Receipt | None:
        """Wait for a turn, and take it; return a receipt instead if that is far away."""
        now = self.clock.steady_s()
        if closed_s := self._breaker.wait_s(now):
            return self._not_tried(closed_s)
        turn_s = self._window.wait_s(now) + self._waiting * self.rate.spacing_s
        if turn_s > LONGEST_TURN_S:
            return _held_back(Acceptance.LATER, turn_s, f"the channel keeps to {self.rate}")
        self._waiting += 1
        try:
            async with self._queue:
                return await self._enter()
        finally:
            self._waiting -= 1

    async def _enter(self) -> Receipt | None:
        while seconds := self._window.wait_s(self.clock.steady_s()):
            if seconds > LONGEST_TURN_S:
                return _held_back(Acceptance.LATER, seconds, "the other side wants a pause")
            await anyio.sleep(math.ceil(seconds * TIMERS_PER_S) / TIMERS_PER_S)
        now = self.clock.steady_s()
        if closed_s := self._breaker.wait_s(now):
            return self._not_tried(closed_s)
        self._breaker.try_one(now)
        self._window.take(now)
        return None

    def _learn(self, attempt: Attempt, sent_s: float) -> None:
        now, receipt = self.clock.steady_s(), attempt.receipt
        if attempt.throttled:
            self._window.back_off(now, sent_s, None)
        if receipt.acceptance is Acceptance.LATER and receipt.retry_after is not None and not attempt.of_recipient:
            self._window.pause(now + receipt.retry_after.total_seconds())
        if receipt.acceptance in FAILED and not attempt.of_recipient:
            self._breaker.fail(now, receipt)
        else:
            self._breaker.succeed()

    def _not_tried(self, seconds: float) -> Receipt:
        last = self._breaker.last or Receipt(Acceptance.LATER)
        return _held_back(last.acceptance, seconds, f"after failures; the last one: {last.detail}")


def _held_back(acceptance: Acceptance, seconds: float, why: str) -> Receipt:
    wait = timedelta(seconds=math.ceil(seconds))
    return Receipt(acceptance, f"not sent: {why}", retry_after=wait, attempted=False)
