"""The leases of targets in memory."""

import asyncio
from datetime import datetime, timedelta

from nbsweep.core.lease import TargetLease
from nbsweep.core.model import require_aware


class InMemoryLeases:
    """The leases of a journal in memory."""

    def __init__(self) -> None:
        """Begin without leases."""
        self._leases: dict[str, TargetLease] = {}
        self.ahead = timedelta(0)
        """How far the clock of this journal's server is ahead of the machine's."""

    async def now(self, here: datetime) -> datetime:
        """Return the time by the clock that dates leases."""
        await asyncio.sleep(0)
        return here + self.ahead

    async def all(self) -> tuple[TargetLease, ...]:
        """Return all leases, by target."""
        await asyncio.sleep(0)
        return tuple(self._leases[key] for key in sorted(self._leases))

    async def find(self, target: str) -> TargetLease | None:
        """Return a target's lease, or None."""
        await asyncio.sleep(0)
        return self._leases.get(target)

    async def take(self, lease: TargetLease, seen: TargetLease | None) -> TargetLease | None:
        """Replace the lease that was seen, unless it has changed since; return the lease that holds then."""
        require_aware(lease.taken_at)
        require_aware(lease.beat_at)
        held = self._leases.get(lease.target)
        mine = held is not None and seen is not None and held.holder.owner == seen.holder.owner == lease.holder.owner
        if held == seen or mine:
            self._leases[lease.target] = lease
        await asyncio.sleep(0)
        return self._leases.get(lease.target)

    async def release(self, lease: TargetLease) -> None:
        """Release a lease, unless another process holds it by now."""
        held = self._leases.get(lease.target)
        if held is not None and held.holder.owner == lease.holder.owner:
            del self._leases[lease.target]
        await asyncio.sleep(0)
