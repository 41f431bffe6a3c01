"""Reads what services and workers have reported about themselves in the journal."""

from datetime import datetime

from nbsweep.adapters.journal import SqlJournal
from nbsweep.adapters.process import is_alive
from nbsweep.bootstrap.fleet import open_fleet_reader
from nbsweep.core.control.services import ServiceStatus, life_of
from nbsweep.core.fleet_status.model import DueStatus, FleetStatus
from nbsweep.core.ports import Journal
from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import digest_of_all


async def read_services(journal: Journal, settings: Settings, now: datetime) -> tuple[ServiceStatus, ...]:
    """Return the services on a journal, each with whether it is alive.

    Raises:
        JournalError: the records cannot be read.
    """
    digest, shared_now = digest_of_all(settings), await journal.leases.now(now)
    records = await journal.control.services()
    return tuple(ServiceStatus(each, life_of(each, shared_now, alive=is_alive(each.holder)), digest) for each in records)


async def read_fleet(journal: SqlJournal, settings: Settings) -> FleetStatus | None:
    """Return the status of the fleet, without its jobs if the extra `fleet` is not installed here; None without a fleet.

    Raises:
        JournalError: the records cannot be read.
    """
    if not settings.service.fleet:
        return None
    return await (await open_fleet_reader(settings, journal)).read()


def first_due(fleet: FleetStatus, target: str) -> DueStatus | None:
    """Return the sweep of a target that was due first; None if nothing is due."""
    return next((due for due in fleet.due if due.sweep.target == target), None)
