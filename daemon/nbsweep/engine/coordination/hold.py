"""The beats by which a process keeps a right that the journal records, and how long it certainly has that right."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from nbsweep.core.errors import HeldElsewhere, JournalError, NbsweepError
from nbsweep.core.freshness import NEVER_S, ClockReading, Freshness
from nbsweep.core.lease import BEATS, GOOD_FOR
from nbsweep.core.ports import Clock
from nbsweep.engine.removing.tracker import LAST_WRITE_S


@dataclass(slots=True)
class Hold:
    """Sends the beats of one right, from when it was taken until it is lost."""

    what: str
    """The right, as messages name it."""
    clock: Clock
    lasts: timedelta
    """How long the right lasts without a beat."""
    renew: Callable[[], Awaitable[None]]
    """Writes a beat.

    Raises:
        HeldElsewhere: another process holds the right.
        JournalError: whether the beat was written is unknown.
    """
    on_loss: Callable[[NbsweepError], None]
    """Called once when the right is lost, with the reason."""
    error: NbsweepError | None = None
    """Why the right could not be taken, or was lost."""
    _fresh: Freshness | None = None
    """How long no other process can have taken the right since the last written beat; None before the first beat."""
    _trouble: str = "the journal did not answer; its server may be away, or its file locked by another process"
    """The journal's message when a beat failed last."""
    _one_at_a_time: anyio.Lock = field(default_factory=anyio.Lock)

    def note(self, begun: ClockReading) -> None:
        """Record that a beat was written; `begun` is from before the write."""
        self._fresh = Freshness(begun, self.lasts.total_seconds() * GOOD_FOR)

    def left_s(self) -> float:
        """Return for how many seconds the right is certainly held, by all clocks: time asleep counts."""
        return self._fresh.left_s(self.clock.read()) if self._fresh and self.error is None else NEVER_S

    async def ensure(self) -> Freshness | None:
        """Return how long this process certainly has the right, renewing it if that is in doubt; None if it has not.

        That is in doubt if this process or its machine has been asleep, or if the clock was set.
        """
        if self.left_s() <= 0:
            async with self._one_at_a_time:
                # Another task may have renewed it meanwhile.
                if self.left_s() <= 0 and self.error is None:
                    await self._beat()
        return self._fresh if self.left_s() > 0 else None

    async def keep(self) -> None:
        """Renew the right until it is lost."""
        every_s = self.lasts.total_seconds() / BEATS
        while self.error is None:
            await anyio.sleep(max(0.0, min(every_s, self._beats_left_s())))
            async with self._one_at_a_time:
                await self._beat()

    def _beats_left_s(self) -> float:
        """Return for how many seconds beats may fail, by the steady clock."""
        if self._fresh is None:
            return NEVER_S
        return self._fresh.for_s - (self.clock.steady_s() - self._fresh.since.steady_s)

    async def _beat(self) -> None:
        """Renew the right once; if beats have failed for too long, this is the last attempt."""
        with anyio.move_on_after(max(LAST_WRITE_S, self._beats_left_s())):
            await self._renew()
        if self.error is None and self._beats_left_s() <= 0:
            self._lose(JournalError(f"{self.what} could not be renewed in time: {self._trouble}"))

    async def _renew(self) -> None:
        begun = self.clock.read()
        try:
            await self.renew()
        except JournalError as error:
            self._trouble = str(error)
        except HeldElsewhere as error:
            if self.error is None:
                self._lose(error)
        else:
            self.note(begun)

    def _lose(self, error: NbsweepError) -> None:
        self.error = error
        self.on_loss(error)
