"""The processes of one night: the real dispatcher, workers, sweeps of accounts and fences, on fakes."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random

import anyio
from anyio.abc import TaskGroup

from nbsweep.core.errors import NbsweepError
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.ports import Ports
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.core.workers.model import WorkerRecord
from nbsweep.engine.coordination.fence import FenceOptions
from nbsweep.engine.report import Run
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.survey import Area
from nbsweep.service.fleet.account_sweeps import AccountSweeps
from nbsweep.service.fleet.dispatched_target import DispatchedTarget
from nbsweep.service.fleet.dispatcher import Dispatcher
from nbsweep.service.fleet.presence import WorkerPresence
from nbsweep.service.fleet.reaper import keep_reaping
from nbsweep.service.fleet.worker import Worker
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.testing import FakeClock, FakeCloud, InMemoryJournal, RecordingTelemetry
from simulation.nights.job_queue import CONFIG, JobTable, ProcessQueue
from simulation.nights.night import LEASE_S, RESTARTS_AFTER_S, Night
from simulation.nights.processes import Process, journal_of
from simulation.nights.sweeps import TimedSweeper, Witness
from unit.engine.world import options

LEASE = timedelta(seconds=LEASE_S)


@dataclass(slots=True)
class Fleet:
    """The processes of one night."""

    night: Night
    witness: Witness
    random: Random
    clock: FakeClock
    cloud: FakeCloud
    journal: InMemoryJournal = field(default_factory=InMemoryJournal)
    table: JobTable = field(default_factory=JobTable)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    alive: dict[str, tuple[Process, anyio.CancelScope]] = field(default_factory=dict)
    serving: dict[str, dict[str, DispatchedTarget]] = field(default_factory=dict)
    make_queue: Callable[[JobTable, Process, float], ProcessQueue] = ProcessQueue
    crashes: int = 0

    @property
    def recorded(self) -> set[str]:
        """Return the accounts that have a job, or have begun."""
        return {job.account for job in self.table.jobs.values()} | set(self.witness.begun)

    def start(self, group: TaskGroup) -> None:
        """Start two `serve` processes and the workers, which are started again after a crash."""
        for kind, run in [("serve", self._serve)] * 2 + [("worker", self._work)] * self.night.workers:
            group.start_soon(self._keep_running, kind, run)

    async def _keep_running(self, kind: str, run: Callable[[Process], Awaitable[None]]) -> None:
        while True:
            process = Process(f"{kind}-{next(self.numbers)}")
            with anyio.CancelScope() as scope:
                self.alive[process.name] = (process, scope)
                await run(process)
            self.serving.pop(process.name, None)
            await anyio.sleep(RESTARTS_AFTER_S)

    def crash_one(self) -> None:
        """Kill a process at random; nothing that it does reaches anybody any more."""
        process, scope = self.alive.pop(self.random.choice(sorted(self.alive)))
        process.killed = True
        scope.cancel()
        self.crashes += 1

    def due(self, names: Iterable[str]) -> None:
        """Let accounts become due, as the schedule of each `serve` does."""
        for targets in self.serving.values():
            for name in names:
                targets[name].due()

    async def left(self) -> int:
        """Return how many sweeps, jobs and accounts are open."""
        open_works = sum(work.ended_s is None for work in self.witness.work.values())
        return open_works + len(self.table.jobs) + len(await self.journal.due_sweeps.open())

    def _sweeper(self, account: str, process: Process, shutdown: Shutdown) -> TimedSweeper:
        ports = Ports(self.cloud, journal_of(self.journal, process), self.clock, self.telemetry)
        area = Area(account, None, ("NOTEBOOK",))
        return TimedSweeper(area, ports, options(), Brakes(None, None), shutdown, process=process, witness=self.witness)

    def _options(self, process: Process) -> RunnerOptions:
        def new_run(dry_run: bool) -> Run:  # noqa: FBT001  # as the options say
            return Run(f"{process.name}-{next(self.numbers)}", process.name, dry_run)

        return RunnerOptions(dry_run=False, new_run=new_run, next_run=lambda _: None)

    async def _work(self, process: Process) -> None:
        shutdown, journal = Shutdown(), journal_of(self.journal, process)
        queue = self.make_queue(self.table, process, LEASE_S)
        accounts = {name: self._account(name, process, shutdown) for name in self.witness.work}
        now = self.clock.now()
        record = WorkerRecord(process.holder, "1", now, now, CONFIG, len(accounts), self.night.at_once)
        worker = Worker(
            accounts,
            queue,
            self.telemetry,
            shutdown,
            WorkerPresence(journal, record),
            accounts_at_once=self.night.at_once,
            drain_s=LEASE_S,
            lease=LEASE,
        )
        await worker.run()

    def _account(self, name: str, process: Process, shutdown: Shutdown) -> AccountSweeps:
        sweeper = self._sweeper(name, process, shutdown)
        fence_options = FenceOptions(process.holder, LEASE)
        return AccountSweeps(
            name,
            {name: sweeper},
            is_certain=True,
            lanes=sweeper.lanes,
            options=self._options(process),
            fence_options=fence_options,
            shutdown=shutdown,
            require_valid=_refuse_plans,
        )

    async def _serve(self, process: Process) -> None:
        queue = self.make_queue(self.table, process, LEASE_S)
        targets = {
            name: DispatchedTarget(self._sweeper(name, process, Shutdown()), self._options(process), name, queue)
            for name in self.witness.work
        }
        journal = journal_of(self.journal, process)
        dispatcher = Dispatcher(targets, journal, self.clock, self.telemetry, FenceOptions(process.holder, LEASE), queue)
        self.serving[process.name] = targets
        async with anyio.create_task_group() as group:
            group.start_soon(dispatcher.lead, anyio.Event())
            group.start_soon(dispatcher.watch)
            group.start_soon(keep_reaping, queue, self.telemetry, LEASE)
            for target in targets.values():
                group.start_soon(target.run)


def _refuse_plans(plan: SavedPlan) -> None:
    raise NbsweepError(f"no plan is carried out in these nights, and not {plan.plan_id}")
