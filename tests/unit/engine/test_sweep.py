import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, ago, fleet, notebook, removal, run_record
from nbsweep.core import lifecycle
from nbsweep.core.errors import AnswerLost, Forbidden, JournalError, SweepTimedOut, Unauthorized
from nbsweep.core.events.removal import RemovalFinished
from nbsweep.core.events.sweep import PlanBuilt, PlanRefused, SweepFinished, SweepStarted, TargetChanged
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Lease, Status, Volume
from nbsweep.core.pacing import Rate
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.planning.plan import Plan
from nbsweep.core.reasons.sentences.brakes import BrakeCode
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome, RunRecord
from nbsweep.engine.options import SweepOptions
from nbsweep.engine.report import Run
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import LOST_AFTER, NO_FAULT, Fault, Kind, Pace
from unit.engine.world import FOR_EVER_S, IDENTITY, World, options, virtual_time, world

pytestmark = virtual_time

ENFORCE = Run("run1", "cron", dry_run=False)
DRY_RUN = Run("run1", "cron", dry_run=True)
NO_BRAKES = Brakes(None, None, None)


@dataclass
class Approver:
    """Answers, and remembers the plans that it was asked about."""

    answer: bool = True
    asked: list[Plan] = field(default_factory=list)

    async def __call__(self, plan: Plan, _spared: object) -> bool:
        """Be asked."""
        self.asked.append(plan)
        return self.answer


def sweeper(scene: World, brakes: Brakes = NO_BRAKES, how: SweepOptions | None = None) -> Sweeper:
    """Return the sweeper of the world's one target."""
    return Sweeper(Area("research", None, ("NOTEBOOK",)), scene.ports, how or options(), brakes, scene.shutdown)


async def swept(scene: World, run: Run = ENFORCE, brakes: Brakes = NO_BRAKES, approver: Approver | None = None) -> Report:
    """Do a whole sweep."""
    with anyio.fail_after(FOR_EVER_S):
        report = await sweeper(scene, brakes).sweep(run, approver or Approver())
    scene.check_story()
    return report


async def record(scene: World) -> RunRecord:
    """Read the one record of the run."""
    [run] = await scene.journal.run("run1")
    return run


def changes(scene: World) -> list[str]:
    """List the calls that change something."""
    return scene.cloud.sent("delete") + scene.cloud.sent("stop")


# ---- the plain sweep ------------------------------------------------------------------------------------------------------


async def test_a_sweep_goes_from_survey_to_report() -> None:
    """Two of four go; the report, the journal and the cloud say the same."""
    rows = [notebook(1), notebook(2, volume=Volume("EVS", "MANAGED", 30)), notebook(3, name="keep-it"), notebook(4, tags=None)]
    scene = world(*rows)
    report = await swept(scene)
    assert (report.outcome, report.error, report.recovered) == ("finished", None, ())
    assert report.counts == {"deleted": 2}
    assert report.reclaimed_gb == 80
    assert report.plan
    assert report.plan.planned == 2
    assert [removal.notebook_id for removal in report.removals] == ["nb1", "nb2"]
    assert await scene.journal.removals("run1") == report.removals
    assert [scene.cloud.truth(f"nb{number}") is None for number in (1, 2, 3, 4)] == [True, True, False, False]


async def test_the_run_is_on_record() -> None:
    """Who, when, how many, how it ended."""
    scene = world(notebook(1), notebook(2, name="keep-it"))
    await swept(scene)
    run = await record(scene)
    assert (run.target, run.started_by, run.dry_run, run.started_at) == ("research", "cron", False, NOON)
    assert (run.outcome, run.problem, run.fleet, run.planned, run.kept) == ("finished", "", 2, 1, {"protected": 1})
    assert run.ended_at == scene.clock.now()


async def test_planned_is_on_disk_before_anything_is_asked_of_the_cloud() -> None:
    """All of the plan, in one write, and then the walk's page."""
    scene = world(*fleet(3))
    await swept(scene)
    assert scene.story[:6] == [
        "workspaces ",
        "page 0/NOTEBOOK/0",
        "PLANNED nb1",
        "PLANNED nb2",
        "PLANNED nb3",
        "page 0/NOTEBOOK/0",
    ]


async def test_outcomes_are_counted() -> None:
    """One of each."""
    scene = world(*fleet(4))
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED), Fault(ends_in=Status.DELETE_FAILED), notebook_id="nb2")
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETING), notebook_id="nb3")
    scene.cloud.inject("page", Fault(then=lambda: scene.cloud.change("nb4", name="keep-it")))
    report = await swept(scene)
    assert report.counts == {"deleted": 1, "failed": 1, "timed_out": 1, "spared": 1}
    assert report.outcome == "finished"
    assert report.reclaimed_gb == 50


