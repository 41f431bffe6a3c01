"""Carries out what is due on one account, while this process holds the fence of the account."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Protocol

import anyio
from anyio import to_thread
from msgspec.structs import replace

from nbsweep.core.due_sweeps.model import SCHEDULE, DueSweep
from nbsweep.core.errors import NbsweepError
from nbsweep.core.events.service import TargetBackedOff, TargetRestored, TargetSkipped
from nbsweep.core.fences.model import lanes_fence
from nbsweep.core.fences.port import CallFence
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.engine.coordination.fence import ClosedFence, FenceGuard, FenceOptions
from nbsweep.engine.report import Run
from nbsweep.engine.saved_plan import PlanConstraint
from nbsweep.engine.shutdown import Shutdown, ended_by
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.fleet.settling import settled
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.plans.saved_plans import open_plan
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.service.targets.sweeping import approve_every_plan, reported


class AccountLanes(Protocol):
    """The lanes of an account."""

    fence: CallFence | None
    """Says whether a call may leave; None for always."""

    def recall(self, memory: str, age_s: float) -> bool:
        """Continue from what another process had learned so many seconds ago; return False if it cannot be read."""
        ...

    def remembered(self) -> str:
        """Return what was learned, for the next process."""
        ...


@dataclass(slots=True)
class AccountSweeps:
    """The sweeps of one account."""

    account: str
    sweepers: Mapping[str, Sweeper]
    """By target."""
    is_certain: bool
    """Whether the account was looked up, or named in the configuration; otherwise its credentials stand for it."""
    lanes: AccountLanes
    options: RunnerOptions
    fence_options: FenceOptions
    shutdown: Shutdown
    """The shutdown of the process."""
    require_valid: Callable[[SavedPlan], None]
    """Checks that a plan may be carried out now, under the configuration of this process; raises ConfigurationError."""
    _one_at_a_time: anyio.Lock = field(default_factory=anyio.Lock, init=False)

    def __post_init__(self) -> None:
        """Let no call leave before the account is held."""
        self.lanes.fence = ClosedFence()

    async def sweep(self, known_as: str) -> None:
        """Carry out all that is due, target by target side by side, and what becomes due meanwhile; then free the account.

        What is due may name the account otherwise, if the process that recorded it could not look it up. A second job of the
        account waits for the first one: a process that holds a fence would get it again at once. There are two if the queue
        has taken the job away from a process that was stopped for a while, or if they name the account differently.

        Raises:
            JournalError: the journal cannot be used; what is due stays due.
            HeldElsewhere: another process has the account, and this one stops.
        """
        async with self._one_at_a_time:
            await self._sweep_fenced(known_as)

    async def _sweep_fenced(self, known_as: str) -> None:
        journal, clock, telemetry = self._ports()
        guard = FenceGuard(
            lanes_fence(self.account), journal.fences, clock, telemetry, self.fence_options, self.lanes.remembered
        )
        async with guard.held(self.shutdown.begun) as fence:
            self.lanes.recall(fence.memory, fence.memory_age_s)
            self.lanes.fence = guard
            try:
                async with ended_by(self.shutdown, guard.lost) as shutdown:
                    await self._sweep_all(known_as, guard, shutdown)
            finally:
                self.lanes.fence = ClosedFence()

    def _ports(self) -> tuple[Journal, Clock, Telemetry]:
        ports = next(iter(self.sweepers.values())).ports
        return ports.journal, ports.clock, ports.telemetry

    async def _sweep_all(self, known_as: str, guard: FenceGuard, shutdown: Shutdown) -> None:
        while not shutdown.begun.is_set() and (due := await self._due(known_as)):
            async with anyio.create_task_group() as group:
                for target, sweeps in due.items():
                    group.start_soon(self._sweep_target, target, sweeps, guard, shutdown, name=f"target-{target}")

    async def _due(self, known_as: str) -> Mapping[str, list[DueSweep]]:
        """Return the sweeps that may begin now, by target; those of other processes' targets are left to them."""
        journal, _, _ = self._ports()
        now = await journal.now()
        due: dict[str, list[DueSweep]] = {}
        for sweep in await journal.due_sweeps.open(known_as):
            if sweep.target in self.sweepers and sweep.not_before <= now:
                due.setdefault(sweep.target, []).append(sweep)
        return due

    async def _sweep_target(self, target: str, sweeps: list[DueSweep], guard: FenceGuard, shutdown: Shutdown) -> None:
        sweeper = dataclasses.replace(self.sweepers[target], shutdown=shutdown)
        sweeper.known = self.sweepers[target].known
        attempt = TargetAttempt(sweeper, self.options, self.require_valid)
        with sweeper.ports.telemetry.bound(target=target):
            for sweep in sweeps:
                if not shutdown.begun.is_set():
                    await attempt.carry_out(sweep, guard)
        self.sweepers[target].known = sweeper.known


