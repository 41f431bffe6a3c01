"""A sweep of one target: survey, plan, journal, execute, report. It needs its own settings and the ports, and nothing else."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import anyio

from nbsweep.core.call_events import LanesState
from nbsweep.core.errors import JournalError, NbsweepError, SweepTimedOut
from nbsweep.core.events import PlanBuilt, PlanRefused, SweepFinished, SweepStarted
from nbsweep.core.facts import Moment, format_age
from nbsweep.core.lifecycle import Removal, State, outcome
from nbsweep.core.plan import Brakes, Candidate, Plan, build_plan
from nbsweep.core.ports import Ports, RunRecord
from nbsweep.engine.executor import Executor
from nbsweep.engine.ledger import LAST_WRITE_S
from nbsweep.engine.orders import Facts, Orders, Shutdown, time_limited
from nbsweep.engine.recovery import close_crashed_runs, recover
from nbsweep.engine.survey import Area, Surveyor

Approve = Callable[[Plan], Awaitable[bool]]
"""Asked once, with a plan that is not empty and that no brake refused; False ends the sweep before the first change."""


@dataclass(frozen=True, slots=True)
class Run:
    """Who wants a sweep, and in which run."""

    run_id: str
    started_by: str
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What a sweep of one target came to."""

    target: str
    outcome: str
    """finished, dry-run, declined, refused, interrupted or failed."""
    plan: Plan | None = None
    removals: tuple[Removal, ...] = ()
    recovered: tuple[Removal, ...] = ()
    """What an earlier run had left, and this one brought to its end first."""
    error: NbsweepError | None = None
    """What ended it, when it failed."""
    duration_s: float = 0.0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many removals came to which outcome."""
        return Counter(outcome(removal) for removal in self.removals)

    @property
    def reclaimed_gb(self) -> int:
        """The size of the disks that are gone."""
        return sum(removal.capacity_gb or 0 for removal in self.removals if removal.state is State.DELETED)


@dataclass(slots=True)
class Sweeper:
    """Surveys and sweeps one target."""

    area: Area
    ports: Ports
    orders: Orders
    brakes: Brakes
    shutdown: Shutdown
    last_active: Mapping[str, datetime] = field(default_factory=dict)
    """As the journal knew it when the last survey began."""

    async def sweep(self, run: Run, approve: Approve) -> Report:
        """Do a whole sweep. What the world did to it is in the report; a bug is raised, after the journal was closed."""
        started_s = self.ports.clock.steady_s()
        record = RunRecord(run.run_id, self.area.target, self.ports.clock.now(), run.started_by, run.dry_run)
        report = Report(self.area.target, "interrupted")
        with self.ports.telemetry.bound(run_id=run.run_id, target=self.area.target):
            self.ports.telemetry.emit(SweepStarted(run.dry_run))
            try:
                await self.ports.journal.open_run(record)
                async with time_limited(self.shutdown, self.orders.time_limit) as shutdown:
                    report = await self._sweep(run, approve, shutdown)
                if shutdown.begun.is_set() and not self.shutdown.begun.is_set():
                    report = replace(report, outcome="failed", error=report.error or self._too_long())
            except NbsweepError as error:
                report = replace(report, outcome="failed", error=error)
            except Exception as bug:
                report = replace(report, outcome="failed", error=NbsweepError(f"a bug in nbsweep: {_describe(bug)}"))
                raise
            finally:
                duration_s = round(self.ports.clock.steady_s() - started_s, 3)
                report = await self._close(record, replace(report, duration_s=duration_s))
        return report

    async def plan(self) -> Plan:
        """Survey the fleet, judge it, and put what may go in order."""
        self.last_active = await self.ports.journal.last_active(self.area.target)
        moment = Moment(self.ports.clock.now(), self.last_active)
        survey = await Surveyor(self.area, self.ports, self.orders.rules, moment).survey()
        plan = build_plan(survey, self.brakes)
        refused_by = plan.refusal.brake if plan.refusal else None
        kept = {reason.value: count for reason, count in plan.kept.items()}
        self.ports.telemetry.emit(PlanBuilt(plan.fleet, len(plan.items), kept, refused_by))
        if plan.refusal:
            self.ports.telemetry.emit(PlanRefused(plan.refusal.brake, plan.refusal.message))
        return plan

    def _too_long(self) -> SweepTimedOut:
        limit = format_age(self.orders.time_limit)
        return SweepTimedOut(
            f"the sweep took longer than service.sweep_timeout ({limit}): it took no more notebooks, and the next run goes on"
        )

    async def _sweep(self, run: Run, approve: Approve, shutdown: Shutdown) -> Report:
        """Recover, plan, ask, execute; each step may be the last."""
        report = Report(self.area.target, "interrupted")
        executor: Executor | None = None
        try:
            if not run.dry_run:
                await close_crashed_runs(self.area.target, run.run_id, self.ports)
                recovered = await recover(self.area.target, self.ports, self.orders.patience, shutdown.begun)
                report = replace(report, recovered=recovered)
            async with _given_up_on(shutdown.begun):
                report = replace(report, plan=await self.plan())
                report = replace(report, outcome=await self._permission(run, report, approve))
            if report.outcome == "approved" and report.plan:
                executor = self._executor(report.plan, shutdown)
                await self._execute(run, report.plan, executor)
                report = replace(report, outcome="interrupted" if shutdown.begun.is_set() else "finished")
        except (NbsweepError, ExceptionGroup) as error:
            report = replace(report, outcome="failed", error=leading_error(error))
        return replace(report, removals=tuple(executor.removals.values())) if executor else report

    async def _permission(self, run: Run, report: Report, approve: Approve) -> str:
        """Find out whether the plan may be carried out; whatever is not `approved` is the sweep's outcome."""
        plan = report.plan
        if plan is None or plan.refusal:
            return "refused"
        if run.dry_run:
            return "dry-run"
        if not plan.items:
            return "finished"
        return "approved" if await approve(plan) else "declined"

    def _executor(self, plan: Plan, shutdown: Shutdown) -> Executor:
        planned = {item.notebook.id: item.notebook for item in plan.items}
        positions = {item.notebook.id: item.position for item in plan.items}
        return Executor(self.ports, self.orders, Facts(planned, self.last_active, positions), shutdown)

    async def _execute(self, run: Run, plan: Plan, executor: Executor) -> None:
        removals = [planned_removal(run.run_id, plan, item) for item in plan.items]
        await self.ports.journal.write(removals)
        await executor.execute(removals)

    async def _close(self, record: RunRecord, report: Report) -> Report:
        """Write down how it ended, and tell it; a journal that fails here is itself how it ended."""
        kept = {reason.value: count for reason, count in report.plan.kept.items()} if report.plan else {}
        lanes = self.ports.cloud.lanes_state()
        fleet, planned = (report.plan.fleet, len(report.plan.items)) if report.plan else (0, 0)
        try:
            with anyio.fail_after(LAST_WRITE_S, shield=True):
                await self.ports.journal.close_run(
                    replace(
                        record,
                        ended_at=self.ports.clock.now(),
                        outcome=report.outcome,
                        problem=str(report.error or ""),
                        fleet=fleet,
                        planned=planned,
                        kept=kept,
                        lanes=lanes,
                    )
                )
        except TimeoutError:
            late = JournalError(f"the end of the run could not be written within {LAST_WRITE_S:g} s")
            report = replace(report, outcome="failed", error=report.error or late)
        except NbsweepError as error:
            report = replace(report, outcome="failed", error=report.error or error)
        self.ports.telemetry.emit(LanesState({lane.lane: lane.figures for lane in lanes}))
        self.ports.telemetry.emit(
            SweepFinished(
                report.outcome,
                str(report.error or ""),
                fleet,
                planned,
                report.counts,
                kept,
                report.reclaimed_gb,
                report.duration_s,
            )
        )
        return report