async def test_a_disk_that_is_the_users_own_is_not_reclaimed() -> None:
    """It stays, and goes on costing, when its notebook is gone: 50 GB of the one, nothing of the other, all of one unsaid."""
    volumes = (Volume("EVS", "MANAGED", 50), Volume("EFS", "DEDICATED", 400), Volume("EVS", None, 7))
    scene = world(*[notebook(number, volume=volume) for number, volume in enumerate(volumes, 1)])
    report = await swept(scene)
    assert report.counts == {"deleted": 3}
    assert report.reclaimed_gb == 57
    assert [finished.capacity_gb for finished in scene.telemetry.of(RemovalFinished)] == [50, None, 7]


async def test_a_sweep_says_what_kind_of_error_ended_it() -> None:
    """By the class of the error, for alerts; nothing where there was none."""
    scene = world(*fleet(1))
    scene.cloud.inject("page", Fault(error=Forbidden("not allowed")))
    await swept(scene)
    await swept(scene, replace(ENFORCE, run_id="run2"))
    assert [finished.problem_kind for finished in scene.telemetry.of(SweepFinished)] == ["Forbidden", ""]


async def test_a_sweep_is_told_with_its_run_and_target() -> None:
    """A line at the beginning, one for the plan, one at the end; all bound to the run."""
    scene = world(*fleet(2))
    report = await swept(scene)
    for kind in (SweepStarted, PlanBuilt, SweepFinished):
        [bound] = [context for event, context in scene.telemetry.records if isinstance(event, kind)]
        assert bound == {"run_id": "run1", "target": "research"}
    [finished] = scene.telemetry.of(SweepFinished)
    assert (finished.outcome, finished.counts, finished.duration_s) == ("finished", {"deleted": 2}, report.duration_s)
    assert report.duration_s == 23.75


async def test_the_journals_memory_speaks_for_a_notebook() -> None:
    """The cloud's dates say idle for 100 days; the journal saw it running three days ago: it stays."""
    scene = world(*fleet(2))
    await scene.journal.sightings.note(IDENTITY.project, ["nb1"], ago(days=3))
    report = await swept(scene)
    assert changes(scene) == ["nb2"]
    assert report.counts == {"deleted": 1}


# ---- where a sweep may end before its first change ------------------------------------------------------------------------


async def test_a_dry_run_changes_nothing_and_asks_nobody() -> None:
    """The same plan, no removal on disk, no call that changes anything; the survey's own memory is kept."""
    scene, approver = world(*fleet(3), notebook(4, status=Status.RUNNING)), Approver()
    report = await swept(scene, DRY_RUN, approver=approver)
    assert (report.outcome, report.removals, approver.asked) == ("dry-run", (), [])
    assert report.plan
    assert report.plan.planned == 3
    assert {call.kind for call in scene.cloud.calls} == {"workspaces", "page"}
    assert await scene.journal.removals("run1") == ()
    run = await record(scene)
    assert (run.outcome, run.dry_run, run.planned) == ("dry-run", True, 3)


async def test_a_dry_run_recovers_nothing() -> None:
    """What an earlier run left is left: to bring it to an end would be a change."""
    scene = world(*fleet(1))
    left = lifecycle.request(removal(9, run_id="run0"), ago(hours=1), timedelta(minutes=30))
    await scene.journal.write([left])
    report = await swept(scene, DRY_RUN)
    assert report.recovered == ()
    assert await scene.journal.unfinished("research") == (left,)


@pytest.mark.parametrize("run", [ENFORCE, DRY_RUN])
async def test_a_brake_refuses_and_nobody_is_asked(run: Run) -> None:
    """Three would go and two may: not one does."""
    scene, approver = world(*fleet(3)), Approver()
    report = await swept(scene, run, Brakes(2, None, None), approver)
    assert (report.outcome, report.removals, approver.asked) == ("refused", (), [])
    assert report.plan
    assert report.plan.refusal
    assert report.plan.refusal.brake == "max_deletions"
    assert (changes(scene), await scene.journal.removals("run1")) == ([], ())
    kept = await record(scene)
    sentence = (
        "3 notebooks would go, and brakes.max_deletions allows 2. Narrow the policies, raise the brake, or set "
        "brakes.on_excess: trim"
    )
    assert (kept.outcome, kept.problem) == ("refused", sentence)
    assert kept.statements == (Statement(BrakeCode.MAX_DELETIONS, {"count": 3, "allowed": 2}, text=sentence),)
    assert [event.brake for event in scene.telemetry.of(PlanRefused)] == ["max_deletions"]


