"""A sweep of one target: survey, plan, journal, execute, report. It needs its own settings and the ports, and nothing else."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial

import anyio
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.audit_events import AuditHead
from nbsweep.core.brake_events import PlanTrimmed, SweepFailure
from nbsweep.core.brakes import A_DAY, Brakes, Refusal
from nbsweep.core.call_events import LanesState
from nbsweep.core.errors import HeldElsewhere, JournalError, NbsweepError, SweepTimedOut
from nbsweep.core.events import PlanBuilt, PlanRefused, SweepFinished, SweepStarted
from nbsweep.core.facts import Moment, format_age
from nbsweep.core.follow_events import TargetChanged
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lease import GOOD_FOR, Lease, describe_held
from nbsweep.core.lifecycle import Removal
from nbsweep.core.permission import Deciding
from nbsweep.core.plan import Circumstances, Plan, Survey, build_plan
from nbsweep.core.ports import Ports
from nbsweep.core.runs import RunRecord
from nbsweep.engine.executor import Executor
from nbsweep.engine.lease import Tenure, look
from nbsweep.engine.ledger import LAST_WRITE_S
from nbsweep.engine.neighbours import LOOKS_BACK, Neighbour, last_otherwise, require_apart, words_of
from nbsweep.engine.orders import Facts, Orders, Shutdown, given_up_on, time_limited
from nbsweep.engine.planned import Limits, Permit, narrowed_plan, record_spared, require_valid
from nbsweep.engine.recovery import close_crashed_runs, recover
from nbsweep.engine.report import (
    HELD_ELSEWHERE,
    Approve,
    Report,
    Run,
    describe_bug,
    ended_record,
    leading_error,
    planned_removal,
)
from nbsweep.engine.survey import Area, Surveyor


class Sweeper(Struct):
    """Surveys and sweeps one target."""

    area: Area
    ports: Ports
    orders: Orders
    brakes: Brakes
    shutdown: Shutdown
    last_active: Mapping[str, datetime] = {}
    """As the journal knew it when the last survey began."""
    permit: Permit | None = None
    """What a saved plan permits; None where the policies alone decide."""
    known: TargetIdentity | None = None
    """What `identity` has found out."""
    neighbours: tuple[Neighbour, ...] = ()
    """The targets before it in the configuration that would cover some of the same notebooks if they were the same project."""

    async def sweep(self, run: Run, approve: Approve) -> Report:
        """Do a whole sweep. What the world did to it is in the report; a bug is raised, after the journal was closed."""
        started_s = self.ports.clock.steady_s()
        record = RunRecord(run.run_id, self.area.target, self.ports.clock.now(), run.started_by, run.dry_run)
        extent = self.area.identity(None).extent
        record = replace(record, extent=extent)
        report = Report(self.area.target, "interrupted")
        with self.ports.telemetry.bound(run_id=run.run_id, target=self.area.target):
            self.ports.telemetry.emit(SweepStarted(run.dry_run))
            try:
                record = await self._opened(record)
                async with time_limited(self.shutdown, self.orders.time_limit) as shutdown:
                    report = await self._alone(partial(Sweeper._sweep, approve=approve), run, shutdown)
                if shutdown.begun.is_set() and not (self.shutdown.begun.is_set() or report.error):
                    report = replace(report, outcome="failed", error=self._too_long())
            except NbsweepError as error:
                report = replace(report, outcome="failed", error=error)
            except Exception as bug:
                report = replace(report, outcome="failed", error=NbsweepError(f"a bug in nbsweep: {describe_bug(bug)}"))
                raise
            finally:
                duration_s = round(self.ports.clock.steady_s() - started_s, 3)
                report = await self._close(record, replace(report, duration_s=duration_s))
        return report

    async def recover(self, run: Run) -> Report:
        """Bring what earlier runs left to its end, and do no more; what the world did to it is in the report."""
        with self.ports.telemetry.bound(run_id=run.run_id, target=self.area.target):
            async with time_limited(self.shutdown, self.orders.time_limit) as shutdown:
                # It writes to the journal whatever the run is for, so it has to be the only one.
                report = await self._alone(Sweeper._recover_only, replace(run, dry_run=False), shutdown)
        return report

    async def held_elsewhere(self) -> HeldElsewhere | None:
        """Tell who else is sweeping the target, without a record in the journal; None when it may be swept.

        Raises:
            JournalError: that cannot be found out.
        """
        if self.orders.lease is None:
            return None
        target = self.area.target
        held = (await look(target, await self.identity(), self.ports, self.orders.lease)).held
        return HeldElsewhere(describe_held(held, target, self.orders.lease.lasts)) if held else None

    async def identity(self) -> TargetIdentity:
        """Tell what the target is, as soon as its project is known; one that another target covers too is none to sweep.

        Raises:
            ConfigurationError: another target of the configuration covers some of its notebooks.
            CloudError: its project is not to be found out.
        """
        if self.known is None:
            identity = self.area.identity(await self.ports.cloud.project())
            await require_apart(self.area.target, identity, self.neighbours)
            self.known = identity
        return self.known

    async def _opened(self, record: RunRecord) -> RunRecord:
        """Note in the journal that the sweep begins, and what it is about; where that is not to be found out, it has failed."""
        try:
            identity = await self.identity()
        except NbsweepError:
            await self.ports.journal.open_run(record)
            raise
        record = replace(record, project=identity.project, extent=identity.extent)
        await self.ports.journal.open_run(record)
        last = last_otherwise(await self.ports.journal.runs(LOOKS_BACK), record)
        if last is not None:
            self.ports.telemetry.emit(TargetChanged(last.run_id, words_of(last), words_of(record)))
        return record

    async def plan(self) -> Plan:
        """Survey the fleet, judge it, and put what may go in order."""
        identity = await self.identity()
        self.last_active = await self.ports.journal.last_active(identity.project)
        moment = Moment(self.ports.clock.now(), self.last_active)
        watched = self.permit.ids if self.permit else frozenset()
        surveyor = Surveyor(self.area, self.ports, self.orders.rules, moment, watched)
        plan = self._narrowed(await surveyor.survey(), surveyor, await self._circumstances(identity, moment.now))
        plan = replace(plan, project=identity.project)
        refused_by = plan.refusal.brake if plan.refusal else None
        kept = {reason.value: count for reason, count in plan.kept.items()}
        self.ports.telemetry.emit(PlanBuilt(plan.fleet, len(plan.items), kept, refused_by))
        if plan.refusal:
            self.ports.telemetry.emit(PlanRefused(plan.refusal.brake, plan.refusal.message))
        if plan.trimmed:
            self.ports.telemetry.emit(PlanTrimmed(len(plan.items), plan.trimmed))
        return plan

    def _narrowed(self, survey: Survey, surveyor: Surveyor, circumstances: Circumstances) -> Plan:
        """Make the plan, of no more than a saved one permits where the sweep is by one."""
        if self.permit is None:
            return build_plan(survey, self.brakes, circumstances)
        require_valid(self.permit, self.known or self.area.identity(None), self.ports.clock.now())
        deciding = Deciding(self.orders.rules, surveyor.moment)
        limits = Limits(self.brakes, circumstances)
        plan, told = narrowed_plan(survey, limits, self.permit, surveyor.sights, deciding)
        self.ports.telemetry.emit(told)
        return plan

    async def _circumstances(self, identity: TargetIdentity, now: datetime) -> Circumstances:
        """Find out what a plan of now depends on besides its survey, which has just been made."""
        cool_down = self.orders.cool_down
        failed_since = now - cool_down.longest if cool_down else now
        history = await self.ports.journal.history(self.area.target, identity, now - A_DAY, failed_since)
        return Circumstances(history, self.ports.cloud.clock_skew_s(), cool_down)

    def _too_long(self) -> SweepTimedOut:
        limit = format_age(self.orders.time_limit)
        return SweepTimedOut(
            f"the sweep took longer than service.sweep_timeout ({limit}): it took no more notebooks, and the next run goes on"
        )

    async def _alone(self, work: "Work", run: Run, shutdown: Shutdown) -> Report:
        """Do the work as the only one, with the target's lease; a dry run changes nothing, and needs none."""
        if self.orders.lease is None or run.dry_run:
            return await work(self, run, shutdown)
        now, report = self.ports.clock.now(), Report(self.area.target, "interrupted")
        try:
            identity = await self.identity()
        except NbsweepError as error:
            return replace(report, outcome="failed", error=error)
        place = (identity.project, identity.extent)
        lease = Lease(self.area.target, self.orders.lease.holder, run.started_by, now, now, *place)
        tenure = Tenure(self.ports, self.orders.lease, lease, identity, shutdown)
        try:
            async with tenure.held() as cloud:
                report = await work(replace(self, ports=replace(self.ports, cloud=cloud)), run, shutdown)
        except NbsweepError as error:
            report = replace(report, outcome="failed", error=error)
        if isinstance(tenure.error, HeldElsewhere):
            return replace(report, outcome=HELD_ELSEWHERE, error=tenure.error)
        return replace(report, outcome="failed", error=tenure.error) if tenure.error else report

    async def _sweep(self, run: Run, shutdown: Shutdown, approve: Approve) -> Report:
        """Recover, plan, ask, execute; each step may be the last."""
        report = Report(self.area.target, "interrupted")
        executor: Executor | None = None
        try:
            if not run.dry_run:
                report = replace(report, recovered=await self._recover(run, shutdown))
            async with given_up_on(shutdown.begun):
                report = replace(report, plan=await self.plan())
                report = replace(report, outcome=await self._permission(run, report, approve))
            if report.outcome in ("approved", "finished") and report.plan:
                report = replace(report, removals=await record_spared(self.ports, run.run_id, report.plan))
            if report.outcome == "approved" and report.plan:
                executor = self._executor(report.plan, shutdown)
                plan = replace(report.plan, refusal=await self._execute(run, report.plan, executor))
                outcome = "refused" if plan.refusal else "finished"
                report = replace(report, plan=plan, outcome="interrupted" if shutdown.begun.is_set() else outcome)
        except (NbsweepError, ExceptionGroup) as error:
            report = replace(report, outcome="failed", error=leading_error(error))
        return replace(report, removals=(*executor.removals.values(), *report.removals)) if executor else report

    async def _recover(self, run: Run, shutdown: Shutdown) -> tuple[Removal, ...]:
        target, identity = self.area.target, await self.identity()
        await close_crashed_runs(target, identity, run.run_id, self.ports)
        return await recover(target, identity, self.ports, self.orders.patience, shutdown.begun)

    async def _recover_only(self, run: Run, shutdown: Shutdown) -> Report:
        report = Report(self.area.target, "finished")
        try:
            report = replace(report, recovered=await self._recover(run, shutdown))
        except (NbsweepError, ExceptionGroup) as error:
            return replace(report, outcome="failed", error=leading_error(error))
        return replace(report, outcome="interrupted") if shutdown.begun.is_set() else report

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
        positions = {item.notebook.id: item.position for item in plan.items}
        never_stop = self.permit.never_stop if self.permit else frozenset()
        return Executor(self.ports, self.orders, Facts(self.last_active, positions, never_stop), shutdown)

    async def _execute(self, run: Run, plan: Plan, executor: Executor) -> Refusal | None:
        """Carry the plan out, and give the brake that stopped that."""
        removals = [planned_removal(run.run_id, plan, item) for item in plan.items]
        await self.ports.journal.write(removals)
        return await executor.execute(removals)

    async def _close(self, record: RunRecord, report: Report) -> Report:
        """Write down how it ended, and tell it; a journal that fails here is itself how it ended."""
        ended = ended_record(record, report, self.ports)
        patience_s = self._last_patience_s()
        try:
            with anyio.fail_after(patience_s, shield=True):
                await self.ports.journal.close_run(ended)
                if not record.dry_run:
                    head = await self.ports.journal.trail.head()
                    self.ports.telemetry.emit(AuditHead(head.sequence, head.digest))
        except TimeoutError:
            late = JournalError(f"the end of the run could not be written within {patience_s:g} s")
            report = replace(report, outcome="failed", error=report.error or late)
        except NbsweepError as error:
            report = replace(report, outcome="failed", error=report.error or error)
        self._tell(ended, report)
        return report

    def _last_patience_s(self) -> float:
        """Tell how long the end of a run may take to be written: as long as an outage may last, unless a stop waits for it."""
        if self.shutdown.begun.is_set() or self.orders.lease is None:
            return LAST_WRITE_S
        return max(LAST_WRITE_S, self.orders.lease.lasts.total_seconds() * GOOD_FOR)

    def _tell(self, ended: RunRecord, report: Report) -> None:
        """Tell how it ended, and why removals failed, once for each cause."""
        emit = self.ports.telemetry.emit
        for cause in report.causes:
            emit(SweepFailure.of(cause))
        emit(LanesState({lane.lane: lane.figures for lane in ended.lanes or ()}))
        emit(
            SweepFinished(
                report.outcome,
                report.problem,
                type(report.error).__name__ if report.error else "",
                ended.fleet,
                ended.planned,
                dict(report.counts),
                ended.kept or {},
                report.reclaimed_gb,
                report.duration_s,
            )
        )


Work = Callable[[Sweeper, Run, Shutdown], Awaitable[Report]]
