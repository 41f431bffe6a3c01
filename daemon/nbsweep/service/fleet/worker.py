"""A worker of a fleet: takes jobs, each of which is a sweep of what is due on one account."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from nbsweep.core.due_sweeps.model import JobState
from nbsweep.core.errors import HeldElsewhere, JournalError
from nbsweep.core.events.fleet import AccountLeft, ConfigurationDiffers, WorkerStarted, WorkerStopped, WorkerStopping
from nbsweep.core.ports import Telemetry
from nbsweep.engine.report import leading_error
from nbsweep.engine.shutdown import Shutdown
from nbsweep.service.fleet.account_sweeps import AccountSweeps
from nbsweep.service.fleet.presence import WorkerPresence
from nbsweep.service.fleet.queue import SweepQueue
from nbsweep.service.fleet.reaper import REAPS, keep_reaping

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
        sweeps = self.accounts.get(account)
        if sweeps is None:
            self.telemetry.emit(
                AccountLeft(account, "it is not an account of this worker: its credentials may not be found here")
            )
            return
        self.presence.accounts.add(account)
        try:
            await sweeps.sweep()
        except* (JournalError, HeldElsewhere) as errors:
            self.telemetry.emit(AccountLeft(account, str(leading_error(errors))))
        finally:
            self.presence.accounts.discard(account)

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
