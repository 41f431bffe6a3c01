"""Holds the lease of a target during its sweep: takes, renews and releases it, and blocks DELETEs without it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

import anyio
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.errors import FactsTooOld, HeldElsewhere, JournalError, NbsweepError
from nbsweep.core.events.lease import LeaseHeldElsewhere, LeaseLost, LeaseTakenOver, another
from nbsweep.core.freshness import Freshness
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lease import TargetLease, blocks, describe_held, describe_taken_over, may_take
from nbsweep.core.listing.paging import Paging
from nbsweep.core.model import Notebook, Page, Scope
from nbsweep.core.pacing import LaneState
from nbsweep.core.ports import Cloud, Ports, unheeded
from nbsweep.engine.coordination.hold import Hold
from nbsweep.engine.options import LeaseOptions
from nbsweep.engine.removing.tracker import LAST_WRITE_S
from nbsweep.engine.shutdown import Shutdown

RACES = 5
"""How often the lease may change between the read and the attempt to take it."""


class NearbyLeases(Struct, frozen=True):
    """The current leases that concern a target."""

    mine: TargetLease | None
    """The lease that the target's own lease replaces."""
    held: TargetLease | None
    """A lease of another process on some of the same notebooks, which blocks the sweep."""
    dead: tuple[TargetLease, ...]
    """Other leases without a live holder."""


async def look_for_leases(target: str, identity: TargetIdentity, ports: Ports, options: LeaseOptions) -> NearbyLeases:
    """Return the leases that concern a target.

    Raises:
        JournalError: the leases cannot be read.
    """
    # The time first: no lease seems to be older than it is.
    now, held = await ports.journal.leases.now(ports.clock.now()), []
    near = [lease for lease in await ports.journal.leases.all() if blocks(lease, target, identity)]
    for lease in near:
        alive = options.is_alive(lease.holder)
        if not may_take(lease, options.holder, now, options.lasts, alive=alive):
            held.append(lease)
    mine = next((lease for lease in near if lease.target == target), None)
    dead = [lease for lease in near if lease not in (mine, *held) and lease.holder.owner != options.holder.owner]
    return NearbyLeases(mine, next(iter(held), None), tuple(dead))


