from datetime import timedelta
from typing import Any

import pytest

from builders import NOON, fleet, notebook
from nbsweep.core.errors import AnswerLost, Busy, MalformedAnswer, Rejected
from nbsweep.core.events.removal import RemovalAccepted, RemovalFinished, RemovalRequested
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Lease, Status
from nbsweep.core.pacing import Rate
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.render import render_kept
from nbsweep.testing import LOST_AFTER, LOST_BEFORE, NO_FAULT, Fault, Pace
from unit.engine.world import FAILED, FORGOTTEN, POLLING, carry_out, options, virtual_time, world

pytestmark = virtual_time

# ---- the plain way --------------------------------------------------------------------------------------------------------


async def test_a_removal_goes_its_whole_way() -> None:
    """Second look, REQUESTED on disk, DELETE, ACCEPTED, then looks at 5, 12.5 and 23.75 s, the last of which proves it gone."""
    scene = world(notebook())
    removals = await carry_out(scene, options(), notebook())
    assert scene.story == [
        "PLANNED nb1",
        "show nb1",
        "REQUESTED nb1",
        "delete nb1",
        "ACCEPTED nb1",
        "show nb1",
        "show nb1",
        "show nb1",
        "DELETED nb1",
    ]
    done = removals["nb1"]
    assert (done.state, done.requests, done.failures) == (State.DELETED, 1, 0)
    assert done.requested_at == done.accepted_at == NOON
    assert done.deadline == NOON + timedelta(minutes=30)
    assert done.ended_at == NOON + timedelta(seconds=23.75)
    assert done.request_id == "request-1"


async def test_what_happened_is_told() -> None:
    """Each step is an event, with the notebook and its policy bound to it."""
    scene = world(notebook())
    await carry_out(scene, options(), notebook())
    for kind in (RemovalRequested, RemovalAccepted, RemovalFinished):
        [context] = [context for event, context in scene.telemetry.records if isinstance(event, kind)]
        assert context == {"notebook_id": "nb1", "policy": "idle"}
    [finished] = scene.telemetry.of(RemovalFinished)
    assert (finished.outcome, finished.ended_after_s, finished.reason) == (
        "deleted",
        23.75,
        "policy idle: idle 99d 23h (over 14d)",
    )


async def test_nothing_planned_is_nothing_done() -> None:
    """No plan, no call, no row."""
    scene = world(notebook())
    assert await carry_out(scene, options()) == {}
    assert scene.story == []


async def test_a_delete_waits_for_a_slow_journal() -> None:
    """REQUESTED takes two seconds to be on disk; the DELETE leaves then, and not before."""
    scene = world(notebook())
    scene.journal.write_s = 2
    await carry_out(scene, options(), notebook())
    [delete] = [call for call in scene.cloud.calls if call.kind == "delete"]
    assert delete.at_s - scene.cloud.calls[0].at_s == 2


async def test_a_worker_is_free_when_the_delete_is_accepted() -> None:
    """One worker has sent three DELETEs before the first deletion has come to its end."""
    scene = world(*fleet(3))
    await carry_out(scene, options(workers=1), *fleet(3))
    assert scene.story.index("delete nb3") < scene.story.index("DELETED nb1")


async def test_no_more_workers_than_ordered_are_at_work() -> None:
    """Three workers, second looks of one second each: three looks at a time, and no fourth."""
    scene = world(*fleet(9), pace=Pace(answer_s=1))
    await carry_out(scene, options(workers=3), *fleet(9))
    looks = [call.at_s for call in scene.cloud.calls if call.kind == "show"][:9]
    assert all(sum(at_s - 1 < other <= at_s for other in looks) <= 3 for at_s in looks)
    assert sum(looks[0] == at_s for at_s in looks) == 3


async def test_the_plans_order_is_kept() -> None:
    """One worker takes the removals in the order in which they were planned."""
    planned = [notebook(3), notebook(1), notebook(2)]
    scene = world(*planned)
    removals = await carry_out(scene, options(workers=1), *planned)
    assert scene.cloud.sent("delete") == ["nb3", "nb1", "nb2"]
    assert list(removals) == ["nb3", "nb1", "nb2"]


