"""What is due on one account, carried out by a worker, on a fake cloud in virtual time."""

import asyncio
import dataclasses
from datetime import timedelta

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, fence_holder, fleet, notebook, removal
from nbsweep.core import lifecycle
from nbsweep.core.control.requests import Pause
from nbsweep.core.errors import ConfigurationError, HeldElsewhere, Mistake, Unreachable
from nbsweep.core.events.service import TargetBackedOff, TargetRestored, TargetSkipped
from nbsweep.core.fences.model import lanes_fence
from nbsweep.core.lease import TargetLease
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Status
from nbsweep.core.saved_plan.approval import ApprovedPlan
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.engine.options import LeaseOptions
from nbsweep.engine.shutdown import Shutdown
from nbsweep.service.web.planning.drafts import seal
from nbsweep.testing import Call, Fault
from unit.engine.world import World, options, virtual_time, world
from unit.service.fleet.rig import A_MINUTE, ACCOUNT, RecordingLanes, account_sweeps, add_due, sweeper

pytestmark = virtual_time
A_DAY = timedelta(days=1)
AWAY = Fault(Unreachable("the cloud cannot be reached"))


async def runs(scene: World) -> list[tuple[str, str, str]]:
    """List the runs in the journal with who started them and their outcomes, the oldest first."""
    return [(record.run_id, record.started_by, record.outcome) for record in reversed(await scene.journal.runs(1000))]


async def test_what_is_due_is_carried_out_and_ends() -> None:
    """All notebooks go; the run is the worker's, and nothing is due any more."""
    scene = world(*fleet(3))
    await add_due(scene.journal)
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert len(scene.cloud.accepted) == 3
    assert await scene.journal.due_sweeps.open() == ()
    assert await runs(scene) == [("w1-run1", "w1 (worker)", "finished")]


async def test_nothing_that_is_not_due_is_swept() -> None:
    """Neither without a record, nor before its time, nor of a target that this worker does not have."""
    scene = world(*fleet(3))
    await add_due(scene.journal, not_before=await scene.journal.now() + A_MINUTE)
    await add_due(scene.journal, "elsewhere")
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert scene.cloud.calls == []
    assert len(await scene.journal.due_sweeps.open()) == 2


async def test_a_person_who_asked_for_a_sweep_is_named_in_its_run() -> None:
    """The schedule is no person: its runs name the worker."""
    scene = world(*fleet(1))
    await add_due(scene.journal, by="alice (page)")
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert await runs(scene) == [("w1-run1", "alice (page)", "finished")]


async def test_what_becomes_due_during_a_sweep_is_carried_out_by_the_same_job() -> None:
    """Another target of the account becomes due while the first is being swept."""
    scene, other = world(*fleet(2)), world()
    other.journal = scene.journal
    await add_due(scene.journal)

    async def become_due() -> None:
        await asyncio.sleep(3)
        await add_due(scene.journal, "later")

    async with anyio.create_task_group() as group:
        group.start_soon(become_due)
        await account_sweeps(sweeper(scene), sweeper(other, "later")).sweep(ACCOUNT)
    assert [outcome for _, _, outcome in await runs(scene)] == ["finished", "finished"]
    assert await scene.journal.due_sweeps.open() == ()


async def test_a_failed_sweep_is_put_off_longer_each_time() -> None:
    """The job ends all the same; half a minute later the next one tries again, then a whole one; a success ends the row."""
    scene = world(*fleet(1))
    scene.cloud.inject("page", AWAY, AWAY)
    await add_due(scene.journal)
    mine = account_sweeps(sweeper(scene))
    for failures, wait_s in ((1, 30), (2, 60)):
        await mine.sweep(ACCOUNT)
        [left] = await scene.journal.due_sweeps.open()
        assert (left.failures, left.begun_at) == (failures, None)
        assert left.problem == "the cloud cannot be reached"
        assert left.not_before - await scene.journal.now() == timedelta(seconds=wait_s)
        await mine.sweep(ACCOUNT)
        assert len(await runs(scene)) == failures
        await asyncio.sleep(wait_s)
    await mine.sweep(ACCOUNT)
    assert await scene.journal.due_sweeps.open() == ()
    assert [event.wait_s for event in scene.telemetry.of(TargetBackedOff)] == [30, 60]
    assert [event.failures for event in scene.telemetry.of(TargetRestored)] == [2]


