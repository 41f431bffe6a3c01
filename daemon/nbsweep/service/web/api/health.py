"""Endpoints for monitoring: liveness, readiness and metrics."""

from collections.abc import Callable, Sequence
from typing import Protocol

from aiohttp import web

from nbsweep.service.web.errors import Code, Refused

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Readiness(Protocol):
    """Says whether the process can do its work."""

    def not_ready(self) -> Sequence[str]:
        """Return why it is not ready, one sentence for each reason; empty if it is ready."""
        ...

    def paused(self) -> Sequence[str]:
        """Return one sentence for each target that is paused."""
        ...


class Health:
    """Handles the health and metrics requests."""

    def __init__(self, readiness: Readiness, exposition: Callable[[], bytes]) -> None:
        """Take what says whether the process is ready, and the function that writes its metrics."""
        self._readiness = readiness
        self._exposition = exposition

    async def live(self, _request: web.Request) -> web.StreamResponse:
        """Return 200: any response shows that the event loop runs."""
        return web.Response(text="ok")

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """Return whether the service is ready, and the reasons if it is not."""
        problems = self._readiness.not_ready()
        if problems:
            raise Refused(Code.NOT_READY, "; ".join(problems))
        paused = self._readiness.paused()
        return web.Response(text=f"ready; {'; '.join(paused)}" if paused else "ready")

    async def metrics(self, _request: web.Request) -> web.StreamResponse:
        """Return the metrics in the Prometheus text format."""
        return web.Response(body=self._exposition(), headers={"Content-Type": PROMETHEUS_TEXT})
