"""For whoever watches over the service: does it live, can it work, and its metrics."""

from collections.abc import Callable

from aiohttp import web

from nbsweep.service.control import Control
from nbsweep.service.web.errors import Code, Refused

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Health:
    """Answers for the service's health."""

    def __init__(self, control: Control, exposition: Callable[[], bytes]) -> None:
        """Take the service, and what writes its metrics."""
        self._control = control
        self._exposition = exposition

    async def live(self, _request: web.Request) -> web.StreamResponse:
        """Answer at all: that is what says that the loop runs."""
        return web.Response(text="ok")

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """Say whether the service can do its work, and if not, why."""
        problems = self._control.not_ready()
        if problems:
            raise Refused(Code.NOT_READY, "; ".join(problems))
        return web.Response(text="ready")

    async def metrics(self, _request: web.Request) -> web.StreamResponse:
        """Write the metrics as Prometheus reads them."""
        return web.Response(body=self._exposition(), headers={"Content-Type": PROMETHEUS_TEXT})
