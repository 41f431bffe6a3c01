import asyncio
import socket
from pathlib import Path

import anyio
import pytest

from nbsweep.core.errors import ConfigurationError, NbsweepError
from nbsweep.service.web.address import Address
from nbsweep.service.web.app import WebSettings, make_app
from nbsweep.service.web.server import serve_web
from nbsweep.testing import InMemoryJournal, RecordingTelemetry
from unit.service.web.support import BEARER, FakeControl, Hands, Scene, token_file


def port_is_free(port: int) -> bool:
    """Tell whether nobody listens there."""
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
    with pytest.raises(ValueError, match=r"put together for 127\.0\.0\.1"):
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
