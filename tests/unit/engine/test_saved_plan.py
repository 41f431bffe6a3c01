"""A sweep by a saved plan, in virtual time."""

from datetime import datetime, timedelta

import anyio
from msgspec.structs import replace

from builders import NOON, ago, fleet, notebook
from nbsweep.core.errors import ConfigurationError, JournalError
from nbsweep.core.events.removal import RemovalFinished
from nbsweep.core.events.sweep import PlanNarrowed
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Lease, Status
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.planning.plan import Plan
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.render import render_kept
from nbsweep.core.report import Report
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.core.saved_plan.model import SavedTarget
from nbsweep.engine.report import Run
from nbsweep.engine.saved_plan import PlanConstraint
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import Fault
from unit.engine.world import FOR_EVER_S, FORGOTTEN, IDLE, World, approve, options, virtual_time, world

pytestmark = virtual_time

ENFORCE = Run("run1", "cron", dry_run=False)
DRY_RUN = Run("run1", "cron", dry_run=True)
NO_BRAKES = Brakes(None, None, None)
IDENTITY = TargetIdentity("https://modelarts.example", "0123", None, ("NOTEBOOK",), "all")


def sweeper(scene: World, brakes: Brakes = NO_BRAKES) -> Sweeper:
    """Return the sweeper of the world's one target: what is idle goes, and what is old, if need be after a stop."""
    return Sweeper(Area("research", None, ("NOTEBOOK",)), scene.ports, options(IDLE, FORGOTTEN), brakes, scene.shutdown)


async def save(scene: World) -> SavedTarget:
    """Plan, and save that."""
    return saved_target(await sweeper(scene).plan(), IDENTITY)


def permitted(held: Sweeper, permit: PlanConstraint) -> Sweeper:
    """Hold a sweeper to a saved plan."""
    held.permit = permit
    return held


async def swept(
    scene: World, saved: SavedTarget, run: Run = ENFORCE, brakes: Brakes = NO_BRAKES, expires_at: datetime | None = None
) -> Report:
    """Do a whole sweep by a saved plan."""
    permit = PlanConstraint("the plan p.json", "p1", expires_at or NOON + timedelta(days=1), saved)
    with anyio.fail_after(FOR_EVER_S):
        report = await permitted(sweeper(scene, brakes), permit).sweep(run, approve)
    scene.check_story()
    return report


def ends(report: Report) -> dict[str, State]:
    """Return how each removal ended."""
    return {removal.notebook_id: removal.state for removal in report.removals}


def changes(scene: World) -> list[str]:
    """List the calls that change something."""
    return scene.cloud.sent("delete") + scene.cloud.sent("stop")


async def test_a_plan_that_still_holds_is_carried_out_as_it_is() -> None:
    """All of it, and nobody is spared."""
    scene = world(*fleet(3))
    report = await swept(scene, await save(scene))
    assert (report.outcome, report.counts) == ("finished", {"deleted": 3})
    assert [
        (event.plan_id, event.permitted, event.not_in_plan, event.spared) for event in scene.telemetry.of(PlanNarrowed)
    ] == [("p1", 3, 0, 0)]


async def test_only_what_was_planned_and_may_go_today_goes() -> None:
    """One was renamed, one is gone, one is new: two of the four are deleted, and each of the others is accounted for."""
    scene = world(*fleet(4))
    saved = await save(scene)
    scene.cloud.change("nb1", name="keep-it")
    scene.cloud.vanish("nb2")
    scene.cloud.add(notebook(5))
    report = await swept(scene, saved)
    assert ends(report) == {"nb3": State.DELETED, "nb4": State.DELETED, "nb1": State.SPARED, "nb2": State.SPARED}
    assert changes(scene) == ["nb3", "nb4"]
    assert report.plan
    assert report.plan.kept == {"protected": 1, "not-in-plan": 1}


async def test_who_is_spared_is_on_record_with_the_reason_before_the_first_delete() -> None:
    """In the journal, in the log, and in the report; as planned by the saved plan, and with what speaks for it today."""
    scene = world(*fleet(2))
    saved = await save(scene)
    scene.cloud.change("nb1", name="keep-it")
    report = await swept(scene, saved)
    on_record = (await scene.journaled())["nb1"]
    assert on_record in report.removals
    assert (on_record.state, on_record.policy, on_record.name) == (State.SPARED, "idle", "experiment-1")
    assert on_record.end_reason == "protected by kept-names: name keep-it (keep-*)"
    chinese = "受保护规则 kept-names 保护：名称 keep-it（匹配 keep-*）"
    assert render_kept(on_record.end_cause, on_record.end_reason, Language.CHINESE) == chinese
    assert (on_record.requests, on_record.requested_at, on_record.status_before) == (0, None, Status.STOPPED)
    assert scene.story.index("SPARED nb1") < scene.story.index("delete nb2")
    assert [event.outcome for event in scene.telemetry.of(RemovalFinished)] == ["spared", "deleted"]
    bound = [context for event, context in scene.telemetry.records if isinstance(event, RemovalFinished)]
    assert (bound[0]["notebook_id"], bound[0]["policy"], bound[0]["target"]) == ("nb1", "idle", "research")