# ---- the second look ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "keep-this"}, "protected by kept-names: name keep-this"),
        ({"tags": {"keep": "yes"}}, "protected by kept-tags: tags.keep yes"),
        ({"tags": None}, "protection kept-tags cannot be checked: tags.keep is missing"),
        ({"status": Status.RUNNING}, "policy idle does not match any more: idle 0s (over 14d)"),
        ({"status": Status.STARTING}, "it is STARTING, and the cloud is changing it"),
        ({"status": Status.SNAPSHOTTING}, "it is SNAPSHOTTING, and the cloud is changing it"),
        ({"status": Status.DELETING}, "it is DELETING, and the cloud is changing it"),
        ({"status": Status.DELETED}, "it is deleted already"),
        ({"status": Status.FROZEN}, "policy idle matches, but it is FROZEN"),
        ({"updated_at": NOON}, "policy idle does not match any more: idle 0s (over 14d)"),
        ({"updated_at": None}, "policy idle cannot be checked: idle is missing"),
        ({"lease": Lease(enabled=False, updated_at=NOON)}, "policy idle does not match any more: idle 0s (over 14d)"),
    ],
)
async def test_what_changed_since_the_survey_is_spared(changes: dict[str, Any], why: str) -> None:
    """Renamed, tagged, started, used, renewed, or not readable any more: it stays, and the report says why."""
    scene = world(notebook(**changes), notebook(2))
    removals = await carry_out(scene, options(), notebook(), notebook(2))
    assert removals["nb1"].state is State.SPARED
    assert removals["nb1"].end_reason.startswith(why)
    assert removals["nb1"].requested_at is None
    assert scene.cloud.sent("delete") == ["nb2"]


async def test_what_runs_is_spared_where_the_policy_skips_it() -> None:
    """A policy with `running: skip` matches it, and it stays because it runs."""
    scene = world(notebook(status=Status.ERROR))
    scene.cloud.change("nb1", status=Status.RUNNING)
    skipping = FORGOTTEN.__class__("old", FORGOTTEN.match)
    removals = await carry_out(scene, options(skipping), notebook(status=Status.ERROR))
    assert removals["nb1"].state is State.SPARED
    assert removals["nb1"].end_reason == "policy old matches, but it runs, and the policy says running: skip"
    assert scene.cloud.sent("delete") == scene.cloud.sent("stop") == []


async def test_what_vanished_since_the_survey_is_spared() -> None:
    """Somebody else deleted it: that is not our deletion, and there is no DELETE."""
    scene = world()
    removals = await carry_out(scene, options(), notebook())
    assert (removals["nb1"].state, removals["nb1"].requests) == (State.SPARED, 0)
    assert "vanished" in removals["nb1"].end_reason
    assert scene.cloud.sent("delete") == []


@pytest.mark.parametrize("error", [AnswerLost("no answer"), MalformedAnswer("no notebook"), Rejected("refused"), Busy("busy")])
async def test_without_a_second_look_there_is_no_delete(error: Exception) -> None:
    """One that cannot be looked at is kept, and says so; the others go on."""
    scene = world(*fleet(2))
    scene.cloud.inject("show", Fault(error), notebook_id="nb1")
    removals = await carry_out(scene, options(), *fleet(2))
    assert removals["nb1"].state is State.FAILED
    assert removals["nb1"].end_reason == f"kept, because it could not be looked at again: {error}"
    assert removals["nb2"].state is State.DELETED
    assert scene.cloud.sent("delete") == ["nb2"]


async def test_the_policy_that_matches_at_the_second_look_goes_on_the_record() -> None:
    """It was planned as idle, and by then it has failed: another policy decides, and is named."""
    scene = world(notebook(status=Status.ERROR))
    removals = await carry_out(scene, options(FAILED, FORGOTTEN), notebook())
    assert (removals["nb1"].policy, removals["nb1"].reason) == ("failed", "policy failed: status ERROR")


# ---- facts that grow old --------------------------------------------------------------------------------------------------