async def test_an_incomplete_survey_is_refused_whatever_the_brakes() -> None:
    """Without brakes at all, a listing that does not add up deletes nothing."""
    scene = world(*fleet(3))
    scene.cloud.inject("page", *[Fault(alter=lambda page: replace(page, total=9))] * 30)
    report = await swept(scene)
    assert report.plan
    assert report.plan.refusal
    assert (report.outcome, report.plan.refusal.brake) == ("refused", "incomplete-survey")
    assert changes(scene) == []


async def test_an_incomplete_survey_is_refused_and_not_trimmed() -> None:
    """A brake that trims binds over what was seen, and this was not all."""
    scene = world(*fleet(3))
    scene.cloud.inject("page", *[Fault(alter=lambda page: replace(page, total=9))] * 30)
    report = await swept(scene, brakes=Brakes(1, Fraction(1), None, OnExcess.TRIM))
    assert (report.outcome, changes(scene)) == ("refused", [])


async def test_a_plan_that_is_trimmed_goes_as_far_as_it_may() -> None:
    """Two of three, the longest idle first."""
    scene = world(
        notebook(1),
        notebook(2, updated_at=ago(days=150), lease=Lease(enabled=False)),
        notebook(3, updated_at=ago(days=120), lease=Lease(enabled=False)),
    )
    report = await swept(scene, brakes=Brakes(2, None, None, OnExcess.TRIM))
    assert (report.counts, changes(scene)) == ({"deleted": 2}, ["nb2", "nb3"])


async def test_an_empty_plan_is_finished_and_nobody_is_asked() -> None:
    """Nothing may go."""
    scene, approver = world(notebook(name="keep-it")), Approver()
    report = await swept(scene, approver=approver)
    assert (report.outcome, approver.asked, changes(scene)) == ("finished", [], [])


async def test_approval_is_asked_once_for_the_whole_plan() -> None:
    """And nothing has been changed by then."""
    scene, approver = world(*fleet(3)), Approver()
    await swept(scene, approver=approver)
    [plan] = approver.asked
    assert [item.notebook.id for item in plan.items] == ["nb1", "nb2", "nb3"]


async def test_a_declined_plan_changes_nothing() -> None:
    """No removal on disk, no call."""
    scene = world(*fleet(3))
    report = await swept(scene, approver=Approver(answer=False))
    assert (report.outcome, report.removals, changes(scene)) == ("declined", (), [])
    assert await scene.journal.removals("run1") == ()
    assert (await record(scene)).ended_at


# ---- recovery first -------------------------------------------------------------------------------------------------------


async def test_what_an_earlier_run_left_comes_first() -> None:
    """A DELETE that was lost with the process is followed, found without effect, and then decided anew by this sweep."""
    scene = world(notebook(1))
    left = lifecycle.request(removal(1, run_id="run0"), ago(hours=1), timedelta(minutes=30))
    await scene.journal.write([left])
    report = await swept(scene)
    assert [done.ended for done in report.recovered] == [True]
    assert scene.story.index("show nb1") < scene.story.index("workspaces ")
    assert report.counts == {"deleted": 1}
    assert scene.cloud.accepted == ["nb1"]


# ---- shutdown -------------------------------------------------------------------------------------------------------------


async def test_a_shutdown_during_the_survey_ends_it_at_once() -> None:
    """Pages take ten seconds each; stopped at 15, over at 15."""
    scene, approver = world(*fleet(200), pace=Pace(answer_s=10)), Approver()
    asyncio.get_running_loop().call_later(15, scene.shutdown.begun.set)
    report = await swept(scene, approver=approver)
    assert (report.outcome, report.plan, approver.asked, changes(scene)) == ("interrupted", None, [], [])
    assert scene.clock.now() - NOON == timedelta(seconds=15)
    assert (await record(scene)).outcome == "interrupted"


async def test_a_shutdown_while_somebody_thinks_about_the_plan_ends_it() -> None:
    """No answer is waited for."""
    scene = world(*fleet(2))

    async def think(_plan: Plan, _spared: object) -> bool:
        await asyncio.sleep(3600)
        return True

    asyncio.get_running_loop().call_later(15, scene.shutdown.begun.set)
    report = await sweeper(scene).sweep(ENFORCE, think)
    assert (report.outcome, changes(scene)) == ("interrupted", [])


