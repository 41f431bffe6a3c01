import os
import socket
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from nbsweep.service.systemd import Systemd


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen where systemd would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)  # noqa: FBT003  # the socket's own signature
        yield listening


def test_systemd_is_told_in_its_own_words(ear: socket.socket) -> None:
    """READY, RELOADING with the moment, and STOPPING, one datagram each."""
    systemd = Systemd.of({"NOTIFY_SOCKET": ear.getsockname()})
    systemd.ready()
    systemd.reloading()
    systemd.stopping()
    ready, reloading, stopping = (ear.recv(200).decode() for _ in range(3))
    assert (ready, stopping) == ("READY=1", "STOPPING=1")
    words, moment = reloading.splitlines()
    assert words == "RELOADING=1"
    assert moment.removeprefix("MONOTONIC_USEC=").isdecimal()


def test_an_abstract_socket_is_spelled_with_an_at_sign() -> None:
    """As systemd does where there is no file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0nbsweep-test-{os.getpid()}")
        listening.setblocking(False)  # noqa: FBT003  # the socket's own signature
        Systemd.of({"NOTIFY_SOCKET": f"@nbsweep-test-{os.getpid()}"}).ready()
        assert listening.recv(200) == b"READY=1"


def test_without_systemd_nobody_is_told_and_nothing_fails() -> None:
    """On a terminal, in a container, and where the socket has gone."""
    Systemd.of({}).ready()
    Systemd.of({"NOTIFY_SOCKET": "/nowhere/notify"}).ready()


@pytest.mark.looptime
async def test_the_watchdog_is_fed_twice_as_often_as_it_asks(ear: socket.socket) -> None:
    """Ten seconds are asked for: five times within the first twenty-one."""
    systemd = Systemd.of({"NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "10000000"})
    with anyio.move_on_after(21):
        await systemd.keep_alive()
    assert [ear.recv(200) for _ in range(5)] == [b"WATCHDOG=1"] * 5
    with pytest.raises(BlockingIOError):
        ear.recv(200)


@pytest.mark.parametrize(
    "environment", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}]
)
async def test_without_a_watchdog_there_is_nothing_to_feed(environment: dict[str, str]) -> None:
    """None is asked for, or it is another process's."""
    systemd = Systemd.of(environment)
    assert systemd.watchdog_s is None
    await systemd.keep_alive()


def test_a_manager_that_reads_nothing_stops_nobody(ear: socket.socket) -> None:
    """Its socket has room for so many messages; what does not fit is dropped."""
    systemd = Systemd.of({"NOTIFY_SOCKET": ear.getsockname()})
    for _ in range(20):
        systemd.ready()
    assert ear.recv(200) == b"READY=1"