async def test_facts_are_fresh_whenever_a_delete_leaves() -> None:
    """A lane of one DELETE in four seconds, eight workers, answers of three: no DELETE rests on a look over ten seconds old."""
    pace = Pace(delete_rate=Rate(1, 4.0), answer_s=3, deletion_s=2)
    scene = world(*fleet(12), pace=pace)
    scene.cloud.inject("delete", NO_FAULT, Fault(lane_s=9), NO_FAULT, Fault(lane_s=25))
    removals = await carry_out(scene, options(workers=8), *fleet(12))
    looked_at: dict[str, float] = {}
    for call in scene.cloud.calls:
        if call.kind == "show":
            looked_at[call.subject] = call.at_s
        if call.kind == "delete":
            assert call.at_s - looked_at[call.subject] <= 10
    assert {done.state for done in removals.values()} == {State.DELETED}
    assert sorted(scene.cloud.sent("delete")) == sorted(removals)


async def test_a_delete_that_is_held_back_too_long_is_decided_anew() -> None:
    """It does not leave on old facts; a second look later it does, once."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(lane_s=10.5))
    removals = await carry_out(scene, options(), notebook())
    assert scene.story[1:6] == ["show nb1", "REQUESTED nb1", "PLANNED nb1", "show nb1", "REQUESTED nb1"]
    assert scene.cloud.sent("delete") == ["nb1"]
    assert removals["nb1"].state is State.DELETED


async def test_a_delete_that_leaves_at_the_last_moment_leaves() -> None:
    """Facts of exactly `fresh_for` are fresh."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(lane_s=10))
    await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("show")[0] == "nb1"
    assert scene.story.count("REQUESTED nb1") == 1


async def test_what_was_protected_while_its_delete_was_held_back_is_spared() -> None:
    """The owner came back during the wait, and no DELETE has left: it stays."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(lane_s=10.5))
    scene.cloud.at(scene.clock.steady_s() + 5, lambda: scene.cloud.change("nb1", tags={"keep": "yes"}))
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == []
    spared = removals["nb1"]
    assert spared.state is State.SPARED
    assert spared.end_reason == "protected by kept-tags: tags.keep yes (*)"
    chinese = "受保护规则 kept-tags 保护：标签 keep yes（匹配 *）"
    assert render_kept(spared.end_cause, spared.end_reason, Language.CHINESE) == chinese


async def test_what_vanished_while_its_delete_was_held_back_was_not_deleted_by_us() -> None:
    """No DELETE has left, so a report of `deleted` would claim somebody else's doing."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(lane_s=10.5))
    scene.cloud.at(scene.clock.steady_s() + 5, lambda: scene.cloud.vanish("nb1"))
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == []
    assert removals["nb1"].state is State.SPARED


async def test_a_policy_that_matches_only_after_the_wait_goes_on_the_record() -> None:
    """The DELETE rests on the decision made after the wait, so that decision is what the record shows."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(lane_s=10.5))
    scene.cloud.at(scene.clock.steady_s() + 5, lambda: scene.cloud.change("nb1", status=Status.ERROR))
    removals = await carry_out(scene, options(FAILED, FORGOTTEN), notebook())
    assert removals["nb1"].state is State.DELETED
    assert (removals["nb1"].policy, removals["nb1"].reason) == ("failed", "policy failed: status ERROR")


async def test_looks_that_always_take_too_long_come_to_an_end() -> None:
    """Every answer takes eleven seconds, and facts may be ten seconds old: no DELETE, and no sweep without an end."""
    scene = world(notebook(), pace=Pace(answer_s=11))
    removals = await carry_out(scene, options(deadline=timedelta(minutes=5)), notebook())
    assert scene.cloud.sent("delete") == []
    assert removals["nb1"].ended


# ---- the cloud's answers to a DELETE --------------------------------------------------------------------------------------


async def test_a_delete_that_never_arrived_is_sent_again_after_a_look() -> None:
    """Its answer was lost, looks show the notebook as it was until reads cannot be stale any more: the next DELETE arrives."""
    scene = world(notebook())
    scene.cloud.inject("delete", LOST_BEFORE)
    removals = await carry_out(scene, options(), notebook())
    first, second = (call.at_s for call in scene.cloud.calls if call.kind == "delete")
    assert POLLING.grace.total_seconds() <= second - first < (POLLING.grace + POLLING.max_interval).total_seconds()
    assert scene.story[-8:-5] == ["show nb1", "REQUESTED nb1", "delete nb1"]
    assert (removals["nb1"].state, removals["nb1"].requests) == (State.DELETED, 2)
    assert scene.cloud.accepted == ["nb1"]


async def test_a_delete_whose_answer_was_lost_is_not_sent_again_while_reads_may_be_stale() -> None:
    """It arrived, and for twenty seconds every look shows the notebook as it was: one DELETE, and the end of that one."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(AnswerLost("504"), after=True, stale_s=20))
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert (removals["nb1"].state, removals["nb1"].requests) == (State.DELETED, 1)