async def test_a_shutdown_during_the_removals_is_an_interruption() -> None:
    """What was accepted has its end, the report says so, and the record says interrupted."""
    scene = world(*fleet(6), pace=Pace(answer_s=1))
    asyncio.get_running_loop().call_later(4.5, scene.shutdown.begun.set)
    report = await sweeper(scene, how=options(workers=1)).sweep(ENFORCE, Approver())
    assert report.outcome == (await record(scene)).outcome == "interrupted"
    assert set(report.counts) == {"deleted", "spared"}
    assert len(report.removals) == 6


# ---- what goes wrong ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["workspaces", "page"])
@pytest.mark.parametrize("error", [Unauthorized("bad key"), AnswerLost("no answer")])
async def test_a_survey_that_fails_is_a_failed_sweep(kind: Kind, error: Exception) -> None:
    """The report has the error, the record its sentence; nothing was changed."""
    scene = world(*fleet(2))
    scene.cloud.inject(kind, *[Fault(error)] * 3)
    report = await swept(scene)
    assert (report.outcome, report.error, changes(scene)) == ("failed", error, [])
    run = await record(scene)
    assert (run.outcome, run.problem) == ("failed", str(error))


async def test_an_account_that_refuses_us_in_mid_sweep_is_a_failed_sweep_with_all_it_did() -> None:
    """One accepted and followed to its end, one refused: the report has both, and the error."""
    scene = world(*fleet(4))
    scene.cloud.inject("page", NO_FAULT, Fault(AnswerLost("the page of the walk")))
    scene.cloud.inject("show", Fault(Unauthorized("the key was withdrawn")), notebook_id="nb2")
    report = await sweeper(scene, how=options(workers=1)).sweep(ENFORCE, Approver())
    assert isinstance(report.error, Unauthorized)
    assert (report.outcome, report.counts) == ("failed", {"deleted": 1, "spared": 3})
    assert (await record(scene)).problem == "the key was withdrawn"
    assert await scene.journal.removals("run1") == report.removals


async def test_a_journal_that_cannot_take_the_plan_ends_the_sweep_before_the_first_change() -> None:
    """Not even a second look."""
    scene = world(*fleet(2))
    scene.journal.fault = lambda row: JournalError("disk full") if row.state is State.PLANNED else None
    report = await swept(scene)
    assert isinstance(report.error, JournalError)
    assert (report.outcome, changes(scene)) == ("failed", [])


async def test_a_run_that_cannot_be_opened_does_nothing() -> None:
    """The id was used before; without a record there is no sweep."""
    scene = world(*fleet(2))
    await scene.journal.open_run(run_record())
    report = await swept(scene)
    assert isinstance(report.error, JournalError)
    assert (report.outcome, scene.cloud.calls) == ("failed", [])


@pytest.mark.parametrize("kind", ["workspaces", "page", "show", "delete"])
async def test_a_bug_comes_out_after_the_journal_was_closed(kind: Kind) -> None:
    """Something that no port promises is raised as it is; the record says failed, and nothing planned is left open."""
    scene = world(*fleet(2))
    scene.cloud.inject(kind, Fault(ZeroDivisionError("a bug")))
    with pytest.raises((ZeroDivisionError, ExceptionGroup)) as caught:
        await swept(scene)
    if isinstance(caught.value, ExceptionGroup):
        assert caught.value.split(ZeroDivisionError)[1] is None
    run = await record(scene)
    assert (run.outcome, run.ended_at) == ("failed", scene.clock.now())
    assert State.PLANNED not in {done.state for done in await scene.journal.removals("run1")}


async def test_a_bug_leaves_its_mark_on_the_record() -> None:
    """Whoever reads the journal sees that it failed, and what of."""
    scene = world(*fleet(2))
    scene.cloud.inject("page", Fault(ZeroDivisionError("a bug")))
    with pytest.raises((ZeroDivisionError, ExceptionGroup)):
        await swept(scene)
    assert "a bug" in (await record(scene)).problem


async def test_a_cancelled_sweep_closes_its_record() -> None:
    """Cancelled from outside after five seconds: interrupted, at that moment, and the accepted one stays open."""
    scene = world(notebook())
    with anyio.move_on_after(5.5):
        await sweeper(scene).sweep(ENFORCE, Approver())
    run = await record(scene)
    assert (run.outcome, run.ended_at) == ("interrupted", NOON + timedelta(seconds=5.5))
    [left] = await scene.journal.unfinished("research")
    assert left.state is State.ACCEPTED


