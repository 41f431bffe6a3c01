"""A real service over real connections, through an hour's worth of sweeps; what it holds is read from /proc."""

import re
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from acceptance.conftest import Simulate
from acceptance.support import Desk, Started, asked, eventually, free_port, idle_fleet
from acceptance.test_service import TOKEN, write, write_token

SWEEPS = 60
SETTLED = 15
"""After so many sweeps everything that is kept on purpose is there."""
CACHES_KB = 3 * 1024
"""SQLite has half a megabyte of cache for each connection, and objects in reference cycles wait for the garbage collector.

tests/unit/service has a sharper eye for objects.
"""
OF_FLEETS = {"procrastinate", "psycopg", "psycopg_pool"}
OF_MIGRATIONS = {"alembic", "mako"}
IMPORTED = re.compile(rb"^import time: .*\| +([\w.]+)$", re.MULTILINE)
FINISHED = re.compile(r'^nbsweep_sweeps_total\{outcome="finished",target="lab"\} ([0-9.]+)$', re.MULTILINE)


@dataclass(frozen=True)
class Held:
    """What a process holds at a moment."""

    sockets: int
    files: int
    """Everything else that is open."""
    threads: int
    resident_kb: int

    @classmethod
    def by(cls, pid: int) -> "Held":
        """Read it from /proc."""
        kinds = Counter(target_of(path).startswith("socket:") for path in Path(f"/proc/{pid}/fd").iterdir())
        status = Path(f"/proc/{pid}/status").read_text()
        figures = dict(re.findall(r"^(\w+):\s+(\d+)", status, re.MULTILINE))
        return cls(kinds[True], kinds[False], int(figures["Threads"]), int(figures["VmRSS"]))


def target_of(path: Path) -> str:
    """Tell what is open there; nothing, when it has just been closed."""
    try:
        return str(path.readlink())
    except FileNotFoundError:
        return ""


def test_a_service_holds_no_more_after_sixty_sweeps_than_after_fifteen(simulate: Simulate, desk: Desk) -> None:
    """Each sweep deletes one notebook: no more files and threads, no more memory than caches take, and no pile of sockets."""
    cloud = simulate(idle_fleet(SWEEPS + 5))
    address = f"127.0.0.1:{free_port()}"
    service = {"listen": address, "api_token_file": str(write_token(desk))}
    one = {"max_deletions": 1, "max_share": None, "on_excess": "trim"}
    write(desk, cloud, brakes=one, service=service, schedule={"cron": "0 3 * * *"})
    # A process that is forked for a test also holds what other commands import.
    desk.alone = True
    measured: list[Held] = []
    with desk.started("serve") as started:
        started.wait_for("service.started")
        for number in range(1, SWEEPS + 1):
            sweep(address, number)
            measured.append(quiet(started))
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    before, after = most(measured[:SETTLED]), most(measured[-SETTLED:])
    print(f"{SWEEPS} sweeps, {len(cloud.gone())} deleted; most in the first {SETTLED}: {before}; in the last: {after}")  # noqa: T201
    assert len(cloud.gone()) == SWEEPS
    assert after.files <= before.files
    assert after.threads <= before.threads
    # Connections are kept alive for the next call, one or two of them; of a leak there would be one for each sweep.
    assert after.sockets <= before.sockets + 2
    assert after.resident_kb - before.resident_kb < CACHES_KB


def test_a_service_imports_nothing_that_only_a_fleet_or_a_migration_needs(simulate: Simulate, desk: Desk) -> None:
    """By what Python itself says of a whole life with a sweep: with a new journal, and without a fleet."""
    write(desk, simulate(idle_fleet(1)))
    desk.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    with desk.started("serve") as started:
        started.wait_for("sweep.finished")
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    packages = {name.decode().partition(".")[0] for name in IMPORTED.findall(started.err)}
    assert {"sqlalchemy", "aiosqlite", "apscheduler"} <= packages
    assert packages & (OF_FLEETS | OF_MIGRATIONS) == set()


def most(measured: Sequence[Held]) -> Held:
    """Give the most of each that was held at any of these moments."""
    return Held(*(max(getattr(held, each.name) for held in measured) for each in fields(Held)))


def sweep(address: str, number: int) -> None:
    """Have a sweep done, and wait until so many are finished."""
    eventually(lambda: asked(address, "POST", "/api/v1/targets/lab/sweep", TOKEN)[0] == 202, "a sweep is taken on")

    def finished() -> bool:
        told = FINISHED.findall(asked(address, "GET", "/metrics")[1])
        return bool(told) and float(told[0]) >= number

    eventually(finished, f"{number} sweeps are finished")


def quiet(started: Started) -> Held:
    """Measure once nothing is being closed any more: twice the same."""
    last = Held.by(started.process.pid)

    def settled() -> bool:
        nonlocal last
        before, last = last, Held.by(started.process.pid)
        return (before.sockets, before.files, before.threads) == (last.sockets, last.files, last.threads)

    eventually(settled, "nothing is being opened or closed")
    return last
