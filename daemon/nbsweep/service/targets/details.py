"""Reads what is known about targets beyond their states: their leases, and what their brakes count."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from nbsweep.core.lease import TargetLease, is_held
from nbsweep.core.planning.brakes import A_DAY
from nbsweep.core.ports import Journal
from nbsweep.core.statistics.model import SentCount, sent_of
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import TargetDetails


async def read_details(sweepers: Mapping[str, Sweeper]) -> Mapping[str, TargetDetails]:
    """Return what is known about each target; asks only the journal, which all of them share, once for all.

    Raises:
        JournalError: the journal cannot be read.
    """
    if not sweepers:
        return {}
    ports = next(iter(sweepers.values())).ports
    now = ports.clock.now()
    leases = {lease.target: lease for lease in await ports.journal.leases.all()}
    shared_now, sent = await ports.journal.leases.now(now), await _sent(ports.journal, sweepers, now)
    return {
        name: TargetDetails(
            sweeper.brakes,
            sweeper.options.max_failures,
            sent_of(name, sweeper.known, sent) if sweeper.known else None,
            _in_force(leases.get(name), sweeper, shared_now),
        )
        for name, sweeper in sweepers.items()
    }


async def _sent(journal: Journal, sweepers: Mapping[str, Sweeper], now: datetime) -> Sequence[SentCount]:
    """Count the removals of the last 24 hours, of the projects that are known without a call."""
    projects = {sweeper.known.project for sweeper in sweepers.values() if sweeper.known}
    return await journal.statistics.sent(projects, now - A_DAY) if projects else ()


def _in_force(lease: TargetLease | None, sweeper: Sweeper, now: datetime) -> TargetLease | None:
    options = sweeper.options.lease
    if options is None or lease is None:
        return None
    return lease if is_held(lease, now, options.lasts, alive=options.is_alive(lease.holder)) else None
