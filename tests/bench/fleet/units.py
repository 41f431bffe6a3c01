"""What one account, one notebook and one job cost, from runs that differ in one number."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

from bench.fleet.run import IDLE_S, FleetRun, idle_use
from bench.fleet.shape import Shape
from bench.fleet.usage import server_cpu_s
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.journal.queue.opening import open_queue
from nbsweep.core.due_sweeps.model import SCHEDULE, DueSweep
from nbsweep.service.fleet.queue import SweepQueue
from postgresql.conftest import Server

FEW, MANY = 10, 300
"""Notebooks of an account."""
LIMITS = {"delete": 300, "list": 300, "show": 600}
"""The limits that nbsweep keeps to unless it is told otherwise, in calls a minute."""
UNIT_SHAPES = tuple(
    Shape(8, notebooks, 1, at_once=8, per_minute=LIMITS, deletion_s=20.0, polling=("5s", "30s")) for notebooks in (FEW, MANY)
)
FEW_ACCOUNTS, MANY_ACCOUNTS = 4, 204
JOBS = 1000
AT_ONCE = 32
LOOKS = 200
LEASE_S = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost that grows with the number of notebooks of an account."""

    per_account: float
    per_notebook: float

    def cells(self) -> tuple[str, str]:
        """Write both."""
        return f"{self.per_account:,.1f}", f"{self.per_notebook:,.2f}"


FIGURES: Mapping[str, Callable[[FleetRun], float]] = {
    "calls": lambda run: run.calls.total(),
    "CPU of the worker, ms": lambda run: 1000 * run.workers.cpu_s,
    "CPU of PostgreSQL, ms": lambda run: 1000 * run.database.cpu_s,
    "CPU of `serve`, ms": lambda run: 1000 * run.serve.cpu_s,
    "commits": lambda run: run.database.commits,
    "rows of the journal": lambda run: sum(run.rows.values()),
    "bytes of the journal": lambda run: run.database.size_bytes,
    "bytes of write-ahead log": lambda run: run.database.wal_bytes,
}


def unit_costs(few: FleetRun, many: FleetRun) -> dict[str, Cost]:
    """Return what a sweep of an account costs by itself, and what each notebook adds."""
    return {name: line(few, many, figure) for name, figure in FIGURES.items()}


def line(few: FleetRun, many: FleetRun, figure: Callable[[FleetRun], float]) -> Cost:
    """Put a straight line through two runs."""
    low, high = (figure(run) / run.shape.accounts for run in (few, many))
    per_notebook = (high - low) / (many.shape.notebooks - few.shape.notebooks)
    return Cost(low - per_notebook * few.shape.notebooks, per_notebook)


def idle_costs(server: Server) -> dict[str, tuple[float, float]]:
    """Return what each account adds to `serve` and to a worker that have nothing to do."""
    found = []
    for accounts in (FEW_ACCOUNTS, MANY_ACCOUNTS):
        with tempfile.TemporaryDirectory(prefix="nbsweep-bench-") as name:
            found.append(idle_use(accounts, server, Path(name)))
    more = MANY_ACCOUNTS - FEW_ACCOUNTS
    few, many = found
    return {
        "memory, kB": pair(1000 * (b.peak_mb - a.peak_mb) / more for a, b in zip(few, many, strict=True)),
        "CPU of the start, ms": pair(1000 * (b.start_cpu_s - a.start_cpu_s) / more for a, b in zip(few, many, strict=True)),
        f"CPU of {IDLE_S:.0f} s without work, ms": pair(
            1000 * (b.cpu_s - a.cpu_s) / more for a, b in zip(few, many, strict=True)
        ),
    }


def pair(values: Iterable[float]) -> tuple[float, float]:
    """Return the two values."""
    serve, worker = values
    return serve, worker


@dataclass(frozen=True, slots=True)
class Reading:
    """What was used until now, in milliseconds."""

    wall_ms: float
    own_cpu_ms: float
    server_cpu_ms: float

    @staticmethod
    def now(server: Server) -> "Reading":
        """Read all clocks."""
        return Reading(1000 * time.monotonic(), 1000 * time.process_time(), 1000 * server_cpu_s(server))

    def since(self, before: "Reading", count: int) -> tuple[float, float, float]:
        """Return what each of so many took since."""
        return (
            (self.wall_ms - before.wall_ms) / count,
            (self.own_cpu_ms - before.own_cpu_ms) / count,
            (self.server_cpu_ms - before.server_cpu_ms) / count,
        )


async def queue_costs(server: Server) -> dict[str, tuple[float, float, float]]:
    """Return what a job costs beside its sweep, and what the look of `serve` at a thousand open sweeps costs."""
    accounts = [f"account-{number:04d}" for number in range(JOBS)]
    async with open_journal(server.new_database()) as journal:
        queue = await open_queue(journal, "bench", LEASE_S)
        readings = [Reading.now(server)]
        await asyncio.gather(*(queue.defer([account]) for account in accounts))
        readings.append(Reading.now(server))
        await work_off(queue, JOBS)
        readings.append(Reading.now(server))
        now = await journal.now()
        await asyncio.gather(*(journal.due_sweeps.add(DueSweep(account, account, now, SCHEDULE, now)) for account in accounts))
        readings.append(Reading.now(server))
        for _ in range(LOOKS):
            await journal.due_sweeps.open()
        readings.append(Reading.now(server))
    counts = {"a job is deferred": JOBS, "a job is taken and ended": JOBS, "a sweep is recorded as due": JOBS}
    counts |= {f"{JOBS:,} open sweeps are read": LOOKS}
    steps = zip(counts.items(), readings, readings[1:], strict=False)
    return {name: after.since(before, count) for (name, count), before, after in steps}


async def work_off(queue: SweepQueue, jobs: int) -> None:
    """Take so many jobs, and do nothing in each."""
    stop, done = anyio.Event(), 0

    async def count(_account: str) -> None:
        nonlocal done
        done += 1
        if done == jobs:
            stop.set()

    await queue.work(count, AT_ONCE, stop)