@dataclass(slots=True)
class TargetAttempt:
    """Attempts of the due sweeps of one target."""

    sweeper: Sweeper
    options: RunnerOptions
    require_valid: Callable[[SavedPlan], None]

    async def carry_out(self, sweep: DueSweep, guard: FenceGuard) -> None:
        """Attempt a due sweep, unless its target is paused, and record what becomes of it.

        A pause does not keep the removals of a worker that died from being followed.

        Raises:
            JournalError: the journal cannot be used.
        """
        journal, clock = self.sweeper.ports.journal, self.sweeper.ports.clock
        pause = await journal.control.pause_of(sweep.target)
        paused = pause is not None and pause.in_force(clock.now())
        if paused:
            self.sweeper.ports.telemetry.emit(TargetSkipped(f"it is {pause}"))
        if paused and sweep.begun_at is None:
            await journal.due_sweeps.end(sweep, await journal.now())
            return
        if not await journal.due_sweeps.begin(sweep, await journal.now()):
            return
        work = self.sweeper.recover if paused else await self._work_of(sweep)
        report = await reported(work, sweep.target, self.options)
        if not guard.lost.is_set():
            # With the fence lost, the next worker decides what becomes of it.
            await self._settle(sweep, report)

    async def _work_of(self, sweep: DueSweep) -> Callable[[Run], Awaitable[Report]]:
        """Return what an attempt does.

        A plan by which a worker has begun to delete is followed to its end, and not carried out again. One whose worker died
        before that is carried out.
        """
        if not sweep.plan_id:
            return partial(self._sweep, sweep)
        plan = await self.sweeper.ports.journal.plans.find(sweep.plan_id)
        if plan and plan.carried_out_at is not None:
            return self.sweeper.recover
        return partial(self._carry_out_plan, sweep)

    async def _sweep(self, sweep: DueSweep, run: Run) -> Report:
        # The first attempt that finds another sweeper at work is a run on record; a long wait would fill the history.
        if sweep.problem and not run.dry_run and (held := await self.sweeper.held_elsewhere()):
            return Report(sweep.target, Outcome.HELD_ELSEWHERE, error=held)
        started = run if sweep.by == SCHEDULE else replace(run, started_by=sweep.by)
        return await self.sweeper.sweep(started, approve_every_plan)

    async def _carry_out_plan(self, sweep: DueSweep, run: Run) -> Report:
        try:
            plan = await self._valid_plan(sweep.plan_id)
        except NbsweepError as error:
            self.sweeper.ports.telemetry.emit(TargetSkipped(str(error)))
            return Report(sweep.target, Outcome.FAILED, error=error)
        [saved] = plan.targets
        constraint = PlanConstraint(f"the plan {plan.plan_id}", plan.plan_id, plan.expires_at, saved)
        return await PlanOrder(constraint, sweep.by).sweep(self.sweeper, run)

    async def _valid_plan(self, plan_id: str) -> SavedPlan:
        """Return an approved plan that may be carried out; the configuration may have changed since it was asked for."""
        document = await self.sweeper.ports.journal.plans.document(plan_id)
        if document is None:
            raise NbsweepError(f"the plan {plan_id} is not on record")
        plan = await to_thread.run_sync(partial(open_plan, document, plan_id))
        self.require_valid(plan)
        return plan

    async def _settle(self, sweep: DueSweep, report: Report) -> None:
        journal, telemetry = self.sweeper.ports.journal, self.sweeper.ports.telemetry
        now = await journal.now()
        rest = settled(sweep, report, now, timedelta(seconds=self.options.held_for_s))
        if rest is None:
            await journal.due_sweeps.end(sweep, now)
            if sweep.failures:
                telemetry.emit(TargetRestored(sweep.failures))
            return
        await journal.due_sweeps.put_off(rest)
        if rest.failures > sweep.failures:
            wait_s = (rest.not_before - now).total_seconds()
            telemetry.emit(TargetBackedOff(rest.failures, wait_s, rest.problem))
