"""Reads what is known about a target beyond its state: its lease, and what its brakes count."""

from nbsweep.core.lease import TargetLease, is_held
from nbsweep.core.planning.brakes import A_DAY
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import TargetDetails


async def read_details(sweeper: Sweeper) -> TargetDetails:
    """Return what is known about a target; asks only the journal.

    Raises:
        JournalError: the journal cannot be read.
    """
    return TargetDetails(
        sweeper.brakes,
        sweeper.options.max_failures,
        await _requested(sweeper),
        await _lease_in_force(sweeper),
    )


async def _requested(sweeper: Sweeper) -> int | None:
    """Return the number of DELETEs of the last 24 hours; None if the project is not known without a call."""
    if sweeper.known is None:
        return None
    now = sweeper.ports.clock.now()
    history = await sweeper.ports.journal.history(sweeper.area.target, sweeper.known, now - A_DAY, now)
    return history.requested


async def _lease_in_force(sweeper: Sweeper) -> TargetLease | None:
    ports, options = sweeper.ports, sweeper.options.lease
    now = await ports.journal.leases.now(ports.clock.now())
    lease = await ports.journal.leases.find(sweeper.area.target)
    if options is None or lease is None:
        return None
    held = is_held(lease, now, options.lasts, alive=options.is_alive(lease.holder))
    return lease if held else None