async def test_a_lost_delete_of_a_failed_deletion_counts_as_a_failure_and_is_decided_anew() -> None:
    """Nobody can tell whether it failed once more: it uses up a retry, but what the policies say now still counts."""
    broken = notebook(status=Status.DELETE_FAILED)
    scene = world(broken)
    scene.cloud.inject("delete", LOST_BEFORE, LOST_BEFORE)
    removals = await carry_out(scene, options(FAILED, retries=1), broken)
    assert (removals["nb1"].state, removals["nb1"].requests) == (State.FAILED, 2)
    scene = world(broken)
    scene.cloud.inject("delete", Fault(AnswerLost("reset"), then=lambda: scene.cloud.change("nb1", name="keep-1")))
    removals = await carry_out(scene, options(FAILED, retries=1), broken)
    assert (removals["nb1"].state, scene.cloud.accepted) == (State.SPARED, [])


async def test_an_unanswered_delete_of_what_is_shown_as_deleted_has_done_it() -> None:
    """Some clouds leave a row that says DELETED: a second look that meets it does not call the notebook spared."""
    scene = world(notebook())
    scene.cloud.inject("delete", LOST_BEFORE)
    gone = notebook(status=Status.DELETED)
    looks_within_grace = 1 + 3
    scene.cloud.inject("show", *[NO_FAULT] * looks_within_grace, Fault(then=lambda: scene.cloud.put(gone)))
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert removals["nb1"].state is State.DELETED


async def test_a_delete_that_arrived_though_its_answer_was_lost_is_not_sent_again() -> None:
    """The look shows DELETING, and that is as good as an answer."""
    scene = world(notebook())
    scene.cloud.inject("delete", LOST_AFTER)
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == scene.cloud.accepted == ["nb1"]
    assert (removals["nb1"].state, removals["nb1"].requests) == (State.DELETED, 1)
    assert removals["nb1"].accepted_at == NOON + timedelta(seconds=5)


async def test_a_delete_whose_answer_was_lost_may_be_done_before_the_first_look() -> None:
    """It is proven gone, and we had asked for it: deleted."""
    scene = world(notebook(), pace=Pace(deletion_s=1))
    scene.cloud.inject("delete", LOST_AFTER)
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert removals["nb1"].state is State.DELETED


async def test_an_unanswered_delete_is_not_repeated_when_the_owner_came_back() -> None:
    """It never arrived, and meanwhile the notebook is protected: spared, once no DELETE can be under way any more."""
    scene = world(notebook())
    scene.cloud.inject("delete", LOST_BEFORE)
    scene.cloud.at(scene.clock.steady_s() + 2, lambda: scene.cloud.change("nb1", tags={"keep": "yes"}))
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert removals["nb1"].state is State.SPARED
    assert removals["nb1"].ended_at
    assert removals["nb1"].ended_at >= NOON + timedelta(seconds=30)