async def test_a_paused_target_is_not_swept() -> None:
    """What was due has ended, as it would in a single process; the log says why."""
    scene = world(*fleet(1))
    await scene.journal.control.pause(Pause("research", NOON, "alice", "moving house"))
    await add_due(scene.journal)
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert (scene.cloud.calls, await scene.journal.due_sweeps.open()) == ([], ())
    [skipped] = scene.telemetry.of(TargetSkipped)
    assert "moving house" in skipped.why


async def test_a_paused_target_is_still_followed_if_a_worker_died_while_sweeping_it() -> None:
    """As after a crash of a single process: removals that were requested get their ends, and nothing else is deleted."""
    scene = world(notebook(1, status=Status.DELETING), *fleet(3)[1:])
    left = lifecycle.accept(lifecycle.request(removal(1), NOON, timedelta(minutes=30)), NOON)
    await scene.journal.write([left])
    scene.cloud.at(scene.clock.steady_s() + 8, lambda: scene.cloud.vanish("nb1"))
    due = await add_due(scene.journal)
    await scene.journal.due_sweeps.begin(due, await scene.journal.now())
    await scene.journal.control.pause(Pause("research", NOON, "alice", "moving house"))
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert scene.cloud.accepted == []
    assert [removal.state for removal in await scene.journal.removals("run1")] == [State.DELETED]
    assert await scene.journal.due_sweeps.open() == ()


async def test_a_target_that_somebody_sweeps_by_hand_has_one_run_that_says_so() -> None:
    """The worker looks again without a run of its own for each look, and sweeps when the other has ended."""
    scene = world(*fleet(1))
    leased = dataclasses.replace(
        sweeper(scene), options=options(lease=LeaseOptions(fence_holder("w1"), A_MINUTE, lambda _: None))
    )
    held = TargetLease("research", fence_holder("by-hand"), "alice", NOON, await scene.journal.leases.now(NOON))
    await scene.journal.leases.take(held, None)
    await add_due(scene.journal)
    mine = account_sweeps(leased)
    for _ in range(2):
        await mine.sweep(ACCOUNT)
        [left] = await scene.journal.due_sweeps.open()
        assert (left.failures, left.begun_at) == (0, None)
        assert "another nbsweep" in left.problem
        await asyncio.sleep(20)
    await scene.journal.leases.release(held)
    await mine.sweep(ACCOUNT)
    assert [outcome for _, _, outcome in await runs(scene)] == ["held-elsewhere", "finished"]
    assert await scene.journal.due_sweeps.open() == ()


async def test_a_worker_waits_for_an_account_that_another_one_holds() -> None:
    """No call leaves before; what the other has learned is the beginning of this one's lanes."""
    scene = world(*fleet(1))
    await add_due(scene.journal)
    fence = await scene.journal.fences.take(lanes_fence(ACCOUNT), fence_holder("other"), A_MINUTE)
    lanes = RecordingLanes("mine")

    async def free() -> None:
        await asyncio.sleep(20)
        assert scene.cloud.calls == []
        await scene.journal.fences.release(fence, "theirs")

    async with anyio.create_task_group() as group:
        group.start_soon(free)
        await account_sweeps(sweeper(scene), lanes=lanes).sweep(ACCOUNT)
    assert len(scene.cloud.accepted) == 1
    assert (lanes.recalled, lanes.fences) == (["theirs"], [False, True, False])
    [left] = await scene.journal.fences.all()
    assert (left.held, left.memory) == (False, "mine")


