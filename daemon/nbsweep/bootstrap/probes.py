"""Serves the health and the metrics of a worker, if it has an address for them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec import Struct

from nbsweep.adapters.metrics import Metrics
from nbsweep.adapters.metrics.collector import ObservedTarget
from nbsweep.bootstrap.sweeps import OpenResources
from nbsweep.bootstrap.web import token_files_of
from nbsweep.service.fleet.worker import Worker
from nbsweep.service.web.app import WebSettings
from nbsweep.service.web.probes import ProbePorts, make_probe_app
from nbsweep.service.web.server import serve_web
from nbsweep.settings import Settings


class Probes(Struct, frozen=True):
    """Where the health and the metrics of a worker are served."""

    listen: str
    metrics: Metrics
    """Count the events of its telemetry."""


class WorkerState:
    """The state of a worker, as the metrics show it; those of the targets are shown by `serve`."""

    def __init__(self, worker: Worker) -> None:
        """Take the worker."""
        self._worker = worker

    def targets(self) -> Sequence[ObservedTarget]:
        """Return nothing."""
        return ()

    def not_ready(self) -> tuple[str, ...]:
        """Return why the worker is not ready."""
        return self._worker.not_ready()

    def paused(self) -> tuple[str, ...]:
        """Return nothing: targets are paused, and no worker."""
        return ()


@asynccontextmanager
async def serving_probes(settings: Settings, probes: Probes, opened: OpenResources, worker: Worker) -> AsyncIterator[str]:
    """Serve meanwhile, and yield the bound address.

    Raises:
        ConfigurationError: the address needs a token and there is none, or a token cannot be used.
        NbsweepError: it cannot be listened on.
    """
    state, metrics = WorkerState(worker), probes.metrics
    metrics.watch(state)
    web_settings = WebSettings(probes.listen, token_files_of(settings.service))
    ports = ProbePorts(state, metrics.exposition, opened.journal, opened.clock, worker.telemetry)
    async with serve_web(make_probe_app(web_settings, ports), probes.listen) as bound:
        yield bound
