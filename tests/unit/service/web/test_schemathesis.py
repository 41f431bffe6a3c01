"""Schemathesis makes up requests from the OpenAPI document, good ones and bad ones, and holds every answer against it."""

import asyncio
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from unit.service.web.support import TOKEN, Hands, Scene, token_file

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import Status, events, from_schema

CONFIGURATION = {
    "seed": 20260301,
    "max-failures": 20,
    "headers": {"Authorization": f"Bearer {TOKEN}"},
    "generation": {"max-examples": 12, "deterministic": True, "database": "none", "allow-x00": True},
    "request-timeout": 10,
    "phases": {"stateful": {"enabled": False}},
    # The document cannot say which ends, reasons and globs are valid at the time of a request.
    "operations": [
        {
            "include-path-regex": "/exemptions|/plan",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404", "409", "5xx"]}},
        }
    ],
}
KNOWN = {"name": "research", "run_id": "20260228T030000Z-aaaaaa", "notebook_id": "nb1"}


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """Serve in a thread of its own, on a clock by which every failure to show the token is long ago at the next one."""
    ready: list[str] = []
    up, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        scene = Scene(token_file=token_file(directory), clock=Hands(step_s=3600))
        async with scene.open() as face:
            ready.append(face.url)
            up.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="web-face")
    thread.start()
    try:
        assert up.wait(10)
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def failures(url: str, parameters: dict[str, str]) -> tuple[int, list[str]]:
    """Let it try everything; gives how many requests it made up, and every check that failed."""
    configuration = SchemathesisConfig.from_dict({**CONFIGURATION, "parameters": parameters})
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json", config=configuration)
    tried, found = 0, []
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            tried += len(event.recorder.cases)
            found += [
                f"{event.recorder.label}: {check.name}: {check.failure_info and check.failure_info.failure}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.status is Status.FAILURE
            ]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event.__dict__))
    return tried, found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("parameters", [{}, KNOWN], ids=["made up", "known"])
def test_the_api_is_what_its_document_says(tmp_path: Path, parameters: dict[str, str]) -> None:
    """Every operation, with what the document allows and with what it does not; the same requests each time.

    Once about what it makes up, which nobody knows, and once about what there is.
    """
    with served(tmp_path) as url:
        tried, found = failures(url, parameters)
    assert found == []
    assert tried > 100