async def test_a_second_lost_delete_has_its_own_time_to_arrive() -> None:
    """Answers were lost at 0 and at 40 s, then it was protected: the second DELETE may still arrive, so it is followed."""
    scene = world(notebook())
    scene.cloud.inject("delete", LOST_BEFORE, LOST_BEFORE)
    scene.cloud.inject("show", NO_FAULT, *[Fault(AnswerLost("away"))] * 3)
    scene.cloud.at(scene.clock.steady_s() + 45, lambda: scene.cloud.change("nb1", tags={"keep": "yes"}))
    removals = await carry_out(scene, options(), notebook())
    [_, second] = [call.at_s for call in scene.cloud.calls if call.kind == "delete"]
    second_sent = NOON + timedelta(seconds=second - scene.cloud.calls[0].at_s)
    assert second_sent > NOON + timedelta(seconds=30)
    ended_at = removals["nb1"].ended_at
    assert ended_at
    assert ended_at - second_sent >= timedelta(seconds=30)


async def test_stale_reads_after_a_lost_answer_end_in_no_second_deletion() -> None:
    """For 12 s the cloud shows STOPPED; whatever is sent in that time, it accepts only one DELETE."""
    scene = world(notebook(), pace=Pace(deletion_s=60))
    scene.cloud.inject("delete", Fault(AnswerLost("no answer"), after=True, stale_s=12))
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.accepted == ["nb1"]
    assert removals["nb1"].state is State.DELETED


async def test_a_busy_notebook_is_looked_at_and_deleted_later() -> None:
    """6357 says neither yes nor no: the look decides, and the DELETE is sent again."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(Busy("another operation", code="ModelArts.6357")))
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == ["nb1", "nb1"]
    assert (removals["nb1"].state, scene.cloud.accepted) == (State.DELETED, ["nb1"])


async def test_a_busy_notebook_that_is_being_deleted_is_followed() -> None:
    """6357 because somebody else's DELETE came first: ours is not sent again, and the end is seen."""
    scene = world(notebook())
    scene.cloud.inject("show", Fault(then=lambda: scene.cloud.change("nb1", status=Status.DELETING)))
    scene.cloud.at(scene.clock.steady_s() + 30, lambda: scene.cloud.vanish("nb1"))
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert removals["nb1"].state is State.DELETED


async def test_a_notebook_that_is_gone_when_its_delete_arrives_is_deleted() -> None:
    """What was asked for is so."""
    scene = world(notebook())
    scene.cloud.inject("show", Fault(then=lambda: scene.cloud.vanish("nb1")))
    removals = await carry_out(scene, options(), notebook())
    assert removals["nb1"].state is State.DELETED
    assert removals["nb1"].end_reason.startswith("gone when its DELETE arrived")


async def test_one_rejection_is_one_outcome() -> None:
    """The cloud refuses one for good; it is not asked again, and the others go."""
    scene = world(*fleet(3))
    scene.cloud.inject("delete", Fault(Rejected("the cloud refused: HTTP 400 ModelArts.6326")), notebook_id="nb2")
    removals = await carry_out(scene, options(), *fleet(3))
    assert [done.state for done in removals.values()] == [State.DELETED, State.FAILED, State.DELETED]
    assert removals["nb2"].end_reason == "the cloud refused: HTTP 400 ModelArts.6326"
    assert scene.cloud.sent("delete").count("nb2") == 1