async def test_a_worker_that_loses_its_account_leaves_what_is_due_to_the_next_one() -> None:
    """Its sweep begins no more removals; the due sweep stays as begun, and the next worker carries it out at once."""
    scene = world(*fleet(20))
    due = await add_due(scene.journal)
    mine = account_sweeps(sweeper(scene))

    async def steal() -> None:
        await asyncio.sleep(2)
        await scene.journal.fences.take(lanes_fence(ACCOUNT), fence_holder("thief"), timedelta(0))

    async with anyio.create_task_group() as group:
        group.start_soon(steal)
        await mine.sweep(ACCOUNT)
    [left] = await scene.journal.due_sweeps.open()
    assert (left.due_at, left.failures, left.begun_at is not None) == (due.due_at, 0, True)
    [thief] = await scene.journal.fences.all()
    assert thief.is_of(fence_holder("thief"))
    await scene.journal.fences.release(thief)
    await account_sweeps(sweeper(scene), owner="w2").sweep(ACCOUNT)
    assert await scene.journal.due_sweeps.open() == ()
    assert sorted(scene.cloud.accepted) == sorted({f"nb{number}" for number in range(1, 21)})


async def test_a_worker_that_stops_leaves_the_rest_to_the_next_one_at_once() -> None:
    """The sweep is interrupted, without a failure; the account is free."""
    scene = world(*fleet(300))
    await add_due(scene.journal)

    def stop_at_first_delete(call: Call) -> None:
        if call.kind == "delete":
            scene.shutdown.begun.set()

    scene.cloud.on_call = stop_at_first_delete
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    [left] = await scene.journal.due_sweeps.open()
    assert (left.failures, left.begun_at) == (0, None)
    assert left.not_before <= await scene.journal.now()
    assert not (await scene.journal.fences.all())[0].held
    assert 0 < len(scene.cloud.accepted) < 300


async def test_a_worker_that_stops_does_not_wait_for_an_account() -> None:
    """Another process holds it."""
    scene = world(*fleet(1))
    await add_due(scene.journal)
    await scene.journal.fences.take(lanes_fence(ACCOUNT), fence_holder("other"), timedelta(hours=9))

    async def stop() -> None:
        await asyncio.sleep(5)
        scene.shutdown.begun.set()

    async with anyio.create_task_group() as group:
        group.start_soon(stop)
        with pytest.raises(HeldElsewhere):
            await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert scene.cloud.calls == []


async def test_a_second_job_of_an_account_waits_for_the_first_one_of_the_same_process() -> None:
    """A process that was stopped for a while finds its job in the queue again; its own fence would let it in at once."""
    scene = world(*fleet(300))
    await add_due(scene.journal)
    lanes = RecordingLanes()
    mine = account_sweeps(sweeper(scene), lanes=lanes)

    async def take_the_job_again() -> None:
        await asyncio.sleep(3)
        await mine.sweep(ACCOUNT)

    async with anyio.create_task_group() as group:
        group.start_soon(take_the_job_again)
        await mine.sweep(ACCOUNT)
    assert lanes.fences == [False, True, False, True, False]
    assert await runs(scene) == [("w1-run1", "w1 (worker)", "finished")]
    assert len(scene.cloud.accepted) == len(set(scene.cloud.accepted)) == 300


async def approve_plan(scene: World, *ids: str) -> None:
    """Approve the plan p1 of those of the present candidates that have these IDs."""
    planner = sweeper(scene)
    plan = await planner.plan()
    items = tuple(each for each in plan.items if each.notebook.id in ids)
    targets = (saved_target(replace(plan, items=items), await planner.identity()),)
    digest, document = seal(SavedPlan("p1", NOON, NOON + A_DAY, {}, targets))
    approved = ApprovedPlan("p1", "research", digest, NOON, NOON + A_DAY, len(ids), NOON, "alice (page)")
    assert await scene.journal.plans.approve(approved, document)
    scene.cloud.calls.clear()


async def test_an_approved_plan_is_carried_out_once() -> None:
    """Only its notebooks go; who wanted it is named in the run, and a second due sweep of the plan deletes nothing."""
    scene = world(*fleet(5))
    await approve_plan(scene, "nb2", "nb4")
    await add_due(scene.journal, plan_id="p1", by="bob (page)")
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert sorted(scene.cloud.accepted) == ["nb2", "nb4"]
    assert await runs(scene) == [("w1-run1", "bob (page)", "finished")]
    await asyncio.sleep(1)
    await add_due(scene.journal, plan_id="p1", by="bob (page)")
    await account_sweeps(sweeper(scene), owner="w2").sweep(ACCOUNT)
    assert len(scene.cloud.accepted) == 2
    assert await scene.journal.due_sweeps.open() == ()


