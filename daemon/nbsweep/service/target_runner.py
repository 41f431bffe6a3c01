"""Runs the sweeps of one target: one at a time, when requested or due, with a delay that grows with each failure."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import anyio

from nbsweep.core.control.requests import Pause, Resumption
from nbsweep.core.errors import NbsweepError
from nbsweep.core.events.base import Event
from nbsweep.core.events.service import (
    TargetBackedOff,
    TargetMadeUp,
    TargetPaused,
    TargetRestored,
    TargetResumed,
    TargetSkipped,
)
from nbsweep.core.planning.plan import Plan
from nbsweep.core.report import Report
from nbsweep.core.runs import SETTLED, SUCCESSES, Outcome
from nbsweep.engine.report import Run
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Answer, Phase, TargetState
from nbsweep.service.due_times import DueTimes
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.runner_options import RunnerOptions, wait_s
from nbsweep.service.sweeping import approve_every_plan, reported


@dataclass(slots=True)
class TargetRunner:
    """Runs the sweeps of one target, one at a time."""

    sweeper: Sweeper
    options: RunnerOptions
    due_times: DueTimes | None = None
    """None without a schedule."""
    phase: Phase = Phase.STARTING
    pause: Pause | None = None
    """The latest pause; it may have ended by itself."""
    wanted: bool = False
    """Whether a sweep begins as soon as possible."""
    last_success: datetime | None = None
    failures: int = 0
    problem: str = ""
    _unrecorded: Pause | None = None
    """A pause that the journal does not have yet; what the journal says about pauses does not count until then."""
    _order: PlanOrder | None = None
    """The approved plan that the requested sweep is to carry out."""
    _asked: bool = False
    """Whether the sweep was requested explicitly; such a request skips the delay after a failure."""
    _not_before_s: float = float("-inf")
    _again_s: float = float("inf")
    """When the next attempt begins without a request."""
    _held_from: datetime | None = None
    """Since when the lease of another nbsweep has blocked a sweep of this one."""
    _stopping: bool = False
    _moved: anyio.Event = field(default_factory=anyio.Event)

    @property
    def name(self) -> str:
        """Return the name of the target."""
        return self.sweeper.area.target

    def state(self) -> TargetState:
        """Return the state of the target."""
        next_run = None if self.paused else self.options.next_run(self.name)
        return TargetState(
            self.name,
            self.phase,
            self.options.dry_run,
            self.pause if self.paused else None,
            next_run,
            self.last_success,
            self.failures,
            self.problem,
            self.sweeper.ports.cloud.lanes_state(),
        )

    @property
    def paused(self) -> bool:
        """Whether a pause is in force."""
        return self.pause is not None and self.pause.in_force(self.sweeper.ports.clock.now())

    # ---- requests

    def due(self) -> None:
        """Record that the target is due."""
        if self.phase is Phase.SWEEPING or self.paused:
            why = f"it is {self.pause}" if self.paused else "the previous sweep is still in progress"
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
        if self.paused:
            return Answer.PAUSED
        if self.phase is Phase.SWEEPING or self._asked:
            return Answer.BUSY
        self._asked, self._order = True, order
        self._move()
        return Answer.ACCEPTED

    async def begin_pause(self, pause: Pause) -> None:
        """Start no more sweeps, in this process or a later one, while the pause is in force.

        Raises:
            JournalError: the pause holds for this process, but could not be recorded for later ones.
        """
        self._unrecorded = pause
        self._put_pause(pause)
        await self.record_pause()

    async def end_pause(self, resumption: Resumption) -> None:
        """Resume the sweeps. Raises JournalError if the journal could not be written; the target stays paused then."""
        await self.sweeper.ports.journal.control.resume(resumption)
        self._unrecorded = None
        self._put_pause(None)

    async def record_pause(self) -> None:
        """Record a pause that the journal does not have yet. Raises JournalError."""
        if (pause := self._unrecorded) is not None:
            await self.sweeper.ports.journal.control.pause(pause)
            self._unrecorded = None if self._unrecorded is pause else self._unrecorded

    def note_pause(self, recorded: Pause | None) -> None:
        """Take over the pause that is on record, unless a later one is not on record yet."""
        if self._unrecorded is None:
            self._put_pause(recorded)

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
                before, self.phase = self.phase, Phase.SWEEPING
                await (self._carry_out(order, before) if order else self._go(self._sweep_once))
            with suppress(NbsweepError):
                if self.due_times:
                    await self.due_times.note()

    async def _recall(self) -> None:
        """Read from the journal whether the target is paused, and its last success."""
        # The journal is read again before each sweep, which reports an unreadable journal.
        with suppress(NbsweepError):
            await self._repeat_pause()
            await self._look_for_pause()
            await self._look_for_success()
            if self.due_times:
                await self._look_for_missed(self.due_times)

    async def _repeat_pause(self) -> None:
        """Record a pause again that a supervisor before this one could not record, or recorded in another journal."""
        self._unrecorded = self.pause
        if self.pause is not None and await self.sweeper.ports.journal.control.pause_of(self.name) is None:
            await self.record_pause()
        self._unrecorded = None

    async def _look_for_missed(self, due_times: DueTimes) -> None:
        """Start a sweep that became due while no service was running, or report that it was missed."""
        due = await due_times.missed(dry_run=self.options.dry_run)
        if due is not None and due_times.may_begin_late(due) and not self.paused:
            self._emit(TargetMadeUp(due.astimezone(UTC).isoformat(timespec="seconds")))
            self.due()
        elif due is not None:
            self.missed()
        await due_times.note()

    async def _may_begin(self) -> bool:
        """Return whether a sweep may begin: not while the target is paused, and not while the journal cannot be read."""
        try:
            await self._look_for_pause()
        except NbsweepError as error:
            self._failed(str(error))
            return False
        if self.paused:
            self._emit(TargetSkipped(f"it is {self.pause}"))
        return not self.paused

    async def _look_for_pause(self) -> None:
        self.note_pause(await self.sweeper.ports.journal.control.pause_of(self.name))

    async def _look_for_success(self) -> None:
        success = await self.sweeper.ports.journal.last_success(self.name)
        self.last_success = success.ended_at if success else self.last_success

    async def _sweep_once(self, run: Run) -> Report:
        if self._held_from:
            if held := await self.sweeper.held_elsewhere():
                return Report(self.name, Outcome.HELD_ELSEWHERE, error=held)
            if await self._swept_since(self._held_from):
                return Report(self.name, Outcome.FINISHED)
        return await self.sweeper.sweep(run, approve_every_plan)

    async def _swept_since(self, moment: datetime) -> bool:
        """Return whether the process that held the lease has done the sweep already."""
        last = await self.sweeper.ports.journal.last_run(self.name, SETTLED)
        if last is None or last.ended_at is None or last.ended_at < moment:
            return False
        await self._look_for_success()
        return True

    async def _carry_out(self, order: PlanOrder, before: Phase) -> None:
        """Sweep by an approved plan. However it ends, it is not tried again, and the other sweeps are due as before."""
        report = await reported(partial(order.sweep, self.sweeper), self.name, self.options)
        self.phase, self.problem = before, str(report.error or self.problem)

    async def _go(self, work: Callable[[Run], Awaitable[Report]]) -> None:
        self._judge(await reported(work, self.name, self.options))

    def _judge(self, report: Report) -> None:
        if report.outcome in SETTLED:
            self._done()
            # Without a plan it was a recovery, or another nbsweep has swept the target.
            if report.plan is not None and report.outcome in SUCCESSES and not report.problem:
                self.last_success = self.sweeper.ports.clock.now()
        elif report.outcome is Outcome.HELD_ELSEWHERE:
            self.phase, self.problem = Phase.HELD_ELSEWHERE, str(report.error or "")
            self._held_from = self._held_from or self.sweeper.ports.clock.now()
            self._not_before_s = self._again_s = self._now_s() + self.options.held_for_s
        elif report.outcome is Outcome.FAILED:
            self._failed(str(report.error))
        else:
            self.phase = Phase.WAITING

    def _done(self) -> None:
        if self.failures:
            self._emit(TargetRestored(self.failures))
        self.phase, self.problem, self.failures, self._held_from = Phase.WAITING, "", 0, None
        self._not_before_s, self._again_s = float("-inf"), float("inf")

    def _failed(self, problem: str) -> None:
        self.failures += 1
        self.phase, self.problem = Phase.BACKING_OFF, problem
        seconds = wait_s(self.failures)
        self._not_before_s = self._again_s = self._now_s() + seconds
        self._emit(TargetBackedOff(self.failures, seconds, problem))

    async def _until_wanted(self) -> bool:
        while not self._stopping:
            now_s = self._now_s()
            ready_s = self._not_before_s if self.wanted else self._again_s
            if not self.paused and (self._asked or now_s >= ready_s):
                return True
            self._moved = anyio.Event()
            with anyio.move_on_after(self._pause_left_s() if self.paused else max(0.0, ready_s - now_s)):
                await self._moved.wait()
        return False

    def _now_s(self) -> float:
        return self.sweeper.ports.clock.steady_s()

    def _pause_left_s(self) -> float:
        """Return after how many seconds the pause ends by itself."""
        until = self.pause.until if self.pause else None
        return max(0.0, (until - self.sweeper.ports.clock.now()).total_seconds()) if until else float("inf")

    def _put_pause(self, pause: Pause | None) -> None:
        was_paused, before, self.pause = self.paused, self.pause, pause
        if pause != before and (was_paused or self.paused):
            self._emit(TargetPaused(str(pause)) if self.paused else TargetResumed())
            self._move()

    def _move(self) -> None:
        self._moved.set()

    def _emit(self, event: Event) -> None:
        with self.sweeper.ports.telemetry.bound(target=self.name):
            self.sweeper.ports.telemetry.emit(event)
