"""The handler of the API for a fleet of processes."""

from aiohttp import web

from nbsweep.documents.fleet_status import fleet_status_document
from nbsweep.service.control import FleetSource
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.responses import json_answer


class FleetApi:
    """Handles the requests about the fleet."""

    def __init__(self, reader: FleetSource | None) -> None:
        """Take what reads the status of the fleet; None without a fleet."""
        self._reader = reader

    async def fleet(self, _request: web.Request) -> web.StreamResponse:
        """Return the workers, the leader, the accounts, and what is due."""
        if self._reader is None:
            raise Refused(Code.NOT_FOUND, "there is no fleet: service.fleet is not true, so this process sweeps all targets")
        return json_answer(fleet_status_document(await self._reader.read()))
