"""The root of the service: every long-lived task is started here, has a name, and ends here. Stop is three steps: take no more,
finish what is accepted up to `service.drain`, cancel.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC

import anyio

from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.events.service import ServiceStopping, TargetScheduled
from nbsweep.core.explain.context import Explained
from nbsweep.core.holdout.model import Holdout
from nbsweep.core.judging.verdict import Verdict
from nbsweep.core.marks.grace import Grace
from nbsweep.core.model import Notebook
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Telemetry
from nbsweep.core.saved_plan.changes import PlanChanges
from nbsweep.core.saved_plan.model import SavedItem, SavedPlan
from nbsweep.engine.inspection.explain import explain_everywhere
from nbsweep.engine.saved_plan import PlanConstraint
from nbsweep.engine.shutdown import Shutdown
from nbsweep.service.control import Answer, Phase, TargetDetails, TargetState, UnknownTargetError
from nbsweep.service.journal_watch import JournalWatch
from nbsweep.service.marks_at_start import count_marks_at_start
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.plans.saved_plans import plan_to_save, require_valid_now
from nbsweep.service.scheduler import Schedule
from nbsweep.service.systemd import Systemd
from nbsweep.service.targets.details import read_details
from nbsweep.service.targets.runner import Runner, Work
from nbsweep.settings import Settings
from nbsweep.settings.schedule import ScheduleSettings

LAST_S = 5.0
"""Time beyond the drain that the end of the service may take."""

Web = Callable[["Supervisor"], AbstractAsyncContextManager[str | None]]
"""Serves the HTTP API for a supervisor and yields the bound address."""


@dataclass(slots=True)
class Supervisor:
    """Runs the service under one configuration until a shutdown or until another configuration replaces it."""

    settings: Settings
    work: Work
    schedule: Schedule
    telemetry: Telemetry
    shutdown: Shutdown
    systemd: Systemd
    watch: JournalWatch
    ready: anyio.Event = field(default_factory=anyio.Event)
    _making_room: anyio.Event = field(default_factory=anyio.Event)

    # ---- the methods of `Control`

    def targets(self) -> tuple[TargetState, ...]:
        """Return the state of every target."""
        return tuple(runner.state() for runner in self.work.runners.values())

    def not_ready(self) -> tuple[str, ...]:
        """Return the reasons why the service is not ready."""
        if self.shutdown.begun.is_set():
            return ("it is stopping",)
        if not self.ready.is_set():
            return ("it is starting",)
        refused = self.watch.presence.reload_problem
        return (
            *([f"the configuration was changed, and cannot be used: {refused}"] if refused else []),
            *self._not_ready_targets(),
        )

    def paused(self) -> tuple[str, ...]:
        """Return one sentence for each paused target, which describes its pause."""
        return tuple(f"{state.name} is {state.pause}" for state in self.targets() if state.pause)

    def graces(self) -> Mapping[str, Grace]:
        """Return the grace of each policy that has one."""
        return self.settings.rules.graces

    def holdouts(self) -> Mapping[str, Holdout]:
        """Return the holdout of each policy that has one."""
        return self.settings.rules.holdouts

    def _not_ready_targets(self) -> Iterator[str]:
        return (
            f"{state.name}: {state.problem or 'the removals of an earlier run are being followed to their end'}"
            for state in self.targets()
            if state.phase is Phase.STARTING or state.failures
        )

    async def details(self) -> Mapping[str, TargetDetails]:
        """Return what is known about each target beyond its state."""
        return await read_details({name: runner.sweeper for name, runner in self.work.runners.items()})

    async def plan(self, name: str) -> Plan:
        """Survey a target and return its plan."""
        return await self._runner(name).plan()

    async def judge(self, name: str, notebooks: Sequence[Notebook]) -> Mapping[str, Verdict]:
        """Judge notebooks as they were surveyed."""
        return await self._runner(name).sweeper.judge(notebooks)

    def plan_to_save(self, plan: Plan, plan_id: str) -> SavedPlan:
        """Return a plan of now as a saved one."""
        return plan_to_save(self.settings, plan_id, (plan.created_at, self.settings.plan.valid_for), [plan])

    async def compare(self, name: str, items: Sequence[SavedItem]) -> PlanChanges:
        """Survey a target, and hold its plan against the items of a saved one."""
        sweeper = self._runner(name).sweeper
        with sweeper.ports.telemetry.bound(target=name):
            return await sweeper.compare(items)

    def require_valid(self, plan: SavedPlan) -> None:
        """Check that a saved plan may be carried out now."""
        names = [target.target for target in plan.targets]
        now = self._runner(names[0]).sweeper.ports.clock.now()
        require_valid_now(plan, f"the plan {plan.plan_id}", self.settings, now)

    async def carry_out(self, plan: SavedPlan, by: str) -> Answer:
        """Request a sweep of the only target of an approved plan."""
        self.require_valid(plan)
        [saved] = plan.targets
        constraint = PlanConstraint(f"the plan {plan.plan_id}", plan.plan_id, plan.expires_at, saved)
        return await self._runner(saved.target).request(by, PlanOrder(constraint, by))

    async def explain(self, notebook_id: str, names: Sequence[str]) -> Explained:
        """Explain one notebook on each of the named targets that has it."""
        return await explain_everywhere((self._runner(name).sweeper for name in names), notebook_id)

    async def request_sweep(self, request: SweepRequest) -> Answer:
        """Request a sweep of a target; the audit trail says who did."""
        answer = await self._runner(request.target).request(request.by)
        if answer is Answer.ACCEPTED:
            await self.watch.journal.control.note_request(request)
        return answer

    async def pause(self, pause: Pause) -> None:
        """Start no more sweeps of a target while the pause is in force."""
        await self._runner(pause.target).pause.begin(pause)

    async def resume(self, resumption: Resumption) -> None:
        """Resume a target."""
        await self._runner(resumption.target).pause.end(resumption)

    def make_room(self) -> None:
        """Start no more sweeps, and end after the sweeps under way."""
        self._making_room.set()

    # ---- the tasks

    async def run(self, web: Web, started: Callable[[str | None], None]) -> None:
        """Run until a shutdown or until `make_room`. `started` receives the bound address when the service is ready.

        Raises:
            ExceptionGroup: a task of the service failed, which ends the service.
        """
        async with self.schedule.running(dict(self._schedules())), web(self) as listen, anyio.create_task_group() as root:
            root.start_soon(self._run_all, root.cancel_scope, name="targets")
            root.start_soon(self._stop_when_told, root.cancel_scope, name="stop")
            root.start_soon(self._make_room_when_told, name="make-room")
            root.start_soon(self.systemd.keep_alive, name="watchdog")
            root.start_soon(self.watch.run, name="journal-watch")
            root.start_soon(self._count_marks, name="marks")
            for name, task in self.work.tasks.items():
                root.start_soon(task, name=name)
            self.ready.set()
            started(listen)
            self._emit_schedules()

    async def _count_marks(self) -> None:
        await count_marks_at_start(self.watch.journal, self.watch.clock, self.telemetry, self.work.runners, self.settings.rules)

    async def _run_all(self, root: anyio.CancelScope) -> None:
        """Run all target runners until each of them ends."""
        async with anyio.create_task_group() as group:
            for runner in self.work.runners.values():
                group.start_soon(runner.run, name=f"target-{runner.name}")
        root.cancel()

    async def _stop_when_told(self, root: anyio.CancelScope) -> None:
        await self.shutdown.begun.wait()
        self.systemd.stopping()
        drain_s = self.settings.service.drain.total_seconds()
        sweeping = [state.name for state in self.targets() if state.phase is Phase.SWEEPING]
        self.telemetry.emit(ServiceStopping(sweeping, drain_s))
        self._end_runners()
        # A sweep observes the drain itself. Another task must not keep the service from ending.
        await anyio.sleep(drain_s + LAST_S)
        root.cancel()

    async def _make_room_when_told(self) -> None:
        await self._making_room.wait()
        self._end_runners()

    def _end_runners(self) -> None:
        for runner in self.work.runners.values():
            runner.stop()

    def _emit_schedules(self) -> None:
        for name in self.work.runners:
            next_run = self.schedule.next_run(name)
            if next_run is not None:
                with self.telemetry.bound(target=name):
                    self.telemetry.emit(TargetScheduled(next_run.astimezone(UTC).isoformat(timespec="seconds")))

    def _runner(self, name: str) -> Runner:
        if name not in self.work.runners:
            raise UnknownTargetError(name)
        return self.work.runners[name]

    def _schedules(self) -> Iterable[tuple[str, ScheduleSettings]]:
        for target in self.settings.targets:
            schedule = target.schedule or self.settings.schedule
            if schedule is not None:
                yield target.name, schedule
