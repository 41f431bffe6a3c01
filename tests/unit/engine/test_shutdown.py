import asyncio
from fractions import Fraction
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, ago, fleet, notebook, removal
from nbsweep.core.errors import AnswerLost, Forbidden, Rejected, Unauthorized
from nbsweep.core.events.sweep import PlanTrimmed, SweepBraked, SweepFailure
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Status
from nbsweep.core.pacing import Rate
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.report import Report
from nbsweep.engine.report import Run
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import Fault, Pace
from unit.engine.world import FOR_EVER_S, IDENTITY, World, approve, options, virtual_time, world

pytestmark = virtual_time

OFF = Brakes(None, None, None, max_fleet_drop=None)
SLOW = Pace(deletion_s=2.0, delete_rate=Rate(1, 1.0))
"""One DELETE a second, so that there is something left to stop."""
FAILS = Fault(ends_in=Status.DELETE_FAILED)
HOUR_S = 3600.0


async def swept(scene: World, run_id: str, brakes: Brakes = OFF, *, dry_run: bool = False, **changes: Any) -> Report:
    """Do a whole sweep in a run of its own."""
    sweeper = Sweeper(Area("research", None, ("NOTEBOOK",)), scene.ports, options(retries=0, **changes), brakes, scene.shutdown)
    with anyio.fail_after(FOR_EVER_S):
        report = await sweeper.sweep(Run(run_id, "cron", dry_run), approve)
    scene.check_story()
    return report


def braked_by(report: Report) -> tuple[str, str | None]:
    """Return how a sweep ended, and which brake refused or stopped it."""
    refusal = report.plan.refusal if report.plan else None
    return report.outcome, refusal.brake if refusal else None


def kept(report: Report, reason: Reason) -> int:
    """Count who was kept for that reason."""
    return report.plan.kept.get(reason, 0) if report.plan else 0


# ---- failures in mid-sweep ------------------------------------------------------------------------------------------------


async def test_a_sweep_whose_removals_fail_stops_itself() -> None:
    """All fail: it takes ten ends, and a look at them, to know; what was begun until then has its end, the rest is spared."""
    scene = world(*fleet(120), pace=SLOW)
    scene.cloud.inject("delete", *[FAILS] * 120)
    report = await swept(scene, "run1")
    assert braked_by(report) == ("refused", "max_failures")
    sent = scene.cloud.sent("delete")
    assert 10 <= len(sent) <= 45
    by_state = {state: [row for row in report.removals if row.state is state] for state in State}
    assert {row.notebook_id for row in by_state[State.FAILED]} == set(sent)
    assert len(by_state[State.SPARED]) == 120 - len(sent)
    assert {row.end_reason for row in by_state[State.SPARED]} == {"not begun, because a brake stopped the sweep: max_failures"}
    assert await scene.journal.removals("run1") == report.removals
    [record] = await scene.journal.run("run1")
    assert (record.outcome, "brakes.max_failures" in record.problem) == ("refused", True)


async def test_the_stop_and_its_causes_are_told_once() -> None:
    """One line for the brake, one for the cause with the number of notebooks and an example."""
    scene = world(*fleet(40), pace=SLOW)
    scene.cloud.inject("delete", *[FAILS] * 40)
    report = await swept(scene, "run1")
    [braked] = scene.telemetry.of(SweepBraked)
    assert braked.brake == "max_failures"
    [failure] = scene.telemetry.of(SweepFailure)
    failed = report.counts["failed"]
    assert (failure.notebooks, failure.example, failure.example_name) == (failed, "nb1", "experiment-1")
    assert failure.cause == "DELETE_FAILED: Failed to delete the storage resources of the instance."


async def test_a_sweep_is_not_stopped_by_a_quarter() -> None:
    """Every fourth fails, at once and for good: all are taken."""
    scene = world(*fleet(40), pace=SLOW)
    for notebook_id in sorted(f"nb{number}" for number in range(1, 41))[3::4]:
        scene.cloud.inject("delete", Fault(Rejected("no")), notebook_id=notebook_id)
    report = await swept(scene, "run1")
    assert (report.outcome, report.counts) == ("finished", {"deleted": 30, "failed": 10})
    assert scene.telemetry.of(SweepBraked) == []


