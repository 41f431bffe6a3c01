"""A worker of a fleet: takes jobs, each of which is a sweep of what is due on one account."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from nbsweep.core.due_sweeps.model import JobState
from nbsweep.core.errors import HeldElsewhere, JournalError
from nbsweep.core.events.fleet import AccountLeft, ConfigurationDiffers, WorkerStarted, WorkerStopped, WorkerStopping
from nbsweep.core.ports import Telemetry
from nbsweep.engine.report import describe_bug, leading_error
from nbsweep.engine.shutdown import Shutdown
from nbsweep.service.fleet.account_sweeps import AccountSweeps
from nbsweep.service.fleet.presence import WorkerPresence
from nbsweep.service.fleet.queue import SweepQueue
from nbsweep.service.fleet.reaper import REAPS, keep_reaping

UNKNOWN = "this worker does not know the account: its credentials, or IAM, may not be reached from here"
LAST_S = 5.0
"""Time beyond the drain that the end of the worker may take."""


@dataclass(slots=True)
class Worker:
    """Takes jobs until a shutdown begins."""

    accounts: Mapping[str, AccountSweeps]
    queue: SweepQueue
    telemetry: Telemetry
    shutdown: Shutdown
    presence: WorkerPresence
    accounts_at_once: int
    drain_s: float
    lease: timedelta
    _refused: Mapping[str, int] = field(default_factory=dict)
    """The number of jobs that wait for another configuration, by its digest, as logged last."""

    def not_ready(self) -> tuple[str, ...]:
        """Return why the worker takes no jobs, or nobody knows that it does; empty if it is ready."""
        if self.shutdown.begun.is_set():
            return ("it is stopping",)
        return (self.presence.problem,) if self.presence.problem else ()

    async def run(self) -> None:
        """Take jobs until a shutdown begins or an administrator drains the worker; then end within `drain_s`."""
        self.telemetry.emit(WorkerStarted(len(self.accounts), self.accounts_at_once, self.presence.plain.config))
        async with anyio.create_task_group() as group:
            group.start_soon(keep_reaping, self.queue, self.telemetry, self.lease, name="reaper")
            group.start_soon(self._look_for_refused, name="refused")
            group.start_soon(self.presence.keep, self.shutdown.begun, name="presence")
            group.start_soon(self._end_late, group.cancel_scope, name="stop")
            await self.queue.work(self._sweep, self.accounts_at_once, self.shutdown.begun)
            group.cancel_scope.cancel()
        await self.presence.say_stopped()
        self.telemetry.emit(WorkerStopped())

    async def _sweep(self, account: str) -> None:
        """Carry out what is due on an account. What is left, another job carries out later."""
        self.presence.accounts.add(account)
        try:
            for sweeps in await self._sweeps_of(account):
                await sweeps.sweep(account)
        except* (JournalError, HeldElsewhere) as errors:
            self.telemetry.emit(AccountLeft(account, str(leading_error(errors))))
        except* Exception as bugs:  # noqa: BLE001  # one account's bug is not to end the others' sweeps
            # The queue would note that the job failed, and tell nobody why.
            self.telemetry.emit(AccountLeft(account, f"a bug in nbsweep: {describe_bug(bugs)}"))
        finally:
            self.presence.accounts.discard(account)

    async def _sweeps_of(self, account: str) -> Sequence[AccountSweeps]:
        """Return the account of a job as this process knows it.

        Processes name an account differently if one of them could not look it up. A process that could not must not take the
        jobs of another name: it would call the account beside the process that holds its fence.
        """
        if account in self.accounts:
            return [self.accounts[account]]
        due = {sweep.target for sweep in await self.presence.journal.due_sweeps.open(account)}
        found = [each for each in self.accounts.values() if each.is_certain and not due.isdisjoint(each.sweepers)]
        if not found:
            self.telemetry.emit(AccountLeft(account, UNKNOWN))
        return found

    async def _end_late(self, scope: anyio.CancelScope) -> None:
        """End the worker some time after its drain, whatever still runs. The sweeps observe the drain themselves."""
        await self.shutdown.begun.wait()
        self.telemetry.emit(WorkerStopping(len(self.presence.accounts), self.drain_s))
        await anyio.sleep(self.drain_s + LAST_S)
        scope.cancel()

    async def _look_for_refused(self) -> None:
        """Report jobs that wait for another configuration than this worker's, once for each change of their number."""
        while True:
            with suppress(JournalError):
                self._report_refused(Counter(job.config for job in await self.queue.jobs() if job.state is JobState.WAITING))
            await anyio.sleep(self.lease.total_seconds() / REAPS)

    def _report_refused(self, waiting: Counter[str]) -> None:
        refused = {config: jobs for config, jobs in waiting.items() if config != self.presence.plain.config}
        for config, jobs in refused.items():
            if self._refused.get(config) != jobs:
                self.telemetry.emit(ConfigurationDiffers(jobs, config, self.presence.plain.config))
        self._refused = self.presence.refused = refused