async def test_a_clock_that_is_set_forward_while_a_delete_is_on_its_way_lets_no_second_one_leave() -> None:
    """The answer is lost after 8 s, and reads are stale for 20: the clock shows an hour more, and it is waited all the same."""
    scene = world(notebook())
    jump = Fault(AnswerLost("no answer"), after=True, stale_s=20, answer_s=8, then=lambda: scene.clock.jump(3600))
    scene.cloud.inject("delete", jump)
    removals = await carry_out(scene, options(deadline=timedelta(hours=5)), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert removals["nb1"].state is State.DELETED


async def test_a_success_that_contradicts_itself_is_looked_at_at_once() -> None:
    """The DELETE has begun, and its answer was about something else: that is found out after half a second, not after five."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(AnswerLost("HTTP 200, and its body is not a notebook", http_status=200), after=True))
    removals = await carry_out(scene, options(), notebook())
    (deleted,) = [call.at_s for call in scene.cloud.calls if call.kind == "delete"]
    looks = [call.at_s for call in scene.cloud.calls if call.kind == "show" and call.at_s > deleted]
    assert looks[0] - deleted == 0.5
    assert removals["nb1"].state is State.DELETED
    assert removals["nb1"].accepted_at == NOON + timedelta(seconds=0.5)


@pytest.mark.parametrize("error", [AnswerLost("no answer"), Busy("busy")])
async def test_a_delete_that_never_gets_through_ends_at_its_deadline(error: Exception) -> None:
    """However often it is sent, it has one deadline, and then it is TIMED_OUT."""
    scene = world(notebook())
    scene.cloud.inject("delete", *[Fault(error)] * 5000)
    removals = await carry_out(scene, options(deadline=timedelta(minutes=5)), notebook())
    assert removals["nb1"].state is State.TIMED_OUT
    assert removals["nb1"].ended_at
    assert timedelta(minutes=5) <= removals["nb1"].ended_at - NOON <= timedelta(minutes=6)


# ---- following ------------------------------------------------------------------------------------------------------------


async def test_a_failed_deletion_is_tried_again() -> None:
    """DELETE_FAILED, and one retry is allowed: another second look, REQUESTED, DELETE, and a deadline of its own."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED))
    removals = await carry_out(scene, options(), notebook())
    done = removals["nb1"]
    assert (done.state, done.requests, done.failures) == (State.DELETED, 2, 1)
    assert scene.cloud.accepted == ["nb1", "nb1"]
    assert done.requested_at == NOON
    assert done.sent_at
    assert done.sent_at >= NOON + timedelta(seconds=20)
    assert done.deadline == done.sent_at + timedelta(minutes=30)


@pytest.mark.parametrize("retries", [0, 1, 2])
async def test_retries_are_bounded(retries: int) -> None:
    """A deletion that always fails is sent once, and once more for each retry; then it has failed, for the cloud's reason."""
    scene = world(notebook())
    scene.cloud.inject("delete", *[Fault(ends_in=Status.DELETE_FAILED)] * 10)
    removals = await carry_out(scene, options(retries=retries), notebook())
    done = removals["nb1"]
    assert (done.state, done.requests, done.failures) == (State.FAILED, 1 + retries, 1 + retries)
    assert done.end_reason == "DELETE_FAILED: Failed to delete the storage resources of the instance."


async def test_a_failed_deletion_counts_once_though_the_next_look_is_lost() -> None:
    """One DELETE failed and one retry is allowed; that a look was lost in between uses nothing up."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED))
    # Looks: the second look, three of the poller, of which the last sees DELETE_FAILED, then the one before the retry.
    scene.cloud.inject("show", *[NO_FAULT] * 4, Fault(AnswerLost("no answer")))
    removals = await carry_out(scene, options(), notebook())
    assert (removals["nb1"].state, removals["nb1"].failures, removals["nb1"].requests) == (State.DELETED, 1, 2)


async def test_a_failed_deletion_is_not_tried_again_once_protected() -> None:
    """The tag came while the cloud was failing: kept, and reported as failed, since something may be destroyed."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED))
    scene.cloud.at(scene.clock.steady_s() + 10, lambda: scene.cloud.change("nb1", tags={"keep": "yes"}))
    removals = await carry_out(scene, options(), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert removals["nb1"].state is State.FAILED
    assert "protected by kept-tags" in removals["nb1"].end_reason


async def test_one_that_is_started_after_its_deletion_failed_ends_and_troubles_no_other() -> None:
    """Its policy stops what runs, but a deletion that failed and a user who is at work again are no bug that ends the sweep."""
    scene = world(*fleet(2))
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED), notebook_id="nb1")

    def start_it() -> None:
        now = scene.cloud.truth("nb1")
        if now and now.status is Status.DELETE_FAILED:
            scene.cloud.change("nb1", status=Status.RUNNING)

    scene.cloud.inject("show", *[Fault(then=start_it)] * 10, notebook_id="nb1")
    removals = await carry_out(scene, options(FORGOTTEN), *fleet(2))
    assert removals["nb1"].ended
    assert removals["nb2"].state is State.DELETED