@dataclass(slots=True)
class LeaseGuard:
    """Holds the lease of one sweep."""

    ports: Ports
    options: LeaseOptions
    lease: TargetLease
    """The lease as it is, or will be, in the journal."""
    identity: TargetIdentity
    shutdown: Shutdown
    """The shutdown of this sweep; set when the lease is lost, because the next holder follows the removals under way."""
    _hold: Hold = field(init=False)

    def __post_init__(self) -> None:
        """Begin without the lease."""
        what = f"the lease of {self.lease.target}"
        self._hold = Hold(what, self.ports.clock, self.options.lasts, self._renew, self._lost)

    @property
    def error(self) -> NbsweepError | None:
        """Why the lease could not be taken, or was lost."""
        return self._hold.error

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Cloud]:
        """Hold the lease while inside; yield the cloud to use meanwhile.

        Raises:
            HeldElsewhere: another nbsweep has the lease.
            JournalError: the lease cannot be read or written.
        """
        try:
            await self._take()
            async with anyio.create_task_group() as group:
                group.start_soon(self._hold.keep, name=f"lease-{self.lease.target}")
                yield FencedCloud(self.ports.cloud, self)
                group.cancel_scope.cancel()
        finally:
            await self._release()

    async def hold(self) -> Freshness | None:
        """Return how long this process certainly holds the lease, renewing it if that is in doubt; None if it does not."""
        return await self._hold.ensure()

    async def _take(self) -> None:
        for _ in range(RACES):
            begun, now = self.ports.clock.read(), await self._now()
            nearby = await self._look()
            taken = replace(self.lease, taken_at=now, beat_at=now)
            if self._is_mine(await self.ports.journal.leases.take(taken, nearby.mine)):
                self._hold.note(begun)
                await self._make_sure(nearby)
                return
        raise JournalError(
            f"the lease of {self.lease.target} changed its holder {RACES} times while it was taken: try again later"
        )

    async def _look(self) -> NearbyLeases:
        nearby = await look_for_leases(self.lease.target, self.identity, self.ports, self.options)
        if nearby.held:
            self.ports.telemetry.emit(LeaseHeldElsewhere(**another(nearby.held)))
            error = HeldElsewhere(describe_held(nearby.held, self.lease.target, self.options.lasts))
            self._hold.error = error
            raise error
        return nearby

    async def _make_sure(self, before: NearbyLeases) -> None:
        """Read the leases again after taking one: a process that took a lease under another name may not have seen it.

        If two processes do this at the same time, both may leave the target alone, but they never sweep it together.
        """
        try:
            await self._look()
        except HeldElsewhere:
            await self.ports.journal.leases.release(self.lease)
            raise
        for lease in before.dead:
            await self.ports.journal.leases.release(lease)
        others = [lease for lease in (before.mine, *before.dead) if lease and lease.holder != self.options.holder]
        for lease in others:
            self.ports.telemetry.emit(LeaseTakenOver(**another(lease)))

    async def _renew(self) -> None:
        """Write a beat.

        Raises:
            HeldElsewhere: another nbsweep has the lease.
            JournalError: the lease cannot be read or written.
        """
        now = await self._now()
        holds = await self.ports.journal.leases.take(replace(self.lease, beat_at=now), self.lease)
        if not self._is_mine(holds):
            raise HeldElsewhere(describe_taken_over(self.lease.target, holds))

    async def _now(self) -> datetime:
        """Return the time of a beat that is written next; it seems a little older to others than it is."""
        return await self.ports.journal.leases.now(self.ports.clock.now())

    def _is_mine(self, holds: TargetLease | None) -> bool:
        """Record the lease as it is in the journal if this process holds it; return whether it does."""
        if holds is None or holds.holder.owner != self.options.holder.owner:
            return False
        self.lease = holds
        return True

    def _lost(self, error: NbsweepError) -> None:
        self.ports.telemetry.emit(LeaseLost(str(error)))
        self.shutdown.begun.set()
        self.shutdown.hurried.set()

    async def _release(self) -> None:
        """Release the lease, so that the next process need not wait; also tried after cancellation."""
        if self.error is None:
            # If the release fails, the next process sees that this one has ended, or that its beats have stopped.
            with anyio.move_on_after(LAST_WRITE_S, shield=True), suppress(JournalError):
                await self.ports.journal.leases.release(self.lease)


class FencedCloud(Struct, frozen=True):
    """A cloud that refuses to send a change without the lease."""

    cloud: Cloud
    guard: LeaseGuard

    def lanes_state(self) -> tuple[LaneState, ...]:
        """Return the rates of the lanes."""
        return self.cloud.lanes_state()

    def clock_skew_s(self) -> float | None:
        """Return how far this machine's clock is ahead of the cloud's."""
        return self.cloud.clock_skew_s()

    def paging(self) -> Paging:
        """Return what is known of the pages."""
        return self.cloud.paging()

    def found_paging(self, paging: Paging) -> None:
        """Store what was found out about the pages."""
        self.cloud.found_paging(paging)

    async def project(self) -> str:
        """Return the id of the project."""
        return await self.cloud.project()

    async def workspaces(self) -> tuple[str, ...]:
        """List the workspaces."""
        return await self.cloud.workspaces()

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read one page of a listing."""
        return await self.cloud.page(scope, offset, status)

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook."""
        return await self.cloud.show(notebook_id)

    async def stop(self, notebook_id: str, *, facts: Freshness) -> Notebook | None:
        """Stop a running notebook while the lease is held."""
        return await self.cloud.stop(notebook_id, facts=await self._shorter(facts))

    async def delete_turn(self) -> None:
        """Wait for a turn to prepare a DELETE."""
        await self.cloud.delete_turn()

    async def delete(self, notebook_id: str, *, facts: Freshness, leaving: Callable[[], object] = unheeded) -> str:
        """Delete a notebook while the lease is held; a DELETE that waits for its lane must leave within that time too."""
        return await self.cloud.delete(notebook_id, facts=await self._shorter(facts), leaving=leaving)

    async def _shorter(self, facts: Freshness) -> Freshness:
        """Return the freshness that ends first, of the facts or of the lease.

        Raises:
            FactsTooOld: this process no longer holds the lease.
        """
        hold = await self.guard.hold()
        if hold is None:
            raise FactsTooOld("held back, because the lease of the target is lost")
        now = self.guard.ports.clock.read()
        return min(facts, hold, key=lambda one: one.left_s(now))
