"""Holds a fence: waits for it, renews it, and says how long this process certainly has it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
from msgspec import Struct

from nbsweep.core.errors import FenceLost, HeldElsewhere, JournalError, NbsweepError
from nbsweep.core.events.fence import FenceGone, FenceHeldElsewhere, FenceTaken
from nbsweep.core.fences.model import Fence
from nbsweep.core.fences.port import FenceRecords
from nbsweep.core.freshness import NEVER_S
from nbsweep.core.lease import Holder
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.engine.coordination.hold import Hold
from nbsweep.engine.removing.tracker import LAST_WRITE_S


class FenceOptions(Struct, frozen=True):
    """How a process holds fences."""

    holder: Holder
    """This process; it has at most one guard of a name at a time."""
    lasts: timedelta
    """How long a fence lasts without a beat."""
    ask_every: timedelta = timedelta(seconds=2)
    """How often a process that waits asks for the fence."""


class ClosedFence:
    """The `CallFence` of calls that no held fence covers: none of them leaves."""

    async def ensure(self) -> None:
        """Refuse the call.

        Raises:
            FenceLost: always.
        """
        raise FenceLost("held back, because this process does not hold the account")

    def left_s(self) -> float:
        """Return that no fence is held."""
        return NEVER_S


@dataclass(slots=True)
class FenceGuard:
    """Holds one fence. A guard is used once; it is also the `CallFence` of the calls that need the fence."""

    name: str
    fences: FenceRecords
    clock: Clock
    telemetry: Telemetry
    options: FenceOptions
    remember: Callable[[], str | None] | None = None
    """Returns what is left for the next holder, or None to leave what is there; called for each beat, and for the release."""
    lost: anyio.Event = field(default_factory=anyio.Event)
    """Set when the fence is lost, because another process has it or because it could not be renewed in time."""
    _fence: Fence | None = None
    _hold: Hold = field(init=False)

    def __post_init__(self) -> None:
        """Begin without the fence."""
        self._hold = Hold(f"the fence {self.name}", self.clock, self.options.lasts, self._beat, self._lost)

    @asynccontextmanager
    async def held(self, given_up: anyio.Event) -> AsyncIterator[Fence]:
        """Hold the fence while inside, after waiting for it; yield it as it was taken, with the memory of an earlier holder.

        An error of the body is raised in an exception group.

        Raises:
            HeldElsewhere: `given_up` was set while another process held the fence.
            JournalError: the fence cannot be read or written.
        """
        fence = await self._wait(given_up)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._hold.keep, name=f"fence-{self.name}")
                yield fence
                group.cancel_scope.cancel()
        finally:
            await self._release(fence)

    def left_s(self) -> float:
        """Return for how many seconds the fence is certainly held, by all clocks: time asleep counts."""
        return self._hold.left_s()

    def require(self) -> None:
        """Check that the fence is certainly held, right before what needs it.

        Raises:
            FenceLost: it is not.
        """
        if self.left_s() <= 0:
            raise self._error()

    async def ensure(self) -> None:
        """Check that the fence is certainly held, and renew it if that is in doubt.

        Raises:
            FenceLost: it is not.
        """
        if await self._hold.ensure() is None:
            raise self._error()

    def _error(self) -> FenceLost:
        why = self._hold.error or "this process or its machine was asleep, or its clock was set"
        return FenceLost(f"held back, because the fence {self.name} is not certainly held: {why}")

    async def _wait(self, given_up: anyio.Event) -> Fence:
        began_s, told = self.clock.steady_s(), False
        while True:
            begun = self.clock.read()
            fence = await self.fences.take(self.name, self.options.holder, self.options.lasts)
            if fence.is_of(self.options.holder):
                self._fence = fence
                self._hold.note(begun)
                self.telemetry.emit(FenceTaken(self.name, fence.epoch, round(self.clock.steady_s() - began_s, 3)))
                return fence
            if not told:
                holder = fence.holder
                self.telemetry.emit(FenceHeldElsewhere(self.name, holder.host, holder.pid, round(fence.age_s, 3)))
                told = True
            await self._wait_to_ask(given_up, fence)

    async def _wait_to_ask(self, given_up: anyio.Event, fence: Fence) -> None:
        with anyio.move_on_after(self.options.ask_every.total_seconds()):
            await given_up.wait()
        if given_up.is_set():
            holder = fence.holder
            raise HeldElsewhere(f"the fence {self.name} is held by process {holder.pid} on host {holder.host}")

    async def _beat(self) -> None:
        """Write a beat.

        Raises:
            HeldElsewhere: another process has taken the fence, or it was released.
            JournalError: whether the beat was written is unknown.
        """
        if self._fence is None or not await self.fences.beat(self._fence, self._memory()):
            raise HeldElsewhere(f"another process has taken the fence {self.name}")

    def _memory(self) -> str | None:
        return self.remember() if self.remember else None

    def _lost(self, error: NbsweepError) -> None:
        self.telemetry.emit(FenceGone(self.name, str(error)))
        self.lost.set()

    async def _release(self, fence: Fence) -> None:
        """Release the fence, so that the next process need not wait; also tried after cancellation."""
        if self._hold.error is None:
            # What is sent after this would be sent without the fence.
            self._hold.error = HeldElsewhere("it was released")
            with anyio.move_on_after(LAST_WRITE_S, shield=True), suppress(JournalError):
                await self.fences.release(fence, self._memory())
