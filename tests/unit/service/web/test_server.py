import asyncio
import socket
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import anyio
import pytest

from nbsweep.core.errors import ConfigurationError, NbsweepError
from nbsweep.service.web.access.connections import MOST_CONNECTIONS
from nbsweep.service.web.address import Address
from nbsweep.service.web.app import WebSettings, make_app
from nbsweep.service.web.server import BACKLOG, serve_web
from nbsweep.testing import InMemoryJournal, RecordingTelemetry
from unit.service.web.support import BEARER, FakeControl, Hands, Scene, token_file


def port_is_free(port: int) -> bool:
    """Return whether nobody listens there."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0


async def test_it_tells_where_it_answers_and_leaves_no_socket_behind() -> None:
    """Port 0 takes one that is free."""
    async with Scene().open() as face:
        host, _, port = face.bound.rpartition(":")
        assert host == "127.0.0.1"
        assert not port_is_free(int(port))
    assert port_is_free(int(port))


async def test_localhost_is_this_machine_whatever_the_name_leads_to() -> None:
    """It is not looked up."""
    assert Address.of("localhost:9464") == Address("127.0.0.1", 9464)
    assert Address.of("LOCALHOST:0").on_loopback


@pytest.mark.parametrize(
    ("listen", "host", "on_loopback"),
    [
        ("127.0.0.1:9464", "127.0.0.1", True),
        ("127.9.9.9:9464", "127.9.9.9", True),
        ("[::1]:9464", "::1", True),
        ("0.0.0.0:9464", "0.0.0.0", False),  # noqa: S104 - nobody listens there
        ("[::]:9464", "::", False),
        ("[::ffff:127.0.0.1]:9464", "::ffff:127.0.0.1", False),
        ("localhost.example:9464", "localhost.example", False),
    ],
)
def test_what_is_loopback_is_told_by_the_address_alone(listen: str, host: str, on_loopback: bool) -> None:  # noqa: FBT001
    """In doubt it is not, and the token is needed."""
    address = Address.of(listen)
    assert (address.host, address.port, address.on_loopback) == (host, 9464, on_loopback)
    assert str(address) == listen


@pytest.mark.parametrize("listen", ["", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x"])
def test_what_is_no_address_is_a_mistake(listen: str) -> None:
    """With the key that it stands under."""
    with pytest.raises(ConfigurationError, match=r"service\.listen: must be an address and a port"):
        Address.of(listen)


async def test_an_address_that_is_taken_is_told_in_a_sentence() -> None:
    """Nothing of what was begun is left."""
    async with Scene().open() as face:
        app = make_app(FakeControl(), InMemoryJournal(), bytes, WebSettings(face.bound), RecordingTelemetry(), Hands())
        with pytest.raises(NbsweepError, match=r"cannot be listened on: .*Check service.listen"):
            async with serve_web(app, face.bound):
                pass


async def test_it_is_not_served_where_other_things_would_be_demanded_of_callers() -> None:
    """What was put together for loopback lets everybody read."""
    app = make_app(FakeControl(), InMemoryJournal(), bytes, WebSettings("127.0.0.1:0"), RecordingTelemetry(), Hands())
    with pytest.raises(ValueError, match=r"built for 127\.0\.0\.1"):
        async with serve_web(app, "0.0.0.0:0"):
            pass


async def test_it_closes_cleanly_when_it_is_cancelled() -> None:
    """Also with a connection that is kept open."""
    ports: list[int] = []
    with anyio.CancelScope() as scope:
        async with Scene().open() as face:
            ports.append(int(face.bound.rpartition(":")[2]))
            await face.ask("GET", "/healthz")
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert port_is_free(ports[0])


async def test_idle_connections_make_room_for_those_who_ask() -> None:
    """Three hundred come and say nothing, and half a request each from as many: health is answered, and few stay open."""
    async with Scene().open() as face, AsyncExitStack() as crowd:
        host, _, port = face.bound.rpartition(":")
        for number in range(300):
            _, writer = await asyncio.open_connection(host, int(port))
            crowd.callback(writer.close)
            if number % 2:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: local")
        assert await face.ask("GET", "/healthz") == (200, "ok")
        assert open_connections(int(port)) <= MOST_CONNECTIONS + BACKLOG


async def test_a_connection_that_does_not_end_its_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who asks slowly on purpose keeps a connection for long; one that is being served goes on."""
    monkeypatch.setattr("nbsweep.service.web.access.connections.IDLE_S", 0.05)
    monkeypatch.setattr("nbsweep.service.web.access.connections.LOOKS_EVERY_S", 0.02)
    async with Scene().open() as face:
        host, _, port = face.bound.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: local")
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


async def test_one_that_is_served_is_not_idle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A plan takes as long as it takes."""
    monkeypatch.setattr("nbsweep.service.web.access.connections.IDLE_S", 0.05)
    monkeypatch.setattr("nbsweep.service.web.access.connections.LOOKS_EVERY_S", 0.02)
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        face.control.go_on.clear()
        asking = asyncio.create_task(face.ask("POST", "/api/v1/targets/research/plan", headers=BEARER))
        await face.control.planning.wait()
        await asyncio.sleep(0.3)
        face.control.go_on.set()
        assert (await asking)[0] == 200


def open_connections(port: int) -> int:
    """Count this process's sockets that are connected on a port of its own."""
    found = 0
    for entry in Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        local, state = entry.split()[1], entry.split()[3]
        found += local.endswith(f":{port:04X}") and state == "01"
    return found


async def test_a_request_whose_caller_has_gone_is_given_up(tmp_path: Path) -> None:
    """A plan costs calls; nobody would see it."""
    cancelled = asyncio.Event()

    class Slow(FakeControl):
        async def plan(self, _name: str) -> None:  # type: ignore[override]
            self.planning.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.set()
                raise

    async with Scene(Slow(), token_file=token_file(tmp_path)).open() as face:
        caller = asyncio.create_task(face.ask("POST", "/api/v1/targets/research/plan", headers=BEARER))
        await face.control.planning.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        async with asyncio.timeout(5):
            await cancelled.wait()
