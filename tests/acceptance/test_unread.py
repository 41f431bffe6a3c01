"""What nobody reads: a full pipe, or a socket that nobody empties, stops neither a sweep nor the service."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from acceptance.conftest import Simulate
from acceptance.support import Desk, asked, ended_afterwards, eventually, free_port, idle_fleet


@contextmanager
def unread(desk: Desk, *arguments: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Run the command with a stderr that nobody reads, and that is full at once; gives where it could be read."""
    reading, writing = os.pipe()
    os.write(writing, b"x" * 65_536)
    process = subprocess.Popen(
        desk.command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=writing,
        cwd=desk.folder,
        env=desk.variables(),
    )
    os.close(writing)
    try:
        with ended_afterwards(process):
            yield process, reading
    finally:
        os.close(reading)


def drained(reading: int) -> str:
    """Read what is in a pipe to its end."""
    found = bytearray()
    while chunk := os.read(reading, 65_536):
        found += chunk
    return found.decode().lstrip("x")


def test_a_service_whose_stderr_nobody_reads_sweeps_answers_and_stops(simulate: Simulate, desk: Desk) -> None:
    """The lines that are lost are counted, and told once the log flows again; so with systemd's socket, which nobody reads."""
    cloud, address = simulate(idle_fleet(200)), f"127.0.0.1:{free_port()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(desk.folder / "notify"))
        desk.environment |= {"NOTIFY_SOCKET": str(desk.folder / "notify"), "WATCHDOG_USEC": "40000"}
        service, logging = {"listen": address, "drain": "5s"}, {"level": "debug"}
        desk.write(cloud, mode="enforce", schedule={"cron": "* * * * * *"}, service=service, logging=logging)
        with unread(desk, "serve") as (process, reading):
            eventually(lambda: len(cloud.gone()) == 200, "the fleet is gone")
            lost = "nbsweep_log_lines_lost_total 0.0"
            eventually(lambda: lost not in asked(address, "GET", "/metrics")[1], "lost lines are counted")
            os.read(reading, 65_536)
            eventually(lambda: b"log.lines_lost" in os.read(reading, 65_536), "the log flows again, and says so")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
    assert cloud.accepted() == dict.fromkeys(cloud.instances(), 1)


def test_a_sweep_whose_stderr_nobody_reads_comes_to_its_end(simulate: Simulate, desk: Desk) -> None:
    """It exits with 0 and its whole result, and does not wait for a reader at the end either."""
    cloud = simulate(idle_fleet(20))
    desk.write(cloud, logging={"level": "debug"})
    with unread(desk, "run", "--yes", "--format", "json") as (process, _):
        assert process.stdout
        result = process.stdout.read()
        assert process.wait(60) == 0
    assert result.count(b'"deleted"') >= 20
    assert len(cloud.gone()) == 20