async def test_a_stale_error_right_after_the_delete_is_no_failure() -> None:
    """It was in ERROR before, and reads show that for 20 s more: within the grace this says nothing."""
    scene = world(notebook(status=Status.ERROR), pace=Pace(deletion_s=40))
    scene.cloud.inject("delete", Fault(stale_s=20))
    removals = await carry_out(scene, options(FAILED, retries=0), notebook(status=Status.ERROR))
    assert (removals["nb1"].state, removals["nb1"].failures) == (State.DELETED, 0)


async def test_a_stale_failure_right_after_the_retry_is_no_second_failure() -> None:
    """The first deletion failed; the retry is accepted, and for 20 s reads still show DELETE_FAILED: that is the old one."""
    scene = world(notebook(), pace=Pace(deletion_s=25))
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED), Fault(stale_s=20))
    removals = await carry_out(scene, options(), notebook())
    assert (removals["nb1"].state, removals["nb1"].failures) == (State.DELETED, 1)


async def test_an_error_that_outlasts_the_grace_is_a_failure() -> None:
    """Half a minute after the DELETE it is still in ERROR: that is what the cloud made of it."""
    scene = world(notebook(status=Status.ERROR, fail_reason="disk is stuck"), pace=Pace(deletion_s=9000))
    scene.cloud.inject("delete", Fault(stale_s=9000))
    removals = await carry_out(scene, options(FAILED, retries=0), notebook(status=Status.ERROR))
    done = removals["nb1"]
    assert (done.state, done.end_reason) == (State.FAILED, "ERROR: disk is stuck")
    assert done.ended_at
    assert timedelta(seconds=30) <= done.ended_at - NOON <= timedelta(seconds=60)


async def test_a_stuck_deletion_times_out_at_its_deadline_and_not_before() -> None:
    """It is DELETING for ever: the first look after the deadline ends it, at most one longest interval later."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETING))
    removals = await carry_out(scene, options(), notebook())
    done = removals["nb1"]
    assert (done.state, done.end_reason) == (State.TIMED_OUT, "no end by its deadline; it is DELETING")
    assert done.ended_at
    assert timedelta(minutes=30) <= done.ended_at - NOON <= timedelta(minutes=30, seconds=30)


async def test_what_cannot_be_read_until_its_deadline_times_out() -> None:
    """Every look fails; absence of an answer is no proof of anything."""
    scene = world(notebook())
    scene.cloud.inject("show", NO_FAULT, *[Fault(AnswerLost("no answer"))] * 1000)
    removals = await carry_out(scene, options(), notebook())
    done = removals["nb1"]
    assert (done.state, done.end_reason) == (State.TIMED_OUT, "no end by its deadline; it is not readable")
    assert done.ended_at
    assert timedelta(minutes=30) <= done.ended_at - NOON <= timedelta(minutes=30, seconds=30)


async def test_many_are_followed_by_listing_what_is_deleting() -> None:
    """Sixty deletions end well, some later than others: a question each for its second look, and none for its end."""
    scene = world(*fleet(60), pace=Pace(deletion_s=300, delete_rate=Rate(2, 1.0)))
    removals = await carry_out(scene, options(workers=8), *fleet(60))
    assert {done.state for done in removals.values()} == {State.DELETED}
    assert len(scene.cloud.sent("show")) == 60
    assert sorted(scene.cloud.accepted) == sorted(removals)


async def test_what_has_moved_to_another_workspace_is_spared() -> None:
    """It may be one that the target does not cover: the rules were never asked about it."""
    scene = world(notebook(1), notebook(2, workspace_id="other"), workspaces=("0", "other"))
    removals = await carry_out(scene, options(), notebook(1), notebook(2))
    assert removals["nb1"].state is State.DELETED
    assert removals["nb2"].state is State.SPARED
    assert "workspace other" in removals["nb2"].end_reason
    assert scene.cloud.accepted == ["nb1"]