async def test_a_plan_of_which_nothing_is_left_is_done_and_says_so() -> None:
    """Finished, nobody is asked, and the one is spared."""
    scene = world(notebook())
    saved = await save(scene)
    scene.cloud.change("nb1", updated_at=NOON, name="keep-it")
    report = await swept(scene, saved)
    assert (report.outcome, ends(report), changes(scene)) == ("finished", {"nb1": State.SPARED}, [])


async def test_a_dry_run_tells_who_would_be_spared_and_writes_nothing() -> None:
    """The same plan up to the last line before the first change."""
    scene = world(*fleet(2))
    saved = await save(scene)
    scene.cloud.change("nb1", name="keep-it")
    report = await swept(scene, saved, DRY_RUN)
    assert (report.outcome, report.removals, changes(scene)) == ("dry-run", (), [])
    assert [each.item.id for each in report.spared] == ["nb1"]
    assert await scene.journal.removals("run1") == ()


async def test_the_brakes_bind_over_what_the_plan_permits() -> None:
    """Five would go today and two were planned: a brake of two lets them, and one of one refuses, and spares nobody."""
    scene = world(*fleet(2))
    saved = await save(scene)
    for number in (3, 4, 5):
        scene.cloud.add(notebook(number))
    refused = await swept(scene, saved, brakes=Brakes(1, None, None))
    assert (refused.outcome, refused.removals, refused.spared, changes(scene)) == ("refused", (), (), [])
    report = await swept(scene, saved, replace(ENFORCE, run_id="run2"), Brakes(2, None, None))
    assert (report.counts, changes(scene)) == ({"deleted": 2}, ["nb1", "nb2"])


async def test_what_a_brake_trims_from_a_plan_is_spared() -> None:
    """The longest idle goes, the other one is told of."""
    scene = world(notebook(1), notebook(2, updated_at=ago(days=150), lease=Lease(enabled=False)))
    report = await swept(scene, await save(scene), brakes=Brakes(1, None, None, OnExcess.TRIM))
    assert ends(report) == {"nb2": State.DELETED, "nb1": State.SPARED}


async def test_an_incomplete_survey_says_of_nobody_that_he_is_gone() -> None:
    """Who was not seen may merely not have been listed: refused, and no word of who is spared."""
    scene = world(*fleet(3))
    saved = await save(scene)
    scene.cloud.inject("page", *[Fault(alter=lambda page: replace(page, rows=page.rows[:1], total=9))] * 30)
    report = await swept(scene, saved)
    assert report.plan
    assert report.plan.refusal
    assert (report.outcome, report.plan.refusal.brake, report.spared) == ("refused", "incomplete-survey", ())
    assert await scene.journal.removals("run1") == ()


async def test_one_that_is_started_between_the_survey_and_its_delete_is_not_stopped() -> None:
    """Today's policy says `running: stop`; the plan saw it at rest, and permits no more than its DELETE."""
    scene = world(*fleet(2))
    saved = await save(scene)
    scene.cloud.inject("page", Fault(then=lambda: scene.cloud.change("nb1", status=Status.RUNNING)))
    report = await swept(scene, saved)
    assert ends(report) == {"nb1": State.SPARED, "nb2": State.DELETED}
    assert scene.cloud.sent("stop") == []
    assert "it runs again" in (await scene.journaled())["nb1"].end_reason


async def test_one_that_ran_when_it_was_planned_is_stopped_and_deleted() -> None:
    """As the plan said, and as somebody has seen it say."""
    scene = world(notebook(status=Status.RUNNING))
    report = await swept(scene, await save(scene))
    assert (ends(report), changes(scene)) == ({"nb1": State.DELETED}, ["nb1", "nb1"])


async def test_a_plan_that_expires_during_the_survey_is_not_carried_out() -> None:
    """It was valid when the command began; the sweep fails, with what to do about it."""
    scene = world(*fleet(2))
    saved = await save(scene)
    report = await swept(scene, saved, expires_at=scene.clock.now())
    assert isinstance(report.error, ConfigurationError)
    assert "the plan p.json cannot be used" in str(report.error)
    assert (report.outcome, changes(scene)) == ("failed", [])


async def test_a_journal_that_cannot_take_who_is_spared_ends_the_sweep_before_the_first_change() -> None:
    """Without its record nothing is deleted."""
    scene = world(*fleet(2))
    saved = await save(scene)
    scene.cloud.change("nb1", name="keep-it")

    def fault(removal: Removal) -> Exception | None:
        return JournalError("disk full") if removal.state is State.SPARED else None

    scene.journal.fault = fault
    report = await swept(scene, saved)
    assert isinstance(report.error, JournalError)
    assert (report.outcome, changes(scene)) == ("failed", [])


async def test_a_declined_plan_leaves_no_word_of_who_was_spared() -> None:
    """Nothing was carried out."""
    scene = world(*fleet(2))
    saved = await save(scene)
    scene.cloud.change("nb1", name="keep-it")

    async def no(_plan: Plan, _spared: object) -> bool:
        return False

    permit = PlanConstraint("the plan p.json", "p1", NOON + timedelta(days=1), saved)
    report = await permitted(sweeper(scene), permit).sweep(ENFORCE, no)
    assert (report.outcome, report.removals, changes(scene)) == ("declined", (), [])
    assert await scene.journal.removals("run1") == ()
