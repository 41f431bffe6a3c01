"""The port `SweepQueue` on procrastinate.

Jobs of one account have the same lock, so that at most one of them runs. There is no queueing lock: a stalled job with one
could not be ended while another waits (procrastinate's issue 1446). A job says only which account has something due: what is
due is in the journal, so that a lost job is deferred again, and a superfluous one does nothing.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

import anyio
from procrastinate import App, JobContext
from procrastinate.worker import Worker
from sqlalchemy import Connection

from nbsweep.adapters.journal.queue.batches import Batches
from nbsweep.adapters.journal.queue.connector import JournalConnector, Row, fetch
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.errors import JournalError

TASK = "sweep"
"""The name of the only task."""
QUEUE = "sweeps-"
"""The prefix of the queues; the digest of the configuration follows, so that a worker takes only jobs of its own."""
LOCK = "account:"
HEARTBEATS = 6
"""The number of heartbeats of a worker while a lease lasts."""
STALLED_AFTER = 1 / 2
"""The share of the time of a lease after which a worker without a heartbeat counts as lost: its fences last longer."""
POLLS_EVERY_S = 2.0
"""How often a worker looks for jobs."""
ONE_DAY_S = 86_400.0
DEFERRING = 0x6E62_7377_6A6F_62
"""The advisory lock of transactions that defer jobs: "nbswjob" in ASCII."""

_DEFER = """
SELECT unnest(procrastinate_defer_jobs_v1(array_agg(
    ROW(%(queue)s, %(task)s, 0, %(lock)s || account, NULL, jsonb_build_object('account', account), NULL)
        ::procrastinate_job_to_defer_v1 ORDER BY place
))) AS id
FROM unnest(%(accounts)s::text[]) WITH ORDINALITY AS wanted(account, place)
WHERE NOT EXISTS (
    SELECT FROM procrastinate_jobs AS job WHERE job.lock = %(lock)s || account
    AND (job.status = 'doing' OR job.status = 'todo' AND job.queue_name = %(queue)s)
)
HAVING count(*) > 0
"""
_SUPERSEDED = """
DELETE FROM procrastinate_jobs WHERE status = 'todo' AND queue_name LIKE %(queues)s AND queue_name <> %(queue)s
AND lock IN (SELECT %(lock)s || account FROM unnest(%(accounts)s::text[]) AS account)
"""
_STALLED = """
SELECT job.id, job.lock, job.worker_id, job.queue_name
FROM procrastinate_jobs AS job LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
WHERE job.status = 'doing' AND job.queue_name LIKE %(queues)s
AND (
    worker.id IS NULL OR job.id = ANY(%(lost)s::bigint[])
    OR worker.last_heartbeat < now() - make_interval(secs => %(after_s)s)
)
FOR UPDATE OF job SKIP LOCKED
"""
_FINISH = "SELECT procrastinate_finish_job_v1(%(id)s, 'failed', true)"
_DEFER_AGAIN = """
SELECT procrastinate_defer_jobs_v1(ARRAY[
    ROW(%(queue_name)s, %(task)s, 0, %(lock)s, NULL, jsonb_build_object('account', %(account)s::text), NULL)
        ::procrastinate_job_to_defer_v1
]) WHERE NOT EXISTS (SELECT FROM procrastinate_jobs AS job WHERE job.lock = %(lock)s AND job.status = 'todo')
"""
_JOBS = """
SELECT job.id, job.lock, job.queue_name, job.status, job.worker_id, max(event.at) AS since
FROM procrastinate_jobs AS job LEFT JOIN procrastinate_events AS event ON event.job_id = job.id
WHERE job.status IN ('todo', 'doing') AND job.queue_name LIKE %(queues)s
GROUP BY job.id ORDER BY job.id
"""
_MINE = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %(worker)s"


class ProcrastinateQueue:
    """The jobs of one configuration."""

    def __init__(self, connector: JournalConnector, config: str, lease_s: float) -> None:
        """Take the connector, the digest of the configuration of this process, and how long a lease lasts, in seconds."""
        # procrastinate would log every failure with a traceback to stderr.
        logging.getLogger("procrastinate").addHandler(logging.NullHandler())
        self._connector = connector
        self._queue = f"{QUEUE}{config}"
        self._deferrals = Batches(self._defer)
        self._lease_s = lease_s
        self._worker: Worker | None = None
        self._running: set[int] = set()
        """The jobs whose sweep runs in this process."""
        self._suspected: set[int] = set()
        """The jobs that this worker has taken according to the database, but did not run when `reap` looked last."""

    async def defer(self, accounts: Iterable[str]) -> Collection[str]:
        """Defer a job for each account that needs one; what is wanted meanwhile is deferred in one transaction afterwards.

        Jobs of other configurations that wait for these accounts are removed: the queue would have them go first.
        """
        wanted = list(accounts)
        return await self._deferrals.do(wanted) if wanted else []

    async def _defer(self, accounts: Collection[str]) -> Collection[str]:
        arguments = {"queue": self._queue, "queues": f"{QUEUE}%", "task": TASK, "lock": LOCK, "accounts": list(accounts)}

        def work(connection: Connection) -> Sequence[Row]:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": DEFERRING})
            connection.exec_driver_sql(_SUPERSEDED, arguments)
            ids = [row["id"] for row in fetch(connection, _DEFER, arguments)]
            return fetch(connection, "SELECT lock FROM procrastinate_jobs WHERE id = ANY(%(ids)s::bigint[])", {"ids": ids})

        return {_account(row) for row in await self._connector.perform(work)}

    async def reap(self) -> tuple[str, ...]:
        """End the jobs whose workers send no heartbeat, also if the row of the worker was removed meanwhile.

        In the same transaction a job in the place of each is deferred, if none waits. A job that this worker has taken without
        learning of it, because the answer was lost, ends as well.
        """
        lost = await self._unknown_to_me()
        arguments = {"queues": f"{QUEUE}%", "after_s": self._lease_s * STALLED_AFTER, "lost": list(lost & self._suspected)}
        self._suspected = lost - self._suspected

        def work(connection: Connection) -> Sequence[Row]:
            stalled = fetch(connection, _STALLED, arguments)
            for row in stalled:
                connection.exec_driver_sql(_FINISH, row)
                connection.exec_driver_sql(_DEFER_AGAIN, {**row, "task": TASK, "account": _account(row)})
            return stalled

        return tuple(map(_account, await self._connector.perform(work)))

    async def jobs(self) -> tuple[Job, ...]:
        """List the jobs that wait or run, those that were deferred first come first."""
        return tuple(map(_job_of, await self._connector.execute_query_all_async(_JOBS, queues=f"{QUEUE}%")))

    async def work(self, sweep: Callable[[str], Awaitable[None]], at_once: int, stop: anyio.Event) -> None:
        """Take jobs until `stop`. An outage of the database that lasts too long ends the worker, and a new one begins."""
        app = App(connector=self._connector)

        @app.task(name=TASK, pass_context=True)
        async def run(context: JobContext, account: str) -> None:
            await self._run(context, account, sweep)

        while not stop.is_set():
            await self._work(app, self._make_worker(app, at_once), stop)

    def _make_worker(self, app: App, at_once: int) -> Worker:
        self._worker = Worker(
            app,
            queues=[self._queue],
            concurrency=at_once,
            fetch_job_polling_interval=POLLS_EVERY_S,
            # An abort would be a second way to stop a sweep, beside its own shutdown.
            abort_job_polling_interval=ONE_DAY_S,
            listen_notify=False,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=self._lease_s / HEARTBEATS,
            stalled_worker_timeout=self._lease_s * STALLED_AFTER,
        )
        return self._worker

    async def _work(self, app: App, worker: Worker, stop: anyio.Event) -> None:
        async def stop_when_told() -> None:
            await stop.wait()
            worker.stop()  # type: ignore[no-untyped-call]  # procrastinate says no types here
            # procrastinate's own heartbeats end here, while the jobs under way go on.
            while True:
                await anyio.sleep(self._lease_s / HEARTBEATS)
                if worker.worker_id is not None:
                    with suppress(JournalError):
                        await app.job_manager.update_heartbeat(worker.worker_id)

        async with anyio.create_task_group() as group:
            group.start_soon(stop_when_told, name="queue-stop")
            try:
                await worker.run()  # type: ignore[no-untyped-call]  # procrastinate says no types here
            except JournalError:
                await anyio.sleep(POLLS_EVERY_S)
            group.cancel_scope.cancel()

    async def _run(self, context: JobContext, account: str, sweep: Callable[[str], Awaitable[None]]) -> None:
        number = context.job.id or 0
        self._running.add(number)
        try:
            await sweep(account)
        finally:
            self._running.discard(number)

    async def _unknown_to_me(self) -> set[int]:
        number = self._worker.worker_id if self._worker else None
        if number is None:
            return set()
        rows = await self._connector.execute_query_all_async(_MINE, worker=number)
        return {row["id"] for row in rows} - self._running


def _account(row: Row) -> str:
    return str(row["lock"]).removeprefix(LOCK)


def _job_of(row: dict[str, Any]) -> Job:
    state = JobState.RUNNING if row["status"] == "doing" else JobState.WAITING
    return Job(_account(row), state, str(row["queue_name"]).removeprefix(QUEUE), row["since"], row["worker_id"])
