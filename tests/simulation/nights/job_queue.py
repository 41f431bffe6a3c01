"""The port `SweepQueue` in memory, by its words: a job for each account, taken in the order in which jobs were deferred."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

import anyio

from nbsweep.adapters.journal.queue.queue import HEARTBEATS, POLLS_EVERY_S, STALLED_AFTER
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.testing.records.fences import database_now
from simulation.nights.processes import Process

CONFIG = "night"
ANSWERS_IN_S = 0.005
"""How long the database takes for one request."""


@dataclass(slots=True)
class StoredJob:
    """A row of the queue."""

    number: int
    account: str
    since_s: float
    worker: int | None = None
    """The number of the worker that has taken it."""


@dataclass(slots=True)
class JobTable:
    """What all processes see of the queue."""

    jobs: dict[int, StoredJob] = field(default_factory=dict)
    heartbeats: dict[int, float] = field(default_factory=dict)
    """When each worker was alive last, by its number."""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, account: str) -> None:
        """Append a job."""
        number = next(self.numbers)
        self.jobs[number] = StoredJob(number, account, asyncio.get_running_loop().time())


class ProcessQueue:
    """The queue as one process sees it."""

    def __init__(self, table: JobTable, process: Process, lease_s: float) -> None:
        """Take the table, the process that uses it, and the lease by which lost workers are noticed."""
        self._table = table
        self._process = process
        self._lease_s = lease_s
        self._worker = next(table.numbers)
        self.lost_after_s = lease_s * STALLED_AFTER
        """How long a worker may be silent."""

    async def defer(self, accounts: Iterable[str]) -> Collection[str]:
        """Defer a job for each account without one."""
        await self._process.reach(ANSWERS_IN_S)
        has = {job.account for job in self._table.jobs.values()}
        wanted = [account for account in dict.fromkeys(accounts) if account not in has]
        for account in wanted:
            self._table.add(account)
        return wanted

    async def reap(self) -> tuple[str, ...]:
        """Defer the jobs of lost workers again."""
        await self._process.reach(ANSWERS_IN_S)
        stalled = [job for job in self._table.jobs.values() if job.worker is not None and self._is_lost(job.worker)]
        for job in stalled:
            del self._table.jobs[job.number]
            self._table.add(job.account)
        return tuple(job.account for job in stalled)

    async def jobs(self) -> tuple[Job, ...]:
        """List the jobs that wait or run."""
        await self._process.reach(ANSWERS_IN_S)
        return tuple(
            Job(job.account, JobState.RUNNING if job.worker else JobState.WAITING, CONFIG, database_now(), job.worker)
            for job in self._table.jobs.values()
        )

    async def work(self, sweep: Callable[[str], Awaitable[None]], at_once: int, stop: anyio.Event) -> None:
        """Take jobs until `stop`; whenever a sweep ends, the next job is taken at once."""
        slots = anyio.Semaphore(at_once)
        async with anyio.create_task_group() as group:
            group.start_soon(self._keep_alive)
            while not stop.is_set():
                await slots.acquire()
                job = await self._take()
                if job is None:
                    slots.release()
                    with anyio.move_on_after(POLLS_EVERY_S):
                        await stop.wait()
                    continue
                group.start_soon(self._run, job, sweep, slots)
            for _ in range(at_once):
                await slots.acquire()
            group.cancel_scope.cancel()

    def next_free(self) -> StoredJob | None:
        """Return the job that was deferred first of those that wait while no job of the same account runs."""
        jobs = self._table.jobs.values()
        running = {job.account for job in jobs if job.worker is not None}
        return next((job for job in jobs if job.worker is None and job.account not in running), None)

    async def _take(self) -> StoredJob | None:
        await self._process.reach(ANSWERS_IN_S)
        job = self.next_free()
        if job is not None:
            job.worker = self._worker
        return job

    async def _run(self, job: StoredJob, sweep: Callable[[str], Awaitable[None]], slots: anyio.Semaphore) -> None:
        try:
            await sweep(job.account)
            await self._process.reach(ANSWERS_IN_S)
            if job.number in self._table.jobs:
                # It is not there any more if it was reaped meanwhile.
                del self._table.jobs[job.number]
        finally:
            slots.release()

    async def _keep_alive(self) -> None:
        while True:
            await self._process.reach(ANSWERS_IN_S)
            self._table.heartbeats[self._worker] = asyncio.get_running_loop().time()
            await anyio.sleep(self._lease_s / HEARTBEATS)

    def _is_lost(self, worker: int) -> bool:
        silent_s = asyncio.get_running_loop().time() - self._table.heartbeats.get(worker, float("-inf"))
        return silent_s >= self.lost_after_s