async def test_refusals_that_are_told_at_once_do_not_stop_a_sweep_whose_deletions_take_their_time() -> None:
    """Two of ten are refused, and all of those have ended before the first deletion has: it is still two of ten."""
    scene = world(*fleet(100), pace=Pace(deletion_s=600.0, delete_rate=Rate(10, 1.0)))
    for number in range(5, 105, 5):
        scene.cloud.inject("delete", Fault(Rejected("no")), notebook_id=f"nb{number}")
    report = await swept(scene, "run1")
    assert (report.outcome, report.counts) == ("finished", {"deleted": 80, "failed": 20})


async def test_without_the_brake_everything_is_tried() -> None:
    """Null means no limit."""
    scene = world(*fleet(30), pace=SLOW)
    scene.cloud.inject("delete", *[FAILS] * 30)
    report = await swept(scene, "run1", max_failures=None)
    assert (report.outcome, report.counts) == ("finished", {"failed": 30})


async def test_a_stopped_sweep_follows_what_it_has_begun_however_long_that_takes() -> None:
    """The last accepted deletion takes twenty minutes; a stop by a signal would have left it after one."""
    scene = world(*fleet(40), pace=Pace(deletion_s=1200.0, delete_rate=Rate(1, 1.0)))
    scene.cloud.inject("delete", *[Fault(Rejected("no"))] * 4, Fault(), *[Fault(Rejected("no"))] * 35)
    report = await swept(scene, "run1")
    assert braked_by(report) == ("refused", "max_failures")
    assert report.counts["deleted"] == 1
    assert (scene.clock.now() - NOON).total_seconds() >= 1200
    assert "unfinished" not in report.counts


async def test_a_lost_delete_without_effect_is_spared_once_it_cannot_arrive_any_more() -> None:
    """No other is sent once the brake has stopped the sweep, and it is not waited for until its deadline."""
    scene = world(*fleet(40), pace=SLOW)
    scene.cloud.inject("delete", *[Fault(Rejected("no"))] * 9, Fault(AnswerLost("lost")), *[Fault(Rejected("no"))] * 30)
    report = await swept(scene, "run1", workers=1)
    assert braked_by(report) == ("refused", "max_failures")
    lost = report.removals[9]
    assert (lost.state, lost.end_reason) == (State.SPARED, "its DELETE shows no effect, and a brake has stopped the sweep")
    assert scene.cloud.sent("delete").count("nb10") == 1
    assert (scene.clock.now() - NOON).total_seconds() < 120


RARELY = Pace(deletion_s=20.0, delete_rate=Rate(1, 600.0))
"""One DELETE in ten minutes."""


async def test_after_a_shutdown_nothing_waits_for_the_turns_of_deletes_that_are_not_sent_any_more() -> None:
    """Four wait for theirs: the sweep ends with the one deletion under way."""
    scene = world(*fleet(20), pace=RARELY)
    begun_s = scene.clock.steady_s()
    scene.cloud.at(begun_s + 10, scene.shutdown.begun.set)
    report = await swept(scene, "run1")
    assert len(scene.cloud.accepted) == 1
    assert sum(row.state is State.SPARED for row in report.removals) == 19
    assert scene.clock.steady_s() - begun_s < 60


async def test_after_an_error_of_the_account_nothing_waits_for_turns_either() -> None:
    """The first DELETE is refused, because the keys are not accepted any more."""
    scene = world(*fleet(20), pace=RARELY)
    begun_s = scene.clock.steady_s()
    scene.cloud.inject("delete", Fault(Unauthorized("the keys are not accepted")))
    report = await swept(scene, "run1")
    assert isinstance(report.error, Unauthorized)
    assert scene.cloud.accepted == []
    assert scene.clock.steady_s() - begun_s < 30


async def test_no_page_is_read_for_what_is_not_begun_any_more() -> None:
    """Ten pages of the walk, of which the last one is enough to see that everything fails."""
    scene = world(*fleet(500), pace=Pace(delete_rate=Rate(10, 1.0)))
    scene.cloud.inject("delete", *[Fault(Rejected("no"))] * 500)
    await swept(scene, "run1")
    planned = scene.story.index("PLANNED nb1")
    assert sum(line.startswith("page") for line in scene.story[planned:]) <= 2


