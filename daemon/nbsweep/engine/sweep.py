"""A sweep of one target: survey, plan, journal, execute, report."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from nbsweep.core.errors import HeldElsewhere, NbsweepError, SweepTimedOut
from nbsweep.core.events.sweep import SweepStarted, TargetChanged
from nbsweep.core.facts import Moment, format_age
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.verdict import Verdict
from nbsweep.core.lease import GOOD_FOR, TargetLease, describe_held
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import Notebook
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import Plan
from nbsweep.core.policy import judge
from nbsweep.core.ports import Ports
from nbsweep.core.report import Report
from nbsweep.core.runs import IDENTIFIED, Outcome, RunRecord
from nbsweep.core.saved_plan.changes import PlanChanges, changes_since
from nbsweep.core.saved_plan.model import SavedItem, Spared
from nbsweep.engine.announcing import write_marks, write_removed
from nbsweep.engine.coordination.lease import LeaseGuard, look_for_leases
from nbsweep.engine.current_rules import current_rules
from nbsweep.engine.options import SweepOptions
from nbsweep.engine.planner import Execution, Planner
from nbsweep.engine.recovery import close_crashed_runs, recover
from nbsweep.engine.removing.executor import Executor
from nbsweep.engine.removing.tracker import LAST_WRITE_S
from nbsweep.engine.report import Approve, Run, describe_bug, planned_removal
from nbsweep.engine.retention import prune_journal
from nbsweep.engine.saved_plan import PlanConstraint, record_spared
from nbsweep.engine.shutdown import Shutdown, given_up_on, time_limited
from nbsweep.engine.state import SweepState, close
from nbsweep.engine.survey import Area, Surveyor
from nbsweep.engine.target_identity import OverlappingTarget, describe_extent, is_changed, require_separate

WRITTEN_AT_ONCE = 500
"""Planned removals in one write: rows and entries of the audit trail take a multiple of their memory while they are written."""


MARKING = frozenset({Outcome.FINISHED, Outcome.REFUSED})
"""Outcomes of a plan after which marks are brought up to date; a refused plan makes no new marks."""


@dataclass(slots=True)
class Sweeper:
    """Surveys and sweeps one target."""

    area: Area
    ports: Ports
    options: SweepOptions
    brakes: Brakes
    shutdown: Shutdown
    permit: PlanConstraint | None = None
    """What a saved plan permits; None if the policies alone decide."""
    overlapping: tuple[OverlappingTarget, ...] = ()
    """Earlier targets of the configuration that would cover some of the same notebooks if they had the same project."""
    known: TargetIdentity | None = field(default=None, init=False)
    """The result of `identity`; None before the first call."""

    async def sweep(self, run: Run, approve: Approve) -> Report:
        """Run a whole sweep. Its errors are in the report; a bug is raised after the journal was closed."""
        started_s, state = self.ports.clock.steady_s(), SweepState()
        record = RunRecord(run.run_id, self.area.target, self.ports.clock.now(), run.started_by, run.dry_run)
        record = replace(record, extent=self.area.identity(None).extent, overrides=run.overrides)
        with self.ports.telemetry.bound(run_id=run.run_id, target=self.area.target):
            self.ports.telemetry.emit(SweepStarted(run.dry_run, run.overrides))
            try:
                with state.noting_failure():
                    record = await self._opened(record)
                    await self._within_time(run, approve, state)
            except Exception as bug:
                state.fail(NbsweepError(f"a bug in nbsweep: {describe_bug(bug)}"))
                raise
            finally:
                report = await close(record, state, started_s, self.ports, self._last_patience_s())
            if self.options.keep is not None:
                await prune_journal(self.options.keep, self.ports, self.shutdown)
        return report

    async def recover(self, run: Run) -> Report:
        """Bring the unfinished removals of earlier runs to their ends, and do no more; errors are in the report."""
        state, started_s = SweepState(), self.ports.clock.steady_s()
        with self.ports.telemetry.bound(run_id=run.run_id, target=self.area.target):
            async with time_limited(self.shutdown, self.options.time_limit) as shutdown:
                with state.noting_failure():
                    # Recovery writes to the journal also in a dry run, so it needs the lease.
                    async with self._leased(replace(run, dry_run=False), shutdown) as ports:
                        with state.noting_failure():
                            state.recovered = await self._recover(run, ports, shutdown)
                            state.outcome = Outcome.INTERRUPTED if shutdown.begun.is_set() else Outcome.FINISHED
        return state.report(self.area.target, self.ports.clock.steady_s() - started_s)

    async def plan(self) -> Plan:
        """Survey the fleet, judge it, and return the ordered plan; nothing is changed.

        Raises:
            NbsweepError: the target cannot be surveyed, or another target covers some of its notebooks.
        """
        planner = await self._planner(self.ports)
        return (await planner.plan(await planner.surveyor(counts_matches=True))).plan

    async def survey_rows(self) -> Surveyor:
        """Survey the fleet; the surveyor that is returned has the rows of all notebooks.

        Raises:
            NbsweepError: as for `plan`.
        """
        surveyor = await (await self._planner(self.ports)).surveyor(watch_all=True)
        await surveyor.survey()
        return surveyor

    async def plan_rows(self) -> tuple[Plan, Surveyor]:
        """Survey and plan as `plan` does; the surveyor has the rows of all notebooks."""
        planner = await self._planner(self.ports)
        surveyor = await planner.surveyor(watch_all=True)
        return (await planner.plan(surveyor)).plan, surveyor

    async def compare(self, items: Sequence[SavedItem]) -> PlanChanges:
        """Survey and plan as `plan` does, and hold the plan against the items of a saved one.

        Raises:
            NbsweepError: as for `plan`.
        """
        plan, seen = await self.plan_rows()
        return changes_since(items, plan, seen.rows_by_id, seen.rules, seen.moment)

    async def judge(self, notebooks: Sequence[Notebook]) -> Mapping[str, Verdict]:
        """Judge notebooks as they were surveyed, by the rules, marks and exemptions of now; asks only the journal.

        Nothing is judged while the project is not known, which would take a call.

        Raises:
            JournalError: the journal cannot be read.
        """
        if self.known is None:
            return {}
        ids = {notebook.id for notebook in notebooks}
        current = await current_rules(self.options.rules, self.area.target, self.known, self.ports, ids)
        moment = Moment(self.ports.clock.now(), await self.ports.journal.sightings.latest(self.known.project, ids))
        return {notebook.id: judge(notebook, current.rules, moment) for notebook in notebooks}

    async def held_elsewhere(self) -> HeldElsewhere | None:
        """Return an error that names the other sweeper of the target; None if the target may be swept.

        Raises:
            JournalError: the leases cannot be read.
        """
        if self.options.lease is None:
            return None
        target = self.area.target
        held = (await look_for_leases(target, await self.identity(), self.ports, self.options.lease)).held
        return HeldElsewhere(describe_held(held, target, self.options.lease.lasts)) if held else None

    async def identity(self) -> TargetIdentity:
        """Return the identity of the target, with its project.

        Raises:
            ConfigurationError: another target of the configuration covers some of its notebooks.
            CloudError: the project cannot be looked up.
        """
        if self.known is None:
            identity = self.area.identity(await self.ports.cloud.project())
            await require_separate(self.area.target, identity, self.overlapping)
            self.known = identity
        return self.known

    # ---- the steps of a sweep

    async def _opened(self, record: RunRecord) -> RunRecord:
        """Write the beginning of the sweep to the journal, with its project; a sweep without a known project fails."""
        try:
            identity = await self.identity()
        except NbsweepError:
            await self.ports.journal.open_run(record)
            raise
        record = replace(record, project=identity.project, extent=identity.extent)
        last = await self.ports.journal.last_run(record.target, IDENTIFIED)
        await self.ports.journal.open_run(record)
        if last is not None and is_changed(last, record):
            self.ports.telemetry.emit(TargetChanged(last.run_id, describe_extent(last), describe_extent(record)))
        return record

    async def _within_time(self, run: Run, approve: Approve, state: SweepState) -> None:
        """Sweep within the time limit of a sweep."""
        async with time_limited(self.shutdown, self.options.time_limit) as shutdown:
            with state.noting_failure():
                async with self._leased(run, shutdown) as ports:
                    with state.noting_failure():
                        await self._sweep(run, ports, shutdown, approve, state)
            if shutdown.begun.is_set() and not (self.shutdown.begun.is_set() or state.error):
                state.fail(self._too_long())

    def _too_long(self) -> SweepTimedOut:
        limit = format_age(self.options.time_limit)
        return SweepTimedOut(
            f"the sweep took longer than service.sweep_timeout ({limit}): it began no more removals, and the next run continues"
        )

    @asynccontextmanager
    async def _leased(self, run: Run, shutdown: Shutdown) -> AsyncIterator[Ports]:
        """Hold the target's lease while inside; yield the ports to use meanwhile.

        A dry run changes nothing, and needs no lease.

        Raises:
            HeldElsewhere: another nbsweep has the lease, or has taken it over.
            JournalError: the lease cannot be taken, or could not be kept.
        """
        if self.options.lease is None or run.dry_run:
            yield self.ports
            return
        identity, now = await self.identity(), self.ports.clock.now()
        place = (identity.project, identity.extent)
        lease = TargetLease(self.area.target, self.options.lease.holder, run.started_by, now, now, *place)
        guard = LeaseGuard(self.ports, self.options.lease, lease, identity, shutdown)
        async with guard.held() as cloud:
            yield replace(self.ports, cloud=cloud)
        if guard.error:
            raise guard.error

    async def _sweep(self, run: Run, ports: Ports, shutdown: Shutdown, approve: Approve, state: SweepState) -> None:
        """Recover, plan, ask for approval, and execute; each step may be the last."""
        outcome = Outcome.INTERRUPTED
        if not run.dry_run:
            state.recovered = await self._recover(run, ports, shutdown)
        execution: Execution | None = None
        async with given_up_on(shutdown.begun):
            planner = await self._planner(ports)
            planned = await planner.plan(await planner.recording_surveyor())
            state.plan, state.spared, execution = planned.plan, planned.spared, planned.execution
            outcome = await _permission(run, state.plan, state.spared, approve)
            if outcome in MARKING and not run.dry_run:
                state.marks = await write_marks(planned.marks, planned.limits, ports)
            if outcome is Outcome.FINISHED and planned.holds:
                await ports.journal.holds.add(planned.holds)
            # The facts of the survey take most of the memory, and only these steps need them.
            del planned
        if outcome is Outcome.FINISHED and execution is not None:
            state.removals = await record_spared(ports, run.run_id, state.plan, state.spared)
            if state.plan.items:
                executor = Executor(ports, execution.options, execution.facts, shutdown)
                outcome = await self._carry_out(run, executor, state)
                await write_removed(execution.options.rules.marks, state.removals, ports)
        state.outcome = outcome

    async def _recover(self, run: Run, ports: Ports, shutdown: Shutdown) -> tuple[Removal, ...]:
        target, identity = self.area.target, await self.identity()
        await close_crashed_runs(target, identity, run.run_id, ports)
        return await recover(target, identity, ports, self.options.polling, shutdown.begun)

    async def _carry_out(self, run: Run, executor: Executor, state: SweepState) -> Outcome:
        """Write the removals of the plan to the journal, and carry them out.

        The plan hands its items over: their facts take most of its memory, and the removals have what a report needs.
        """
        if state.plan is None:
            return Outcome.INTERRUPTED
        removals = [planned_removal(run.run_id, state.plan, item) for item in state.plan.items]
        state.plan = replace(state.plan, items=(), handed_over=len(removals))
        for first in range(0, len(removals), WRITTEN_AT_ONCE):
            await self.ports.journal.write(removals[first : first + WRITTEN_AT_ONCE])
        try:
            refusal = await executor.execute(removals)
        finally:
            state.removals = (*executor.removals.values(), *state.removals)
        state.plan = replace(state.plan, refusals=(refusal,) if refusal else ())
        if executor.shutdown.begun.is_set():
            return Outcome.INTERRUPTED
        return Outcome.REFUSED if refusal else Outcome.FINISHED

    async def _planner(self, ports: Ports) -> Planner:
        return Planner(self.area, await self.identity(), ports, self.options, self.brakes, self.permit)

    def _last_patience_s(self) -> float:
        """Return how long the write of the end may take, in seconds: as long as an outage may last, but short in a shutdown."""
        if self.shutdown.begun.is_set() or self.options.lease is None:
            return LAST_WRITE_S
        return max(LAST_WRITE_S, self.options.lease.lasts.total_seconds() * GOOD_FOR)


async def _permission(run: Run, plan: Plan, spared: Sequence[Spared], approve: Approve) -> Outcome:
    """Return the outcome of a plan before its execution; FINISHED means that it may be carried out."""
    if plan.refusal:
        return Outcome.REFUSED
    if run.dry_run:
        return Outcome.DRY_RUN
    if (plan.items or plan.to_mark) and not await approve(plan, spared):
        return Outcome.DECLINED
    return Outcome.FINISHED
