"""Endpoints for monitoring: liveness, readiness and metrics."""

from collections.abc import Callable

from aiohttp import web

from nbsweep.service.control import Control
from nbsweep.service.web.errors import Code, Refused

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Health:
    """Handles the health and metrics requests."""

    def __init__(self, control: Control, exposition: Callable[[], bytes]) -> None:
        """Take the service and the function that writes its metrics."""
        self._control = control
        self._exposition = exposition

    async def live(self, _request: web.Request) -> web.StreamResponse:
        """Return 200: any response shows that the event loop runs."""
        return web.Response(text="ok")

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """Return whether the service is ready, and the reasons if it is not."""
        problems = self._control.not_ready()
        if problems:
            raise Refused(Code.NOT_READY, "; ".join(problems))
        paused = self._control.paused()
        return web.Response(text=f"ready; {'; '.join(paused)}" if paused else "ready")

    async def metrics(self, _request: web.Request) -> web.StreamResponse:
        """Return the metrics in the Prometheus text format."""
        return web.Response(body=self._exposition(), headers={"Content-Type": PROMETHEUS_TEXT})