async def test_a_plan_whose_worker_died_after_its_first_change_is_followed_and_not_carried_out_again() -> None:
    """The removals that were requested get their ends; the plan is used up."""
    scene = world(notebook(1, status=Status.DELETING), *fleet(3)[1:])
    await approve_plan(scene, "nb2")
    left = lifecycle.accept(lifecycle.request(removal(1), NOON, timedelta(minutes=30)), NOON)
    await scene.journal.write([left])
    scene.cloud.at(scene.clock.steady_s() + 8, lambda: scene.cloud.vanish("nb1"))
    due = await add_due(scene.journal, plan_id="p1", by="bob (page)")
    await scene.journal.due_sweeps.begin(due, await scene.journal.now())
    assert await scene.journal.plans.begin("p1", await scene.journal.now(), "bob (page)", "run1")
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert scene.cloud.accepted == []
    assert [removal.state for removal in await scene.journal.removals("run1")] == [State.DELETED]
    assert await scene.journal.due_sweeps.open() == ()


async def test_a_plan_whose_worker_died_before_its_first_change_is_carried_out() -> None:
    """It is not used up: somebody approved it, and waits for it."""
    scene = world(*fleet(3))
    await approve_plan(scene, "nb2")
    due = await add_due(scene.journal, plan_id="p1", by="bob (page)")
    await scene.journal.due_sweeps.begin(due, await scene.journal.now())
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert scene.cloud.accepted == ["nb2"]
    assert await scene.journal.due_sweeps.open() == ()


async def test_a_plan_whose_worker_is_drained_during_the_survey_is_carried_out_by_the_next_one() -> None:
    """The sweep is interrupted, and stays due."""
    scene = world(*fleet(300))
    await approve_plan(scene, "nb2", "nb4")
    await add_due(scene.journal, plan_id="p1", by="bob (page)")
    first = account_sweeps(sweeper(scene))
    scene.cloud.at(scene.clock.steady_s() + 0.1, first.shutdown.begun.set)
    await first.sweep(ACCOUNT)
    assert scene.cloud.accepted == []
    [left] = await scene.journal.due_sweeps.open()
    assert (left.plan_id, left.begun_at) == ("p1", None)
    scene.shutdown = Shutdown()
    await account_sweeps(sweeper(scene), owner="w2").sweep(ACCOUNT)
    assert sorted(scene.cloud.accepted) == ["nb2", "nb4"]
    assert [outcome for _, _, outcome in await runs(scene)] == ["interrupted", "finished"]


async def test_a_plan_that_is_not_on_record_deletes_nothing() -> None:
    """Its due sweep has ended."""
    scene = world(*fleet(1))
    await add_due(scene.journal, plan_id="gone", by="bob (page)")
    await account_sweeps(sweeper(scene)).sweep(ACCOUNT)
    assert (scene.cloud.calls, await scene.journal.due_sweeps.open()) == ([], ())


async def test_a_plan_that_is_not_valid_under_the_configuration_of_the_worker_deletes_nothing() -> None:
    """It waited for a worker, and the policies were changed meanwhile; the log says why, and the plan is not used up."""
    scene = world(*fleet(3))
    await approve_plan(scene, "nb2")
    await add_due(scene.journal, plan_id="p1", by="bob (page)")

    def refuse(plan: SavedPlan) -> None:
        raise ConfigurationError(f"the plan {plan.plan_id}", (Mistake("configuration", None, "policies is not as it was"),))

    await account_sweeps(sweeper(scene), require_valid=refuse).sweep(ACCOUNT)
    assert (scene.cloud.calls, await scene.journal.due_sweeps.open()) == ([], ())
    [skipped] = scene.telemetry.of(TargetSkipped)
    assert "the plan p1" in skipped.why
    assert "policies is not as it was" in skipped.why
    plan = await scene.journal.plans.find("p1")
    assert plan is not None
    assert plan.carried_out_at is None