def planned_removal(run_id: str, plan: Plan, item: Candidate) -> Removal:
    """Begin the way of one planned notebook."""
    notebook = item.notebook
    return Removal(
        run_id=run_id,
        target=plan.target,
        notebook_id=notebook.id,
        name=notebook.label,
        owner=notebook.owner_label,
        workspace_id=item.scope.workspace_id,
        feature=item.scope.feature,
        policy=item.verdict.rule,
        reason=item.verdict.sentence,
        status_before=notebook.status,
        capacity_gb=notebook.volume.capacity_gb if notebook.volume else None,
        category=notebook.volume.category if notebook.volume else None,
        planned_at=plan.created_at,
    )


def leading_error(error: NbsweepError | ExceptionGroup[Exception]) -> NbsweepError:
    """Find the error that ended a sweep among those that several tasks raised.

    Raises:
        ExceptionGroup: there is a bug among them.
    """
    found = list(_leaves(error))
    ours = [leaf for leaf in found if isinstance(leaf, NbsweepError)]
    if len(ours) < len(found):
        raise error
    return ours[0]


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _describe(bug: Exception) -> str:
    return "; ".join(f"{type(leaf).__name__}: {leaf}" for leaf in _leaves(bug))


@asynccontextmanager
async def _given_up_on(event: anyio.Event) -> AsyncIterator[None]:
    """Cancel what is inside when the event is set."""

    async def watch(scope: anyio.CancelScope) -> None:
        await event.wait()
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch, group.cancel_scope)
        yield
        group.cancel_scope.cancel()
