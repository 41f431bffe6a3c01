"""Runs the sweeps of one target: one at a time, when requested or due, with a delay that grows with each failure."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial

import anyio

from nbsweep.core.errors import NbsweepError
from nbsweep.core.events.base import Event
from nbsweep.core.events.service import TargetMadeUp, TargetSkipped
from nbsweep.core.planning.plan import Plan
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.engine.report import Run
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Answer, Phase, TargetState
from nbsweep.service.due_times import DueTimes
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.runner_options import RunnerOptions
from nbsweep.service.sweeping import approve_every_plan, reported
from nbsweep.service.targets.attempts import Attempts
from nbsweep.service.targets.pausing import TargetPause


@dataclass(slots=True)
class TargetRunner:
    """Runs the sweeps of one target, one at a time."""

    sweeper: Sweeper
    options: RunnerOptions
    due_times: DueTimes | None = None
    """None without a schedule."""
    pause: TargetPause = field(init=False)
    attempts: Attempts = field(init=False)
    wanted: bool = False
    """Whether a sweep begins as soon as possible."""
    _order: PlanOrder | None = None
    """The approved plan that the requested sweep is to carry out."""
    _asked: bool = False
    """Whether the sweep was requested explicitly; such a request skips the delay after a failure."""
    _stopping: bool = False
    _moved: anyio.Event = field(default_factory=anyio.Event)

    def __post_init__(self) -> None:
        """Begin without a pause and without an attempt."""
        self.pause = TargetPause(self.name, self.sweeper.ports, self._move)
        self.attempts = Attempts(self.name, self.sweeper.ports, self.options.held_for_s)

    @property
    def name(self) -> str:
        """Return the name of the target."""
        return self.sweeper.area.target

    @property
    def phase(self) -> Phase:
        """Return what is done for the target now."""
        return self.attempts.phase

    def state(self) -> TargetState:
        """Return the state of the target."""
        paused, attempts = self.pause.in_force, self.attempts
        return TargetState(
            self.name,
            self.phase,
            self.options.dry_run,
            self.pause.latest if paused else None,
            None if paused else self.options.next_run(self.name),
            attempts.last_success,
            attempts.failures,
            attempts.problem,
            self.sweeper.ports.cloud.lanes_state(),
        )

    # ---- requests

    def due(self) -> None:
        """Record that the target is due."""
        if self.phase is Phase.SWEEPING or self.pause.in_force:
            why = f"it is {self.pause.latest}" if self.pause.in_force else "the previous sweep is still in progress"
            self._emit(TargetSkipped(why))
            return
        self.wanted = True
        self._move()

    def missed(self) -> None:
        """Record that a due time passed without a running service."""
        self._emit(TargetSkipped("its due time is further in the past than schedule.misfire_grace allows"))

    def ask(self, order: PlanOrder | None = None) -> Answer:
        """Record a request for a sweep, by the policies or by an approved plan.

        A request is refused while the target is paused or is being swept.
        """
        if self.pause.in_force:
            return Answer.PAUSED
        if self.phase is Phase.SWEEPING or self._asked:
            return Answer.BUSY
        self._asked, self._order = True, order
        self._move()
        return Answer.ACCEPTED

    def stop(self) -> None:
        """Start no more sweeps. A sweep under way runs to its end."""
        self._stopping = True
        self._move()

    async def plan(self) -> Plan:
        """Survey the target and return its plan, also while a sweep is under way."""
        with self.sweeper.ports.telemetry.bound(target=self.name):
            return await self.sweeper.plan()

    # ---- the sweeps

    async def run(self) -> None:
        """Recover the removals of a crashed process, then sweep on request until stopped. Raises only cancellation."""
        await self._recall()
        await self._go(self.sweeper.recover)
        while await self._until_wanted():
            order, self._order = self._order, None
            # A plan takes the place of no other sweep.
            self.wanted = self.wanted and order is not None
            may_begin = await self._may_begin()
            # Not before: another request meanwhile would be a second sweep, and a plan is carried out once.
            self._asked = False
            if may_begin:
                before, self.attempts.phase = self.phase, Phase.SWEEPING
                await (self._carry_out(order, before) if order else self._go(self._sweep_once))
            with suppress(NbsweepError):
                if self.due_times:
                    await self.due_times.note()

    async def _recall(self) -> None:
        """Read from the journal whether the target is paused, and its last success."""
        # The journal is read again before each sweep, which reports an unreadable journal.
        with suppress(NbsweepError):
            await self.pause.repeat()
            await self.pause.read()
            await self.attempts.read_last_success()
            if self.due_times:
                await self._look_for_missed(self.due_times)

    async def _look_for_missed(self, due_times: DueTimes) -> None:
        """Start a sweep that became due while no service was running, or report that it was missed."""
        due = await due_times.missed(dry_run=self.options.dry_run)
        if due is not None and due_times.may_begin_late(due) and not self.pause.in_force:
            self._emit(TargetMadeUp(due.astimezone(UTC).isoformat(timespec="seconds")))
            self.due()
        elif due is not None:
            self.missed()
        await due_times.note()

    async def _may_begin(self) -> bool:
        """Return whether a sweep may begin: not while the target is paused, and not while the journal cannot be read."""
        try:
            await self.pause.read()
        except NbsweepError as error:
            self.attempts.fail(str(error))
            return False
        if self.pause.in_force:
            self._emit(TargetSkipped(f"it is {self.pause.latest}"))
        return not self.pause.in_force

    async def _sweep_once(self, run: Run) -> Report:
        if self.attempts.held_from:
            if held := await self.sweeper.held_elsewhere():
                return Report(self.name, Outcome.HELD_ELSEWHERE, error=held)
            if await self.attempts.swept_while_held():
                return Report(self.name, Outcome.FINISHED)
        return await self.sweeper.sweep(run, approve_every_plan)

    async def _carry_out(self, order: PlanOrder, before: Phase) -> None:
        """Sweep by an approved plan. However it ends, it is not tried again, and the other sweeps are due as before."""
        report = await reported(partial(order.sweep, self.sweeper), self.name, self.options)
        self.attempts.phase, self.attempts.problem = before, str(report.error or self.attempts.problem)

    async def _go(self, work: Callable[[Run], Awaitable[Report]]) -> None:
        self.attempts.judge(await reported(work, self.name, self.options))

    async def _until_wanted(self) -> bool:
        while not self._stopping:
            now_s = self.sweeper.ports.clock.steady_s()
            ready_s = self.attempts.not_before_s if self.wanted else self.attempts.again_s
            if not self.pause.in_force and (self._asked or now_s >= ready_s):
                return True
            self._moved = anyio.Event()
            with anyio.move_on_after(self.pause.left_s if self.pause.in_force else max(0.0, ready_s - now_s)):
                await self._moved.wait()
        return False

    def _move(self) -> None:
        self._moved.set()

    def _emit(self, event: Event) -> None:
        with self.sweeper.ports.telemetry.bound(target=self.name):
            self.sweeper.ports.telemetry.emit(event)
