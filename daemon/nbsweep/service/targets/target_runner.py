"""Runs the sweeps of one target: one at a time, when requested or due, with a delay that grows with each failure."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial

import anyio
from msgspec.structs import replace

from nbsweep.core.errors import NbsweepError
from nbsweep.core.events.base import Event
from nbsweep.core.events.service import TargetMadeUp, TargetSkipped, TargetWaiting
from nbsweep.core.planning.plan import Plan
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.engine.coordination.account_turns import AccountTurns, Turn
from nbsweep.engine.report import Run
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Answer, Phase, TargetState
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.targets.attempts import Attempts
from nbsweep.service.targets.due_times import DueTimes
from nbsweep.service.targets.pausing import TargetPause
from nbsweep.service.targets.runner import RunnerState
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.service.targets.sweeping import approve_every_plan, reported

SILENT_S = 1.0
"""A shorter wait for the turn of the account is not logged: most starts have no removal to follow."""

AskTurn = Callable[[str, Callable[[], None]], Turn]
"""Asks for the turn of a target's account, for one sweep; the second argument is called when it may begin."""


def alone(target: str, on_begin: Callable[[], None]) -> Turn:
    """Return the turn of an account that shares nothing with others."""
    return AccountTurns(1).ask(target, on_begin)


@dataclass(slots=True)
class TargetRunner:
    """Runs the sweeps of one target, one at a time."""

    sweeper: Sweeper
    options: RunnerOptions
    due_times: DueTimes | None = None
    """None without a schedule."""
    ask_turn: AskTurn = alone
    """Asks for the turn of the account of the target."""
    pause: TargetPause = field(init=False)
    attempts: Attempts = field(init=False)
    wanted: bool = False
    """Whether a sweep begins as soon as possible."""
    _order: PlanOrder | None = None
    """The approved plan that the requested sweep is to carry out."""
    _asked_by: str | None = None
    """Who has requested the sweep, if somebody has; a request skips the delay after a failure."""
    _turn: Turn | None = None
    """The turn that a sweep of this target waits for, or has."""
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
        waits = self.attempts.phase is not Phase.STARTING and self.accounts_ahead is not None
        return Phase.WAITING_FOR_TURN if waits else self.attempts.phase

    @property
    def accounts_ahead(self) -> int | None:
        """Return how many accounts have waited longer for their turn; None if the target does not wait for its turn."""
        return self._turn.accounts_ahead if self._turn else None

    @property
    def is_owed(self) -> bool:
        """Whether a sweep by the policies is wanted that has not begun; the next runner of the target begins it."""
        return self.wanted or (self._asked_by is not None and self._order is None)

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
            self.accounts_ahead,
        )

    # ---- requests

    def due(self) -> None:
        """Record that the target is due."""
        if self.phase is Phase.SWEEPING or self.pause.in_force:
            why = f"it is {self.pause.latest}" if self.pause.in_force else "the previous sweep is still in progress"
            self._emit(TargetSkipped(why))
            return
        if self.wanted and self.accounts_ahead is not None:
            self._emit(TargetSkipped("the sweep of the due time before it still waits for its turn"))
        self.wanted = True
        self._move()

    def missed(self) -> None:
        """Record that a due time passed without a running service."""
        self._emit(TargetSkipped("its due time is further in the past than schedule.misfire_grace allows"))

    def ask(self, by: str, order: PlanOrder | None = None) -> Answer:
        """Record a request of somebody for a sweep, by the policies or by a plan, unless it is paused or being swept."""
        if self.pause.in_force:
            return Answer.PAUSED
        if self.phase is Phase.SWEEPING or self._asked_by is not None:
            return Answer.BUSY
        self._asked_by, self._order = by, order
        self._move()
        return Answer.ACCEPTED

    async def request(self, by: str, order: PlanOrder | None = None) -> Answer:
        """Record a request for a sweep."""
        return self.ask(by, order)

    def stop(self) -> None:
        """Start no more sweeps. A sweep under way runs to its end."""
        self._stopping = True
        self._move()

    def left(self) -> RunnerState:
        """Return what the runner of the next configuration continues from."""
        return RunnerState(self.pause.latest, self.is_owed, self.attempts.last_success, self.attempts.failures)

    def continue_from(self, state: RunnerState) -> None:
        """Continue from the runner of the configuration before."""
        self.pause.latest, self.wanted = state.pause, state.wanted
        self.attempts.last_success, self.attempts.failures = state.last_success, state.failures

    async def plan(self) -> Plan:
        """Survey the target and return its plan, also while a sweep is under way."""
        with self.sweeper.ports.telemetry.bound(target=self.name):
            return await self.sweeper.plan()

    # ---- the sweeps

    async def run(self) -> None:
        """Recover the removals of a crashed process, then sweep on request until stopped. Raises only cancellation."""
        await self._recall()
        # A pause does not keep the removals of a crashed process from being followed.
        async with self._in_turn(lambda: self._stopping):
            if not self._stopping:
                await self._go(self.sweeper.recover)
        while await self._until_wanted():
            async with self._in_turn(lambda: self._stopping or self.pause.in_force) as turn:
                if self._stopping:
                    break
                await self._begin_wanted(turn)
            with suppress(NbsweepError):
                if self.due_times:
                    await self.due_times.note()
        if self._order:
            self._emit(
                TargetSkipped(
                    f"the service stopped or reloaded before {self._order.constraint.source} had its turn: carry it out again"
                )
            )

    async def _begin_wanted(self, turn: Turn) -> None:
        """Sweep as it was requested, unless the target is paused."""
        order, self._order = self._order, None
        # A plan takes the place of no other sweep.
        self.wanted = self.wanted and order is not None
        may_begin = await self._may_begin() and turn.has_begun
        # Not before: another request meanwhile would be a second sweep, and a plan is carried out once.
        by, self._asked_by = self._asked_by, None
        if may_begin:
            before, self.attempts.phase = self.phase, Phase.SWEEPING
            await (self._carry_out(order, before) if order else self._go(partial(self._sweep_once, by)))

    @asynccontextmanager
    async def _in_turn(self, gives_up: Callable[[], bool]) -> AsyncIterator[Turn]:
        """Wait for the turn of the account, and hold it while inside; a turn that was given up has not begun."""
        self._turn = turn = self.ask_turn(self.name, self._move)
        try:
            with anyio.move_on_after(SILENT_S):
                await self._until(lambda: turn.has_begun or gives_up())
            if turn.accounts_ahead is not None and not gives_up():
                self._emit(TargetWaiting(turn.accounts_ahead))
                await self._until(lambda: turn.has_begun or gives_up())
            yield turn
        finally:
            self._turn = None
            turn.end()

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
        """Start a sweep that became due while no service was running, or report that it was missed.

        A sweep that is wanted is noted when it has begun: a later process would start it otherwise.
        """
        if self.wanted:
            return
        due = await due_times.missed(dry_run=self.options.dry_run)
        if due is not None and due_times.may_begin_late(due) and not self.pause.in_force:
            self._emit(TargetMadeUp(due.astimezone(UTC).isoformat(timespec="seconds")))
            self.due()
            return
        if due is not None:
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

    async def _sweep_once(self, by: str | None, run: Run) -> Report:
        if self.attempts.held_from:
            if held := await self.sweeper.held_elsewhere():
                return Report(self.name, Outcome.HELD_ELSEWHERE, error=held)
            if await self.attempts.swept_while_held():
                return Report(self.name, Outcome.FINISHED)
        return await self.sweeper.sweep(replace(run, started_by=by) if by else run, approve_every_plan)

    async def _carry_out(self, order: PlanOrder, before: Phase) -> None:
        """Sweep by an approved plan. However it ends, it is not tried again, and the other sweeps are due as before."""
        report = await reported(partial(order.sweep, self.sweeper), self.name, self.options)
        self.attempts.phase, self.attempts.problem = before, str(report.error or self.attempts.problem)
        with suppress(NbsweepError):
            await self.attempts.read_last_success()

    async def _go(self, work: Callable[[Run], Awaitable[Report]]) -> None:
        self.attempts.judge(await reported(work, self.name, self.options))

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._moved = anyio.Event()
            await self._moved.wait()

    async def _until_wanted(self) -> bool:
        while not self._stopping:
            now_s = self.sweeper.ports.clock.steady_s()
            ready_s = self.attempts.not_before_s if self.wanted else self.attempts.again_s
            if not self.pause.in_force and (self._asked_by is not None or now_s >= ready_s):
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