# ---- the time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew_s", [61.0, -61.0])
async def test_a_clock_that_is_off_refuses_the_sweep(skew_s: float) -> None:
    """Nothing is sent that changes anything."""
    scene = world(*fleet(3))
    scene.cloud.skew.ahead_s = skew_s
    assert braked_by(await swept(scene, "run1")) == ("refused", "clock-skew")
    assert scene.cloud.sent("delete") == []


@pytest.mark.parametrize("jump_s", [-90.0, 90.0, 86_400.0])
async def test_a_clock_that_jumps_in_mid_sweep_stops_it(jump_s: float) -> None:
    """At ten seconds: nothing is decided by the wrong time, and what had left has its end."""
    scene = world(*fleet(30), pace=SLOW)
    begun_s = scene.clock.steady_s()
    asyncio.get_running_loop().call_later(10.5, scene.clock.jump, jump_s)
    report = await swept(scene, "run1")
    assert braked_by(report) == ("refused", "clock-skew")
    assert max(call.at_s for call in scene.cloud.calls if call.kind == "delete") - begun_s <= 11.5
    assert report.counts["spared"] >= 18
    assert "unfinished" not in report.counts


async def test_of_a_cloud_that_says_no_time_nothing_is_deleted() -> None:
    """A clock that is wrong by months would make all that is used every day look idle, and nothing would show it."""
    scene = world(*fleet(3))
    scene.cloud.skew.ahead_s = None
    assert braked_by(await swept(scene, "run1")) == ("refused", "clock-skew")
    assert scene.cloud.sent("delete") == []


# ---- over several runs ----------------------------------------------------------------------------------------------------


async def test_a_day_holds_over_runs_and_a_new_one_begins_anew() -> None:
    """Five a day of nine: three are left of it after two, none after five, and a day later the other four go."""
    scene, brakes = world(*fleet(9)), replace(OFF, max_per_day=5, on_excess=OnExcess.TRIM)
    first = await swept(scene, "run1", replace(brakes, max_deletions=2))
    second = await swept(scene, "run2", brakes)
    third = await swept(scene, "run3", brakes)
    assert [report.counts.get("deleted", 0) for report in (first, second, third)] == [2, 3, 0]
    assert (third.outcome, kept(third, Reason.OVER_BRAKE)) == ("finished", 4)
    assert [event.items for event in scene.telemetry.of(PlanTrimmed)] == [2, 3, 0]
    assert scene.cloud.accepted == [f"nb{number}" for number in range(1, 6)]
    await asyncio.sleep(24 * HOUR_S)
    assert (await swept(scene, "run4", brakes)).counts == {"deleted": 4}


async def test_a_day_that_is_used_up_refuses_the_next_run() -> None:
    """Failed ones count too: their DELETEs were sent."""
    scene, brakes = world(*fleet(4)), replace(OFF, max_per_day=4)
    scene.cloud.inject("delete", FAILS, FAILS)
    assert (await swept(scene, "run1", brakes)).counts == {"deleted": 2, "failed": 2}
    scene.cloud.add(notebook(9))
    assert braked_by(await swept(scene, "run2", brakes)) == ("refused", "max_per_day")
    assert len(scene.cloud.accepted) == 4


async def test_recovery_and_sweep_together_keep_to_the_day() -> None:
    """What an earlier run had requested is followed to its end first, and leaves two of five."""
    scene, brakes = world(*fleet(9)), replace(OFF, max_per_day=5, on_excess=OnExcess.TRIM)
    now = scene.clock.now()
    left = [
        removal(
            number,
            run_id="run0",
            project=IDENTITY.project,
            state=State.REQUESTED,
            requested_at=now,
            sent_at=now,
            requests=1,
            deadline=now,
        )
        for number in (1, 2, 3)
    ]
    await scene.journal.write(left)
    for number in (1, 2, 3):
        scene.cloud.vanish(f"nb{number}")
    report = await swept(scene, "run1", brakes)
    assert [row.state for row in report.recovered] == [State.DELETED] * 3
    assert (report.counts, scene.cloud.accepted) == ({"deleted": 2}, ["nb4", "nb5"])


