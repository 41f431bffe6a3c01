"""Approved plans, carried out by the runner of their target, on a fake cloud in virtual time."""

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from builders import NOON, ago, fleet
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.control.requests import Pause
from nbsweep.core.errors import Unreachable
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.saved_plan.approval import ApprovedPlan
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.engine.saved_plan import PlanConstraint
from nbsweep.service.control import Answer, Phase
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.targets.target_runner import TargetRunner
from nbsweep.testing import Fault
from trails import whole_trail
from unit.engine.world import World, virtual_time, world
from unit.service.targets.test_target_runner import at_work, runner, runs

pytestmark = virtual_time
A_DAY = timedelta(days=1)
AWAY = Fault(Unreachable("the cloud cannot be reached"))


async def order(scene: World, mine: TargetRunner, *ids: str) -> PlanOrder:
    """Approve a plan of those of the present candidates that have these IDs, and return the order of bob."""
    plan = await mine.plan()
    kept = tuple(each for each in plan.items if each.notebook.id in ids)
    saved = saved_target(replace(plan, items=kept), await mine.sweeper.identity())
    approved = ApprovedPlan("p1", "research", "sha256:1", ago(hours=1), NOON + A_DAY, len(kept), NOON, "alice (page)")
    await scene.journal.plans.approve(approved, b"{}")
    scene.cloud.calls.clear()
    return PlanOrder(PlanConstraint("the plan p1", "p1", NOON + A_DAY, saved), "bob (page)")


async def is_open(scene: World) -> bool:
    """Return whether the plan may still be carried out."""
    plan = await scene.journal.plans.find("p1")
    return plan is not None and plan.is_open(scene.clock.now())


async def test_only_the_notebooks_of_the_plan_go() -> None:
    """Of five that match, the two of the plan; who approved and who carried it out is on record, with the run."""
    scene = world(*fleet(5))
    mine = runner(scene)
    wanted = await order(scene, mine, "nb2", "nb4")
    async with at_work(mine):
        assert mine.ask(wanted.by, wanted) is Answer.ACCEPTED
        assert mine.ask(wanted.by, wanted) is Answer.BUSY
        await asyncio.sleep(120)
        assert sorted(scene.cloud.accepted) == ["nb2", "nb4"]
        assert mine.phase is Phase.WAITING
    [run] = await scene.journal.runs(10)
    assert (run.run_id, run.started_by, run.outcome) == ("run2", "bob (page)", "finished")
    assert mine.state().last_success == run.ended_at
    entries = [link.entry for link in await whole_trail(scene.journal)]
    [carried_out] = [each for each in entries if each.what == AuditStep.CARRIED_OUT]
    assert (carried_out.started_by, carried_out.run_id) == ("bob (page)", "run2")
    assert "approved by alice (page)" in carried_out.reason


async def test_a_plan_is_carried_out_once() -> None:
    """The second order changes nothing, although two of its notebooks still match."""
    scene = world(*fleet(5))
    mine = runner(scene)
    wanted = await order(scene, mine, "nb2", "nb4")
    await scene.journal.plans.begin("p1", NOON, "carol", "run0")
    async with at_work(mine):
        mine.ask(wanted.by, wanted)
        await asyncio.sleep(120)
        assert list(scene.cloud.accepted) == []
    assert (await runs(scene))[-1][1] == "declined"


async def test_a_plan_that_could_not_be_carried_out_is_not_tried_again() -> None:
    """Neither by itself nor, worse, as a sweep of everything; it stays open, so that somebody can ask again."""
    scene = world(*fleet(5))
    mine = runner(scene)
    wanted = await order(scene, mine, "nb2")
    async with at_work(mine):
        scene.cloud.inject("workspaces", *[AWAY] * 10)
        mine.ask(wanted.by, wanted)
        await asyncio.sleep(80_000)
        assert list(scene.cloud.accepted) == []
        assert "cannot be reached" in mine.attempts.problem
        assert (mine.phase, mine.attempts.failures) == (Phase.WAITING, 0)
    assert await is_open(scene)


async def test_a_dry_run_does_not_use_a_plan_up() -> None:
    """The mode binds: nothing is deleted."""
    scene = world(*fleet(5))
    mine = runner(scene, dry_run=True)
    wanted = await order(scene, mine, "nb2")
    async with at_work(mine):
        mine.ask(wanted.by, wanted)
        await asyncio.sleep(120)
        assert list(scene.cloud.accepted) == []
    assert (await runs(scene))[-1][1] == "dry-run"
    assert await is_open(scene)


async def test_brakes_bind_a_plan_too() -> None:
    """A plan of three with a limit of two is refused, and stays open."""
    scene = world(*fleet(5))
    mine = runner(scene)
    wanted = await order(scene, mine, "nb1", "nb2", "nb3")
    mine.sweeper.brakes = Brakes(2, None)
    async with at_work(mine):
        mine.ask(wanted.by, wanted)
        await asyncio.sleep(120)
        assert list(scene.cloud.accepted) == []
    assert (await runs(scene))[-1][1] == "refused"
    assert await is_open(scene)


async def test_a_sweep_that_is_due_takes_place_besides() -> None:
    """A plan is no substitute for the schedule: afterwards everything goes that the policies say."""
    scene = world(*fleet(5))
    mine = runner(scene)
    wanted = await order(scene, mine, "nb2")
    async with at_work(mine):
        mine.ask(wanted.by, wanted)
        mine.due()
        await asyncio.sleep(240)
        assert sorted(scene.cloud.accepted) == ["nb1", "nb2", "nb3", "nb4", "nb5"]
    assert [outcome for _, outcome in await runs(scene)] == ["finished", "finished"]


async def test_a_paused_target_takes_no_order() -> None:
    """It says so."""
    scene = world(*fleet(5))
    mine = runner(scene)
    wanted = await order(scene, mine, "nb2")
    mine.pause.note(Pause("research", NOON, "alice", "moving house"))
    assert mine.ask(wanted.by, wanted) is Answer.PAUSED
