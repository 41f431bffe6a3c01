"""The health and the metrics of a worker over HTTP."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from nbsweep.core.errors import ConfigurationError
from nbsweep.service.web.access.tokens import TokenFile
from nbsweep.service.web.app import WebSettings
from nbsweep.service.web.probes import ProbePorts, make_probe_app
from nbsweep.testing import InMemoryJournal, RecordingTelemetry
from unit.service.web.support import BEARER, LOOPBACK, METRICS, Hands, _on_loopback, token_file

OUTSIDE = "0.0.0.0:9465"


class Ready:
    """A worker that is ready, or says why not."""

    def __init__(self, *problems: str) -> None:
        """Take the problems."""
        self.problems = problems

    def not_ready(self) -> Sequence[str]:
        """Return them."""
        return self.problems

    def paused(self) -> Sequence[str]:
        """Return nothing."""
        return ()


Answer = tuple[int, str]


class Asking:
    """Asks a worker."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        """Take where it is."""
        self._url = url
        self._session = session

    async def get(self, path: str, **headers: str) -> Answer:
        """Return the status and the text of an answer."""
        async with self._session.get(f"{self._url}{path}", headers=headers) as response:
            return response.status, await response.text()


@asynccontextmanager
async def worker(listen: str = LOOPBACK, *problems: str, token: Path | None = None) -> AsyncIterator[Asking]:
    """Serve the health of a worker."""
    settings = WebSettings(listen, (TokenFile(token),) if token else ())
    ports = ProbePorts(Ready(*problems), lambda: METRICS, InMemoryJournal(), Hands(), RecordingTelemetry())
    async with _on_loopback(make_probe_app(settings, ports)) as bound, aiohttp.ClientSession() as session:
        yield Asking(f"http://{bound}", session)


async def test_on_loopback_everything_is_read_without_a_token() -> None:
    """Whether it lives, whether it is ready, and its metrics; nothing else is there."""
    async with worker() as asking:
        assert await asking.get("/healthz") == (200, "ok")
        assert await asking.get("/readyz") == (200, "ready")
        assert await asking.get("/metrics") == (200, METRICS.decode())
        for path in ("/", "/api/v1/targets", "/sign-in", "/healthz?a=b"):
            assert (await asking.get(path))[0] in {400, 404}


async def test_a_worker_that_is_not_ready_says_why() -> None:
    """It lives all the same."""
    async with worker(LOOPBACK, "it is stopping") as asking:
        status, text = await asking.get("/readyz")
        assert (status, "it is stopping" in text) == (503, True)
        assert await asking.get("/healthz") == (200, "ok")


async def test_elsewhere_probes_need_no_token_and_metrics_do(tmp_path: Path) -> None:
    """Health says nothing about targets, and metrics name them."""
    async with worker(OUTSIDE, token=token_file(tmp_path)) as asking:
        assert await asking.get("/healthz") == (200, "ok")
        assert await asking.get("/readyz") == (200, "ready")
        assert (await asking.get("/metrics"))[0] == 401
        assert (await asking.get("/metrics", Authorization="Bearer wrong"))[0] == 401
        assert await asking.get("/metrics", **BEARER) == (200, METRICS.decode())


async def test_a_foreign_name_of_the_host_is_refused_on_loopback() -> None:
    """A page of somebody else must not read the metrics through a browser; every answer has the headers of the API."""
    async with worker() as asking:
        assert (await asking.get("/metrics", Host="evil.example"))[0] == 403


def test_an_address_that_others_reach_needs_a_token() -> None:
    """As that of `serve`."""
    ports = ProbePorts(Ready(), lambda: METRICS, InMemoryJournal(), Hands(), RecordingTelemetry())
    with pytest.raises(ConfigurationError, match="which others can reach"):
        make_probe_app(WebSettings(OUTSIDE), ports)
