"""The queue in memory keeps the words of the port, as procrastinate's does in tests/postgresql/test_queue.py."""

from asyncio import get_running_loop

import anyio

from nbsweep.core.due_sweeps.model import JobState
from simulation.nights.job_queue import JobTable, ProcessQueue
from simulation.nights.processes import Process
from unit.engine.world import virtual_time

pytestmark = virtual_time
LEASE_S = 60.0


def queue(table: JobTable, name: str = "a") -> ProcessQueue:
    """Return the queue as a process sees it."""
    return ProcessQueue(table, Process(name), LEASE_S)


async def test_an_account_has_one_job_at_a_time() -> None:
    """Whoever defers it again, also while it runs; the order is that in which accounts were deferred."""
    table = JobTable()
    assert await queue(table).defer(["x", "y", "x"]) == ["x", "y"]
    assert await queue(table, "b").defer(["z", "y"]) == ["z"]
    assert [job.account for job in await queue(table).jobs()] == ["x", "y", "z"]


async def test_jobs_are_taken_in_their_order_and_not_more_than_allowed_at_once() -> None:
    """Four jobs of ten seconds each in two slots; after `stop` the rest waits for others, and the last sweeps end."""
    table, taken, stop = JobTable(), list[tuple[str, float]](), anyio.Event()
    mine = queue(table)
    await mine.defer("wxyz")
    began_s = get_running_loop().time()

    async def sweep(account: str) -> None:
        taken.append((account, round(get_running_loop().time() - began_s)))
        await anyio.sleep(10)
        if account == "x":
            stop.set()

    await mine.work(sweep, 2, stop)
    assert taken[:2] == [("w", 0), ("x", 0)]
    assert {account for account, _ in taken} | {job.account for job in await mine.jobs()} == set("wxyz")
    assert all(job.state is JobState.WAITING for job in await mine.jobs())


async def test_the_job_of_a_killed_worker_is_deferred_again() -> None:
    """By anybody, after half a lease without a heartbeat, and once; that of a live worker is left."""
    table, killed = JobTable(), Process("killed")
    lost, other = ProcessQueue(table, killed, LEASE_S), queue(table, "other")
    await other.defer(["x"])

    async def sweep(_account: str) -> None:
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(lost.work, sweep, 1, anyio.Event())
        await anyio.sleep(40)
        assert await other.reap() == ()
        killed.killed = True
        group.cancel_scope.cancel()
    await anyio.sleep(20)
    assert await other.reap() == ()
    await anyio.sleep(20)
    assert await other.reap() == ("x",)
    assert await other.reap() == ()
    assert [(job.account, job.state) for job in await other.jobs()] == [("x", JobState.WAITING)]
