"""A target of a fleet as `serve` sees it, with an in-memory journal in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON
from nbsweep.core.control.requests import Pause, Resumption
from nbsweep.core.due_sweeps.model import SCHEDULE, DueSweep
from nbsweep.core.events.fleet import SweepDue
from nbsweep.core.events.service import TargetMadeUp, TargetSkipped
from nbsweep.core.fleet_status.model import DueState, DueStatus
from nbsweep.core.saved_plan.model import SavedTarget
from nbsweep.engine.report import Run
from nbsweep.engine.saved_plan import PlanConstraint
from nbsweep.service.control import Answer, Phase
from nbsweep.service.fleet.dispatched_target import DispatchedTarget
from nbsweep.service.fleet.reading import read_due
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.targets.due_times import DueTimes
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.settings.schedule import ScheduleSettings
from unit.engine.world import World, virtual_time, world
from unit.service.fleet.rig import ACCOUNT, sweeper
from unit.service.fleet.scripted_queue import ScriptedQueue

pytestmark = virtual_time
EVERY_HOUR = ScheduleSettings(cron="0 * * * *")


def dispatched(scene: World, queue: ScriptedQueue, *, leading: bool = True) -> DispatchedTarget:
    """Return a target that is due every hour."""
    options = RunnerOptions(dry_run=False, new_run=lambda dry: Run("r", "s", dry), next_run=lambda _: NOON + timedelta(hours=1))
    due_times = DueTimes("research", EVERY_HOUR, scene.journal, scene.clock)
    return DispatchedTarget(sweeper(scene), options, ACCOUNT, queue, due_times, leading=leading)


@asynccontextmanager
async def at_work(mine: DispatchedTarget) -> AsyncIterator[None]:
    """Let it run meanwhile."""
    async with anyio.create_task_group() as group:
        group.start_soon(mine.run)
        await asyncio.sleep(1)
        yield
        mine.stop()


async def test_the_leader_records_what_is_due() -> None:
    """With the due time of the schedule; a job is deferred, and the log says so."""
    scene, queue = world(), ScriptedQueue([])
    mine = dispatched(scene, queue)
    async with at_work(mine):
        mine.due()
        await asyncio.sleep(1)
    [due] = await scene.journal.due_sweeps.open()
    assert (due.target, due.account, due.due_at, due.by) == ("research", ACCOUNT, NOON, SCHEDULE)
    assert queue.deferred == [ACCOUNT]
    assert [event.due_at for event in scene.telemetry.of(SweepDue)] == [NOON]


async def test_who_does_not_lead_records_nothing() -> None:
    """Another process does; neither due nor missed times count here."""
    scene, queue = world(), ScriptedQueue([])
    mine = dispatched(scene, queue, leading=False)
    async with at_work(mine):
        mine.due()
        mine.missed()
        await asyncio.sleep(10)
    assert await scene.journal.due_sweeps.open() == ()
    assert (queue.deferred, scene.telemetry.of(TargetSkipped)) == ([], [])


async def test_two_who_lead_for_a_moment_record_a_due_time_once() -> None:
    """One was asleep, and has not noticed yet that it does not lead any more."""
    scene, queue = world(), ScriptedQueue([])
    one, other = dispatched(scene, queue), dispatched(scene, queue)
    async with at_work(one), at_work(other):
        one.due()
        other.due()
        await asyncio.sleep(1)
        [due] = await scene.journal.due_sweeps.open()
        await scene.journal.due_sweeps.end(due, await scene.journal.now())
        other.due()
        await asyncio.sleep(1)
    assert await scene.journal.due_sweeps.open() == ()
    assert queue.deferred == [ACCOUNT]


async def test_what_is_due_during_a_sweep_is_skipped() -> None:
    """The log says why."""
    scene, queue = world(), ScriptedQueue([])
    mine = dispatched(scene, queue)
    await scene.journal.due_sweeps.add(DueSweep("research", ACCOUNT, NOON - timedelta(hours=1), SCHEDULE, NOON))
    async with at_work(mine):
        mine.due()
        await asyncio.sleep(1)
    assert len(await scene.journal.due_sweeps.open()) == 1
    assert [event.why for event in scene.telemetry.of(TargetSkipped)] == ["the previous sweep is still in progress"]


async def test_a_paused_target_is_not_due_and_takes_no_request() -> None:
    """Until it is resumed."""
    scene, queue = world(), ScriptedQueue([])
    mine = dispatched(scene, queue)
    async with at_work(mine):
        await mine.pause.begin(Pause("research", NOON, "alice", "moving house"))
        mine.due()
        await asyncio.sleep(1)
        assert await mine.request("bob") is Answer.PAUSED
        assert await scene.journal.due_sweeps.open() == ()
        assert mine.state().next_run is None
        await mine.pause.end(Resumption("research", NOON, "alice"))
        assert await mine.request("bob") is Answer.ACCEPTED


async def test_a_request_names_who_asked_and_a_second_one_is_refused() -> None:
    """As long as the first is open."""
    scene, queue = world(), ScriptedQueue([])
    mine = dispatched(scene, queue, leading=False)
    assert await mine.request("alice (page)") is Answer.ACCEPTED
    assert await mine.request("bob (page)") is Answer.BUSY
    [due] = await scene.journal.due_sweeps.open()
    assert (due.by, queue.deferred) == ("alice (page)", [ACCOUNT])


async def test_a_request_hurries_a_sweep_that_waits_after_a_failure() -> None:
    """It may begin at once; the failures stay counted."""
    scene, queue = world(), ScriptedQueue([])
    mine = dispatched(scene, queue)
    now = await scene.journal.now()
    waiting = DueSweep("research", ACCOUNT, now, SCHEDULE, now + timedelta(hours=1), failures=5, problem="away")
    await scene.journal.due_sweeps.add(waiting)
    await asyncio.sleep(1)
    assert await mine.request("alice") is Answer.ACCEPTED
    [due] = await scene.journal.due_sweeps.open()
    assert due == replace(waiting, not_before=due.not_before)
    assert due.not_before <= await scene.journal.now()


async def test_an_approved_plan_is_a_sweep_of_its_own() -> None:
    """Beside one by the policies that is due."""
    scene, queue = world(), ScriptedQueue([])
    mine = dispatched(scene, queue)
    saved = SavedTarget("research", await mine.sweeper.identity(), 0, None, {}, ())
    order = PlanOrder(PlanConstraint("the plan p1", "p1", NOON, saved), "bob")
    assert await mine.request("alice") is Answer.ACCEPTED
    assert await mine.request("bob", order) is Answer.ACCEPTED
    assert await mine.request("bob", order) is Answer.BUSY
    assert {(due.plan_id, due.by) for due in await scene.journal.due_sweeps.open()} == {("", "alice"), ("p1", "bob")}


async def test_who_begins_to_lead_makes_up_for_what_was_missed() -> None:
    """The due time that was noted has passed without a run; what is open already is not missed."""
    scene, queue = world(), ScriptedQueue([])
    await scene.journal.control.note_due("research", NOON - timedelta(minutes=5))
    mine = dispatched(scene, queue, leading=False)
    async with at_work(mine):
        await mine.lead()
        await asyncio.sleep(1)
        assert len(scene.telemetry.of(TargetMadeUp)) == 1
        mine.open = await read_due(scene.journal, timedelta(seconds=60))
        assert len(mine.open) == 1
        await mine.lead()
        await asyncio.sleep(1)
    assert len(scene.telemetry.of(TargetMadeUp)) == 1


@pytest.mark.parametrize(
    ("states", "changes", "phase"),
    [
        ([], {}, Phase.WAITING),
        ([DueState.WAITING], {}, Phase.WAITING_FOR_WORKER),
        ([DueState.WAITING, DueState.SWEEPING], {"begun_at": NOON}, Phase.SWEEPING),
        ([DueState.WAITING, DueState.WORKER_SILENT], {"begun_at": NOON}, Phase.WORKER_SILENT),
        ([DueState.WAITING], {"begun_at": NOON}, Phase.WAITING_FOR_WORKER),
        ([DueState.WAITING], {"failures": 1}, Phase.BACKING_OFF),
        ([DueState.WAITING], {"problem": "process 7 has it"}, Phase.HELD_ELSEWHERE),
    ],
)
async def test_the_phase_is_that_of_the_open_sweeps(states: list[DueState], changes: dict[str, Any], phase: Phase) -> None:
    """A sweep whose worker has died waits, although it was begun."""
    mine = dispatched(world(), ScriptedQueue([]))
    due = replace(DueSweep("research", ACCOUNT, NOON, SCHEDULE, NOON), **changes)
    mine.open = [DueStatus(due, state) for state in states]
    assert mine.phase is phase
