"""Reads what services have reported about themselves in the journal."""

from datetime import datetime

from nbsweep.adapters.process import is_alive
from nbsweep.core.control.services import ServiceStatus, life_of
from nbsweep.core.ports import Journal
from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import digest_of_all


async def read_services(journal: Journal, settings: Settings, now: datetime) -> tuple[ServiceStatus, ...]:
    """Return the services on a journal, each with whether it is alive.

    Raises:
        JournalError: the records cannot be read.
    """
    digest = digest_of_all(settings)
    records = await journal.control.services()
    return tuple(ServiceStatus(each, life_of(each, now, alive=is_alive(each.holder)), digest) for each in records)
