import asyncio
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace

from builders import removal, run_record
from nbsweep.core.lifecycle import State
from nbsweep.service.control import Phase
from nbsweep.service.web.pages.handlers.events import MOST_STREAMS
from nbsweep.testing import InMemoryJournal
from unit.service.web.pages.reading import see
from unit.service.web.support import BEARER, Face, FakeControl, Scene, state, token_file

CHANGE = b"event: change\ndata: -\n\n"
EVENTS = "nbsweep.service.web.pages.handlers.events"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the service a hundred times a second."""
    monkeypatch.setattr(f"{EVENTS}.LOOKS_EVERY_S", 0.01)


async def next_event(response: aiohttp.ClientResponse) -> bytes:
    """Return what comes next."""
    async with asyncio.timeout(5):
        return await response.content.readuntil(b"\n\n")


async def test_a_change_of_a_target_is_an_event() -> None:
    """It says only that something has changed."""
    async with Scene().open() as face, face.session.get(f"{face.url}/events") as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        face.control.states["research"] = state(phase=Phase.SWEEPING)
        assert await next_event(response) == CHANGE


async def test_each_end_of_a_removal_of_a_sweep_under_way_is_an_event() -> None:
    """By the journal."""
    journal = InMemoryJournal()
    await journal.open_run(run_record("r1"))
    planned = removal(run_id="r1")
    await journal.write([planned])
    scene = Scene(FakeControl(state(phase=Phase.SWEEPING)), journal=journal)
    async with scene.open() as face, face.session.get(f"{face.url}/events") as response:
        await asyncio.sleep(0.05)
        await journal.write([replace(planned, state=State.SPARED, ended_at=planned.planned_at)])
        assert await next_event(response) == CHANGE


async def test_a_quiet_stream_says_something_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment, which a browser ignores."""
    monkeypatch.setattr(f"{EVENTS}.SAYS_SOMETHING_EVERY_S", 0.02)
    async with Scene().open() as face, face.session.get(f"{face.url}/events") as response:
        assert await next_event(response) == b": nothing new\n\n"


async def test_a_stream_ends_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is checked anew, so that a session that has ended watches no longer."""
    monkeypatch.setattr(f"{EVENTS}.LASTS_S", 0.05)
    async with Scene().open() as face, face.session.get(f"{face.url}/events") as response, asyncio.timeout(5):
        assert await response.read() == b""


async def test_the_end_of_the_service_ends_all_streams() -> None:
    """At once, and not after the time that open requests get."""
    async with aiohttp.ClientSession() as session:
        async with Scene().open() as face:
            response = await session.get(f"{face.url}/events")
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 1.5
        assert await response.read() == b""


async def test_streams_leave_connections_for_others() -> None:
    """One more is refused with 429; when one has gone, another may come."""
    async with Scene().open() as face:
        streams = [await face.session.get(f"{face.url}/events") for _ in range(MOST_STREAMS)]
        assert (await see(face, "/events")).status == 429
        assert (await see(face, "/")).status == 200
        streams[0].close()
        async with asyncio.timeout(5):
            while await status(face) == 429:
                pass
        for each in streams:
            each.close()


async def status(face: Face) -> int:
    """Return the status of another stream."""
    async with face.session.get(f"{face.url}/events") as response:
        return response.status


async def test_elsewhere_a_stream_needs_a_role(tmp_path: Path) -> None:
    """As the page does."""
    async with Scene(listen="192.0.2.1:9464", token_file=token_file(tmp_path)).open() as face:
        assert (await see(face, "/events")).status == 303
        async with face.session.get(f"{face.url}/events", headers=BEARER) as response:
            assert response.status == 200


async def test_a_client_that_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hold its stream for ever; the others may then come."""
    monkeypatch.setattr("nbsweep.service.web.pages.streaming.SLOWEST_S", 0.1)
    monkeypatch.setattr(f"{EVENTS}.SAYS_SOMETHING_EVERY_S", 0.0)
    monkeypatch.setattr(f"{EVENTS}.NOTHING", b":" * 200_000 + b"\n\n")
    async with Scene().open() as face:
        host, _, port = face.bound.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(1.5)
        # Or else it could be read for ever.
        async with asyncio.timeout(5):
            with suppress(ConnectionResetError):
                while await reader.read(65_536):
                    pass
        writer.close()


async def test_a_form_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends its body byte by byte does not hold a connection."""
    monkeypatch.setattr("nbsweep.service.web.bodies.BODY_S", 0.05)
    async with Scene().open() as face:
        host, _, port = face.bound.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        kind = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nSec-Fetch-Site: same-origin\r\n"
        writer.write(b"POST /language HTTP/1.1\r\nHost: localhost\r\n" + kind + b"\r\nlanguage=")
        async with asyncio.timeout(5):
            assert b" 400 " in await reader.readline()
        writer.close()


async def test_a_page_watches_while_a_sweep_is_in_progress() -> None:
    """And not otherwise: it is then read again every few seconds."""
    async with Scene(FakeControl(state(phase=Phase.SWEEPING))).open() as face:
        assert 'data-live="/events"' in (await see(face, "/")).source
    async with Scene().open() as face:
        assert "data-live" not in (await see(face, "/")).source
