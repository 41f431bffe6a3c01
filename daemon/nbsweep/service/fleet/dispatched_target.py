"""One target of a fleet as `serve` sees it: it records what is due, and shows what workers make of it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio
from msgspec.structs import replace

from nbsweep.core.due_sweeps.model import SCHEDULE, DueSweep
from nbsweep.core.errors import JournalError, NbsweepError
from nbsweep.core.events.base import Event
from nbsweep.core.events.fleet import SweepDue
from nbsweep.core.events.service import TargetMadeUp, TargetSkipped
from nbsweep.core.fleet_status.model import DueState, DueStatus
from nbsweep.core.planning.plan import Plan
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Answer, Phase, TargetState
from nbsweep.service.fleet.queue import SweepQueue
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.targets.due_times import DueTimes
from nbsweep.service.targets.pausing import TargetPause
from nbsweep.service.targets.runner import RunnerState
from nbsweep.service.targets.runner_options import RunnerOptions

TRIES_AGAIN_EVERY_S = 2.0
"""How often a due time is recorded again after the journal could not be written."""


@dataclass(slots=True)
class DispatchedTarget:
    """Records the due sweeps of one target for the workers."""

    sweeper: Sweeper
    """Surveys for plans and explanations; the sweeps are the workers'."""
    options: RunnerOptions
    account: str
    queue: SweepQueue
    due_times: DueTimes | None = None
    """None without a schedule."""
    leading: bool = False
    """Whether this process starts what is due."""
    open: Sequence[DueStatus] = ()
    """The due sweeps that have not ended, as read last."""
    last_success: datetime | None = None
    pause: TargetPause = field(init=False)
    _due: bool = False
    """Whether a due time of the schedule is to be recorded."""
    _stopping: bool = False
    _moved: anyio.Event = field(default_factory=anyio.Event)

    def __post_init__(self) -> None:
        """Begin without a pause."""
        self.pause = TargetPause(self.name, self.sweeper.ports, self._move)

    @property
    def name(self) -> str:
        """Return the name of the target."""
        return self.sweeper.area.target

    @property
    def phase(self) -> Phase:
        """Return what the fleet does for the target now."""
        states = {due.state for due in self.open}
        if DueState.SWEEPING in states:
            return Phase.SWEEPING
        if DueState.WORKER_SILENT in states:
            return Phase.WORKER_SILENT
        return _phase_of_waiting(self.open[0].sweep) if self.open else Phase.WAITING

    def state(self) -> TargetState:
        """Return the state of the target."""
        paused = self.pause.in_force
        return TargetState(
            self.name,
            self.phase,
            self.options.dry_run,
            self.pause.latest if paused else None,
            None if paused else self.options.next_run(self.name),
            self.last_success,
            max((due.sweep.failures for due in self.open), default=0),
            next((due.sweep.problem for due in self.open if due.sweep.problem), ""),
            self.sweeper.ports.cloud.lanes_state(),
        )

    # ---- requests

    def due(self) -> None:
        """Record, if this process leads, that the target is due by its schedule."""
        if self.leading:
            self._due = True
            self._move()

    def missed(self) -> None:
        """Report, if this process leads, that a due time passed without a running service."""
        if self.leading:
            self._emit(TargetSkipped("its due time is further in the past than schedule.misfire_grace allows"))

    async def request(self, by: str, order: PlanOrder | None = None) -> Answer:
        """Record a request for a sweep, by the policies or by an approved plan, for the workers.

        A request is refused while the target is paused, or if such a sweep is due already; after a failure it begins at once.

        Raises:
            JournalError: the request could not be recorded.
        """
        if self.pause.in_force:
            return Answer.PAUSED
        now = await self.sweeper.ports.journal.now()
        plan_id = order.constraint.plan_id if order else ""
        sweep = DueSweep(self.name, self.account, now, by, now, plan_id)
        if await self.sweeper.ports.journal.due_sweeps.add(sweep) or await self._hurried(plan_id, now):
            await self.queue.defer([self.account])
            self._emit(SweepDue(self.account, by, now))
            return Answer.ACCEPTED
        return Answer.BUSY

    async def _hurried(self, plan_id: str, now: datetime) -> bool:
        """Have a sweep begin now that waits after a failure; return whether there is one."""
        due_sweeps = self.sweeper.ports.journal.due_sweeps
        for sweep in await due_sweeps.open(self.account):
            if (sweep.target, sweep.plan_id) == (self.name, plan_id) and sweep.begun_at is None and sweep.not_before > now:
                await due_sweeps.put_off(replace(sweep, not_before=now))
                return True
        return False

    def stop(self) -> None:
        """Record nothing more."""
        self._stopping = True
        self._move()

    def left(self) -> RunnerState:
        """Return what outlives a reload: all but the pause is in the journal."""
        return RunnerState(self.pause.latest)

    def continue_from(self, state: RunnerState) -> None:
        """Continue from the configuration before."""
        self.pause.latest = state.pause

    async def plan(self) -> Plan:
        """Survey the target and return its plan."""
        with self.sweeper.ports.telemetry.bound(target=self.name):
            return await self.sweeper.plan()

    # ---- the schedule

    async def run(self) -> None:
        """Record due times until stopped. Raises only cancellation."""
        with suppress(NbsweepError):
            await self.pause.repeat()
            await self.pause.read()
            await self.read_last_success()
        while not self._stopping:
            self._moved = anyio.Event()
            if self._due:
                with suppress(JournalError):
                    await self._record_due()
            with anyio.move_on_after(TRIES_AGAIN_EVERY_S if self._due else float("inf")):
                await self._moved.wait()

    async def lead(self) -> None:
        """Begin to start what is due; a sweep that became due while nobody led is made up for, or reported as missed.

        Raises:
            JournalError: the journal cannot be used.
        """
        self.leading = True
        if self.due_times is None or self.open:
            return
        due = await self.due_times.missed(dry_run=self.options.dry_run)
        if due is not None and self.due_times.may_begin_late(due) and not self.pause.in_force:
            self._emit(TargetMadeUp(due.astimezone(UTC).isoformat(timespec="seconds")))
            self.due()
        elif due is not None:
            self.missed()
        await self.due_times.note()

    async def read_last_success(self) -> None:
        """Read the last success from the journal. Raises JournalError."""
        success = await self.sweeper.ports.journal.last_success(self.name)
        self.last_success = success.ended_at if success else self.last_success

    async def _record_due(self) -> None:
        if self.pause.in_force:
            self._emit(TargetSkipped(f"it is {self.pause.latest}"))
        else:
            await self._add_due()
        self._due = False
        if self.due_times:
            await self.due_times.note()

    async def _add_due(self) -> None:
        journal = self.sweeper.ports.journal
        now = await journal.now()
        due_at = (self.due_times.latest() if self.due_times else None) or now
        if await journal.due_sweeps.add(DueSweep(self.name, self.account, due_at, SCHEDULE, now)):
            await self.queue.defer([self.account])
            self._emit(SweepDue(self.account, SCHEDULE, due_at))
        elif any(sweep.target == self.name and not sweep.plan_id for sweep in await journal.due_sweeps.open(self.account)):
            self._emit(TargetSkipped("the previous sweep is still in progress"))

    def _move(self) -> None:
        self._moved.set()

    def _emit(self, event: Event) -> None:
        with self.sweeper.ports.telemetry.bound(target=self.name):
            self.sweeper.ports.telemetry.emit(event)


def _phase_of_waiting(sweep: DueSweep) -> Phase:
    if sweep.failures:
        return Phase.BACKING_OFF
    return Phase.HELD_ELSEWHERE if sweep.problem else Phase.WAITING_FOR_WORKER