async def test_a_crash_is_made_good_by_the_next_run() -> None:
    """The process dies with an answer outstanding; the next run finds it deleted, sends it no DELETE, and does the rest."""
    scene = world(*fleet(2), pace=Pace(answer_s=1))
    scene.cloud.inject("page", NO_FAULT, Fault(AnswerLost("the page of the walk")))
    scene.cloud.inject("delete", LOST_AFTER)
    with anyio.move_on_after(4.5):
        await sweeper(scene, how=options(workers=1)).sweep(ENFORCE, Approver())
    assert scene.cloud.accepted == ["nb1"]
    report = await sweeper(scene).sweep(replace(ENFORCE, run_id="run2"), Approver())
    assert [done.notebook_id for done in report.recovered if done.state is State.DELETED] == ["nb1"]
    assert report.counts == {"deleted": 1}
    assert scene.cloud.accepted == ["nb1", "nb2"]
    assert await scene.journal.unfinished("research") == ()


# ---- a sweep's own time ---------------------------------------------------------------------------------------------------


async def test_a_sweep_that_takes_too_long_is_asked_to_stop() -> None:
    """Forty DELETEs at one a second, and ten seconds for all: what was not begun is spared, what was accepted is finished."""
    scene = world(*fleet(40), pace=Pace(deletion_s=20, delete_rate=Rate(1, 1.0)))
    with anyio.fail_after(FOR_EVER_S):
        report = await sweeper(scene, how=options(time_limit=timedelta(seconds=10))).sweep(ENFORCE, Approver())
    assert report.outcome == "failed"
    assert isinstance(report.error, SweepTimedOut)
    assert "service.sweep_timeout (10s)" in str(report.error)
    assert 8 <= report.counts["deleted"] <= 12
    assert report.counts["deleted"] + report.counts["spared"] == 40
    assert (await record(scene)).outcome == "failed"


async def test_a_stop_from_outside_is_no_lack_of_time() -> None:
    """The same sweep, stopped by a person after five seconds, was interrupted."""
    scene = world(*fleet(40), pace=Pace(deletion_s=20, delete_rate=Rate(1, 1.0)))
    scene.cloud.at(scene.clock.steady_s() + 5, scene.shutdown.begun.set)
    report = await swept(scene)
    assert (report.outcome, report.error) == ("interrupted", None)


# ---- the target's last run ------------------------------------------------------------------------------------------------


async def past_run(scene: World, run_id: str, target: str, **facts: Any) -> None:
    """Put an ended run on record, as many minutes ago as its number says."""
    started_at = ago(minutes=int(run_id.rpartition("-")[2]))
    opened = run_record(run_id, target=target, started_at=started_at, project=facts.get("project", ""), extent="all")
    await scene.journal.open_run(opened)
    await scene.journal.close_run(replace(opened, ended_at=started_at, outcome=facts.get("outcome", Outcome.FINISHED)))


async def test_a_change_of_project_is_reported_however_often_other_targets_were_swept() -> None:
    """One target was swept every five minutes for a day, and this one a day ago, with another project."""
    scene = world(*fleet(1))
    await past_run(scene, "mine-1440", "research", project="elsewhere")
    for minutes in range(5, 1440, 5):
        await past_run(scene, f"busy-{minutes}", "busy", project="busy")
    await swept(scene)
    assert [(event.last_run, event.before) for event in scene.telemetry.of(TargetChanged)] == [("mine-1440", "elsewhere all")]


async def test_a_change_of_project_is_reported_after_failures_that_never_knew_the_project() -> None:
    """A run that failed before its project was known says nothing about the project."""
    scene = world(*fleet(1))
    await past_run(scene, "mine-90", "research", project="elsewhere")
    await past_run(scene, "mine-60", "research", outcome=Outcome.FAILED)
    await swept(scene)
    assert [event.last_run for event in scene.telemetry.of(TargetChanged)] == ["mine-90"]


async def test_a_change_of_project_is_reported_once() -> None:
    """A brake refused the first run with the new project; the second run reports no change."""
    scene = world(*fleet(1))
    await past_run(scene, "mine-90", "research", project="elsewhere")
    await swept(scene, run=Run("run1", "cron", dry_run=False), brakes=Brakes(max_deletions=0))
    await swept(scene, run=Run("run2", "cron", dry_run=False))
    assert len(scene.telemetry.of(TargetChanged)) == 1
