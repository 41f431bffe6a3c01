"""Reads what services and workers have reported about themselves in the journal."""

from datetime import datetime

from nbsweep.adapters.process import is_alive
from nbsweep.core.control.services import ServiceStatus, life_of
from nbsweep.core.due_sweeps.model import DueSweep
from nbsweep.core.fleet_status.model import FleetStatus
from nbsweep.core.ports import Journal
from nbsweep.service.fleet.reading import FleetReader
from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import digest_of_all, digest_of_sweeps


async def read_services(journal: Journal, settings: Settings, now: datetime) -> tuple[ServiceStatus, ...]:
    """Return the services on a journal, each with whether it is alive.

    Raises:
        JournalError: the records cannot be read.
    """
    digest = digest_of_all(settings)
    records = await journal.control.services()
    return tuple(ServiceStatus(each, life_of(each, now, alive=is_alive(each.holder)), digest) for each in records)


async def read_fleet(journal: Journal, settings: Settings) -> FleetStatus | None:
    """Return the status of the fleet without its jobs, for which the journal is enough; None without a fleet.

    Raises:
        JournalError: the records cannot be read.
    """
    if not settings.service.fleet:
        return None
    return await FleetReader(journal, digest_of_sweeps(settings), settings.service.lease).read()


def first_due(fleet: FleetStatus, target: str) -> DueSweep | None:
    """Return the sweep of a target that was due first; None if nothing is due."""
    return next((due.sweep for due in fleet.due if due.sweep.target == target), None)