async def test_a_fleet_that_has_halved_stays_refused_until_somebody_says_that_it_is_real() -> None:
    """The refused runs are no comparison; a dry run without the brake is, and then the sweep goes on."""
    scene = world(*fleet(40, name="keep-it"), *[notebook(number) for number in (41, 42)])
    brakes = replace(OFF, max_fleet_drop=Fraction(1, 2))
    assert (await swept(scene, "run1", brakes, dry_run=True)).outcome == "dry-run"
    for number in range(1, 31):
        scene.cloud.vanish(f"nb{number}")
    for run_id, dry_run in (("run2", False), ("run3", True), ("run4", False)):
        assert braked_by(await swept(scene, run_id, brakes, dry_run=dry_run)) == ("refused", "max_fleet_drop")
    assert scene.cloud.sent("delete") == []
    assert (await swept(scene, "run5", OFF, dry_run=True)).outcome == "dry-run"
    assert (await swept(scene, "run6", brakes)).counts == {"deleted": 2}


async def test_what_nbsweep_deletes_itself_is_no_fall() -> None:
    """Thirty of forty went by the first run; the second sees ten, as it must, and goes on."""
    scene, brakes = world(*fleet(40)), replace(OFF, max_fleet_drop=Fraction(1, 2))
    first = await swept(scene, "run1", replace(brakes, max_deletions=30, on_excess=OnExcess.TRIM))
    assert first.counts == {"deleted": 30}
    assert (await swept(scene, "run2", brakes)).counts == {"deleted": 10}


# ---- cool-down ------------------------------------------------------------------------------------------------------------


async def test_what_could_not_be_deleted_is_left_alone_for_longer_each_time() -> None:
    """Swept every half hour: again after one hour, then two, then four; told when it fails, and otherwise only counted."""
    scene = world(notebook(1, status=Status.STOPPED))
    scene.cloud.inject("delete", *[Fault(Rejected("frozen")) for _ in range(3)])
    outcomes = []
    for number in range(16):
        report = await swept(scene, f"run{number}")
        outcomes.append(next(iter(report.counts), None) or kept(report, Reason.COOLING_DOWN))
        await asyncio.sleep(HOUR_S / 2 + 1)
    assert outcomes == ["failed", 1, "failed", 1, 1, 1, "failed", *[1] * 7, "deleted", 0]
    assert [event.notebooks for event in scene.telemetry.of(SweepFailure)] == [1, 1, 1]


async def test_what_is_stuck_is_left_alone_too() -> None:
    """It stays DELETING until its deadline, then its owner's restart makes it STOPPED again: it is not taken at once."""
    scene = world(notebook(1))
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETING))
    assert (await swept(scene, "run1")).counts == {"timed_out": 1}
    scene.cloud.put(notebook(1))
    report = await swept(scene, "run2")
    assert (report.counts, kept(report, Reason.COOLING_DOWN)) == ({}, 1)


async def test_an_account_that_may_not_delete_leaves_nobody_cooling_down() -> None:
    """Once the permission is granted, the next run takes all of them, and the day has not been used up."""
    scene = world(*fleet(3))
    scene.cloud.inject("delete", Fault(Forbidden("not allowed")))
    first = await swept(scene, "run1", workers=1)
    assert (first.outcome, first.counts) == ("failed", {"failed": 1, "spared": 2})
    assert (await swept(scene, "run2", replace(OFF, max_per_day=3))).counts == {"deleted": 3}


async def test_what_could_not_be_looked_at_is_tried_again_by_the_next_run() -> None:
    """That is nothing of the notebook's."""
    scene = world(notebook(1))
    scene.cloud.inject("show", Fault(AnswerLost("no answer")))
    assert (await swept(scene, "run1")).counts == {"failed": 1}
    assert (await swept(scene, "run2")).counts == {"deleted": 1}


async def test_a_second_try_within_a_sweep_does_not_wait_for_a_cool_down() -> None:
    """`removal.retries` is for at once; the cool-down is for the next runs."""
    scene = world(notebook(1))
    await scene.journal.write(
        [
            removal(
                1, run_id="run0", state=State.FAILED, requests=1, failures=1, requested_at=ago(hours=2), ended_at=ago(hours=2)
            )
        ]
    )
    scene.cloud.inject("delete", FAILS)
    sweeper = Sweeper(Area("research", None, ("NOTEBOOK",)), scene.ports, options(retries=1), OFF, scene.shutdown)
    report = await sweeper.sweep(Run("run1", "cron", dry_run=False), approve)
    assert (report.counts, len(scene.cloud.accepted)) == ({"deleted": 1}, 2)
