"""The queue of a fleet over a real PostgreSQL server, with the situations in which procrastinate's own jobs hang."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import psycopg
import pytest

from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.journal.queue.opening import open_queue
from nbsweep.adapters.journal.queue.queue import ProcrastinateQueue
from nbsweep.adapters.journal.queue.schema import NOTE, migrations
from nbsweep.core.due_sweeps.model import JobState
from nbsweep.core.errors import JournalError

COPY = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args) "
    "SELECT queue_name, task_name, lock, args FROM procrastinate_jobs"
)
"""Defers the jobs that there are once more, past the check of `defer`."""
TAKE = "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(worker_id) FROM procrastinate_jobs)"
"""Has the worker that runs a job take all others too."""


@asynccontextmanager
async def opened(address: str, config: str = "c1", lease_s: float = 60.0) -> AsyncIterator[ProcrastinateQueue]:
    """Open the queue of one configuration."""
    async with open_journal(address) as journal:
        yield await open_queue(journal, config, lease_s)


def ask(address: str, query: str, *values: Any) -> Sequence[Any]:
    """Run a query beside the queue, as an administrator does."""
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(query, values or None)
        return cursor.fetchall() if cursor.description else ()


async def states(queue: ProcrastinateQueue) -> list[tuple[str, JobState]]:
    """Return the account and the state of each job."""
    return [(job.account, job.state) for job in await queue.jobs()]


async def test_each_account_has_one_job_that_waits(address: str) -> None:
    """However often, and by whatever processes, it is deferred."""
    async with opened(address) as one, opened(address) as other:
        assert await one.defer(["a", "b", "a"]) == ["a", "b"]
        assert await other.defer(["b", "c"]) == ["c"]
        assert await states(one) == [("a", JobState.WAITING), ("b", JobState.WAITING), ("c", JobState.WAITING)]


async def test_many_processes_that_defer_at_once_make_one_job(address: str) -> None:
    """The transactions that defer wait for each other."""
    async with opened(address) as one, opened(address) as other, anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(one.defer, ["a"])
            group.start_soon(other.defer, ["a"])
    async with opened(address) as queue:
        assert await states(queue) == [("a", JobState.WAITING)]


async def test_jobs_are_taken_in_order_and_as_many_as_allowed(address: str) -> None:
    """At most two run at once; each is gone when it has ended."""
    begun: list[str] = []
    most, running, stop = 0, 0, anyio.Event()

    async def sweep(account: str) -> None:
        nonlocal most, running
        begun.append(account)
        running += 1
        most = max(most, running)
        await anyio.sleep(0.05)
        running -= 1
        if len(begun) == 5:
            stop.set()

    async with opened(address) as queue:
        await queue.defer("abcde")
        with anyio.fail_after(30):
            await queue.work(sweep, 2, stop)
        assert (begun, most) == (list("abcde"), 2)
        assert await queue.jobs() == ()


async def test_an_account_is_swept_by_one_worker_at_a_time(address: str) -> None:
    """A job that is deferred while another of its account runs waits, whatever the worker."""
    running: set[str] = set()
    done = 0
    stop = anyio.Event()

    async def sweep(account: str) -> None:
        nonlocal done
        assert account not in running
        running.add(account)
        await anyio.sleep(0.2)
        running.discard(account)
        done += 1
        if done == 4:
            stop.set()

    async with opened(address) as one, opened(address) as other:
        await one.defer(["a"])
        # Past the check of `defer`, as it happens when the first job is taken in the same moment.
        ask(
            address,
            f"{COPY}, generate_series(1, 3)",
        )
        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                group.start_soon(one.work, sweep, 4, stop)
                group.start_soon(other.work, sweep, 4, stop)


async def test_a_worker_takes_no_job_of_another_configuration(address: str) -> None:
    """Its job waits for a worker that has that configuration, and says so."""
    swept: list[str] = []
    stop = anyio.Event()

    async def sweep(account: str) -> None:
        swept.append(account)

    async with opened(address, "old") as old, opened(address, "new") as new:
        await new.defer(["a"])
        with anyio.move_on_after(3):
            await old.work(sweep, 1, stop)
        assert swept == []
        [job] = await old.jobs()
        assert (job.account, job.config, job.state) == ("a", "new", JobState.WAITING)


async def test_a_job_of_an_earlier_configuration_does_not_block_its_account(address: str) -> None:
    """Without a worker of that configuration it would wait for ever, before the jobs of the account that are deferred later."""
    stop = anyio.Event()
    swept: list[str] = []

    async def sweep(account: str) -> None:
        swept.append(account)
        stop.set()

    async with opened(address, "old") as old, opened(address, "new") as new:
        await old.defer(["a", "b"])
        assert await new.defer(["a"]) == ["a"]
        assert [(job.account, job.config) for job in await new.jobs()] == [("b", "old"), ("a", "new")]
        with anyio.fail_after(30):
            await new.work(sweep, 1, stop)
        assert swept == ["a"]


async def test_a_stalled_job_is_deferred_again_for_its_own_configuration(address: str) -> None:
    """A process with another configuration may reap it, but does not make it a job of its own."""
    async with opened(address, "old") as old, opened(address, "new") as new:
        await old.defer(["a"])
        stalled(address)
        assert len(await new.reap()) == 1
        [job] = await new.jobs()
        assert (job.config, job.state) == ("old", JobState.WAITING)


def stalled(address: str, silent_s: int = 60) -> None:
    """Have a job of account `a` run on a worker that has been silent for so long."""
    insert = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s)) RETURNING id"
    [(number,)] = ask(address, insert, silent_s)
    ask(address, "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", number)


async def test_a_job_of_a_worker_without_a_heartbeat_is_reaped(address: str) -> None:
    """A new job waits in its place; by procrastinate alone the account would be blocked for ever."""
    async with opened(address) as queue:
        await queue.defer(["a"])
        stalled(address)
        assert await queue.defer(["a"]) == []
        assert await queue.reap() == ("a",)
        assert await queue.reap() == ()
        assert await states(queue) == [("a", JobState.WAITING)]


async def test_a_job_of_a_worker_that_sends_heartbeats_is_left_alone(address: str) -> None:
    """Whoever reaps."""
    async with opened(address) as queue:
        await queue.defer(["a"])
        stalled(address, silent_s=0)
        assert await queue.reap() == ()
        assert await states(queue) == [("a", JobState.RUNNING)]


async def test_a_job_whose_worker_was_pruned_is_reaped(address: str) -> None:
    """Issue 1518 of procrastinate: a new worker removes the row of a stalled one, whose jobs lose their worker then."""
    async with opened(address) as queue:
        await queue.defer(["a"])
        stalled(address)
        ask(address, "SELECT * FROM procrastinate_prune_stalled_workers_v1(30)")
        [job] = await queue.jobs()
        assert (job.state, job.worker) == (JobState.RUNNING, None)
        assert await queue.reap() == ("a",)
        assert await states(queue) == [("a", JobState.WAITING)]


async def test_a_stalled_job_is_reaped_beside_a_waiting_one(address: str) -> None:
    """Issue 1446 of procrastinate: with a queueing lock, the stalled job could not return while another waits."""
    async with opened(address) as queue:
        await queue.defer(["a"])
        stalled(address)
        ask(
            address,
            COPY,
        )
        assert await queue.reap() == ("a",)
        assert await states(queue) == [("a", JobState.WAITING)]


async def test_reaping_needs_no_job_and_no_free_worker(address: str) -> None:
    """Issue 1408 of procrastinate: what reaps must not be a job, which can stall itself, or wait behind the stalled ones."""
    reached, stop = anyio.Event(), anyio.Event()

    async def hang(_account: str) -> None:
        reached.set()
        await stop.wait()

    async with opened(address) as busy, opened(address) as queue:
        await busy.defer(["hangs"])
        async with anyio.create_task_group() as group:
            group.start_soon(busy.work, hang, 1, stop)
            with anyio.fail_after(30):
                await reached.wait()
            await queue.defer(["a"])
            [(number,)] = ask(
                address, "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 h') RETURNING id"
            )
            ask(address, "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE lock = 'account:a'", number)
            assert await busy.reap() == ("a",)
            stop.set()


async def test_a_job_whose_taking_was_not_learned_of_is_reaped(address: str) -> None:
    """The answer of the database may be lost after a job was taken: its worker lives, but no sweep runs."""
    reached, stop = anyio.Event(), anyio.Event()

    async def hang(_account: str) -> None:
        reached.set()
        await stop.wait()

    async with opened(address) as queue:
        await queue.defer(["runs"])
        async with anyio.create_task_group() as group:
            group.start_soon(queue.work, hang, 1, stop)
            with anyio.fail_after(30):
                await reached.wait()
            await queue.defer(["lost"])
            ask(
                address,
                TAKE,
            )
            assert await queue.reap() == ()
            assert await queue.reap() == ("lost",)
            assert await states(queue) == [("runs", JobState.RUNNING), ("lost", JobState.WAITING)]
            stop.set()


async def test_a_worker_that_takes_no_more_jobs_is_not_taken_for_lost(address: str) -> None:
    """Its sweeps go on for as long as the drain allows, and procrastinate would send no heartbeat meanwhile."""
    reached, stop, go_on = anyio.Event(), anyio.Event(), anyio.Event()

    async def drain(_account: str) -> None:
        reached.set()
        await go_on.wait()

    async with opened(address, lease_s=3) as queue, anyio.create_task_group() as group:
        await queue.defer(["a"])
        group.start_soon(queue.work, drain, 1, stop)
        with anyio.fail_after(30):
            await reached.wait()
        stop.set()
        await anyio.sleep(3)
        assert await queue.reap() == ()
        go_on.set()


async def test_a_sweep_goes_on_though_its_job_was_reaped(address: str) -> None:
    """A worker that was stopped for a while finds its job gone, which ends neither the sweep nor the worker; it runs again."""
    swept: list[str] = []
    go_on, reached, stop = anyio.Event(), anyio.Event(), anyio.Event()

    async def sweep(account: str) -> None:
        swept.append(account)
        reached.set()
        if account == "a":
            await go_on.wait()
        else:
            stop.set()

    async with opened(address) as queue, opened(address) as other:
        await queue.defer(["a"])
        async with anyio.create_task_group() as group:
            group.start_soon(queue.work, sweep, 1, stop)
            with anyio.fail_after(30):
                await reached.wait()
            ask(address, "UPDATE procrastinate_workers SET last_heartbeat = '2000-01-01Z'")
            assert len(await other.reap()) == 1
            ask(address, "SELECT * FROM procrastinate_prune_stalled_workers_v1(30)")
            go_on.set()
            await other.defer(["b"])
            with anyio.fail_after(30):
                await stop.wait()
    assert swept == ["a", "a", "b"]


async def test_a_failing_sweep_ends_neither_the_worker_nor_the_other_sweeps(address: str) -> None:
    """Its job ends as well: what is due stays in the journal."""
    swept: list[str] = []
    stop = anyio.Event()

    async def sweep(account: str) -> None:
        swept.append(account)
        if account == "bad":
            raise ValueError(account)
        stop.set()

    async with opened(address) as queue:
        await queue.defer(["bad", "good"])
        with anyio.fail_after(30):
            await queue.work(sweep, 1, stop)
        assert swept == ["bad", "good"]
        assert await queue.jobs() == ()


async def test_the_tables_of_the_queue_are_made_once(address: str) -> None:
    """By the first process; several that start together wait for each other."""
    async with anyio.create_task_group() as group:

        async def start() -> None:
            async with opened(address):
                pass

        for _ in range(4):
            group.start_soon(start)
    assert ask(address, "SELECT value FROM meta WHERE key = %s", NOTE) == [(migrations()[-1].stem,)]


async def test_an_older_queue_is_migrated(address: str) -> None:
    """Each migration that is missing is applied, in order: here those since procrastinate 3.0."""
    async with open_journal(address):
        pass
    older = [file for file in migrations() if file.stem < "03.01"]
    assert len(older) < len(migrations())
    for file in older:
        ask(address, file.read_text(encoding="utf-8"))
    ask(address, "INSERT INTO meta (key, value) VALUES (%s, %s)", NOTE, older[-1].stem)
    async with opened(address) as queue:
        assert await queue.defer(["a"]) == ["a"]
        assert await states(queue) == [("a", JobState.WAITING)]
    assert ask(address, "SELECT value FROM meta WHERE key = %s", NOTE) == [(migrations()[-1].stem,)]


async def test_a_newer_queue_is_refused(address: str) -> None:
    """The message says which versions differ."""
    async with opened(address):
        pass
    ask(address, "UPDATE meta SET value = '99.00.00_01_later' WHERE key = %s", NOTE)
    with pytest.raises(JournalError, match=r"99\.00\.00_01_later.*03\.04\.00"):
        async with opened(address):
            pass


async def test_tables_of_another_program_are_refused(address: str) -> None:
    """Their jobs would be taken for ours."""
    ask(address, "CREATE TABLE procrastinate_jobs (id bigint)")
    with pytest.raises(JournalError, match="tables of procrastinate that nbsweep did not make"):
        async with opened(address):
            pass


async def test_a_journal_on_sqlite_has_no_queue(tmp_path: Any) -> None:
    """A fleet needs PostgreSQL; the message names the keys."""
    async with open_journal(f"sqlite:///{tmp_path}/journal.db") as journal:
        with pytest.raises(JournalError, match="is not on PostgreSQL, which a fleet needs"):
            await open_queue(journal, "c1", 60.0)
