"""Reads the status of a fleet every few seconds, for the metrics."""

from typing import Protocol

import anyio

from nbsweep.core.errors import JournalError
from nbsweep.core.fleet_status.model import FleetStatus
from nbsweep.service.control import FleetSource

READS_EVERY_S = 5.0


class ShownFleet(Protocol):
    """What shows the status of the fleet."""

    def show(self, status: FleetStatus, owner: str) -> None:
        """Show a status, as the process with this unique id sees it."""
        ...

    def clear(self) -> None:
        """Show nothing."""
        ...


async def keep_showing(fleet: FleetSource, shown: ShownFleet, owner: str) -> None:
    """Show the status of the fleet until cancelled; nothing is shown while the journal cannot be read, and at the end."""
    try:
        while True:
            try:
                shown.show(await fleet.read(), owner)
            except JournalError:
                shown.clear()
            await anyio.sleep(READS_EVERY_S)
    finally:
        shown.clear()
