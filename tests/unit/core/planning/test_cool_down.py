from datetime import datetime, timedelta
from typing import Any

import pytest

from builders import NOON, ago, candidate, removal, survey
from nbsweep.core.judging.verdict import Decision, Reason
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.cool_down import CoolDown, Streak, causes_of, failed_by_notebook, judge_cooling, streaks
from nbsweep.core.planning.plan import Circumstances, build_plan
from nbsweep.core.runs import History

USUAL = CoolDown(timedelta(hours=1), timedelta(days=7))
FAILED = "DELETE_FAILED: disk busy"


def ended(state: State = State.FAILED, *, at: datetime = NOON, **changes: Any) -> Removal:
    """Return a removal in its final state: a DELETE was sent, and the cloud failed to delete."""
    failed = {"requests": 1, "failures": 1, "accepted_at": at, "end_reason": FAILED}
    return removal(**{"state": state, "ended_at": at, **failed, **changes})


@pytest.mark.parametrize(
    ("failures", "hours"),
    [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 64), (8, 128), (9, 168), (10, 168), (5000, 168)],
)
def test_a_cool_down_doubles_from_an_hour_to_a_week(failures: int, hours: int) -> None:
    """And stays there, however often it fails."""
    assert USUAL.lasts(failures) == timedelta(hours=hours)


def test_a_cool_down_may_be_the_same_each_time() -> None:
    """And as long as the longest that can be configured."""
    assert [CoolDown(timedelta(hours=3), timedelta(hours=3)).lasts(count) for count in (1, 2, 9)] == [timedelta(hours=3)] * 3
    assert CoolDown(timedelta(days=36_500), timedelta(days=36_500)).lasts(400) == timedelta(days=36_500)


@pytest.mark.parametrize(
    ("row", "own"),
    [
        (ended(), True),
        # The cloud refused the DELETE, for this notebook.
        (ended(failures=0, accepted_at=None), True),
        (ended(State.TIMED_OUT, failures=0), True),
        # Tried again after a failure, and the answer to that was lost.
        (ended(State.TIMED_OUT, failures=1, accepted_at=None), True),
        # It could not be looked at again, could not be stopped, or the account was refused: no DELETE did anything.
        (ended(failures=0, accepted_at=None, requests=0), False),
        # Whether the DELETE arrived is unknown, as after a crash; or a stop came to no end.
        (ended(State.TIMED_OUT, failures=0, accepted_at=None), False),
        (ended(State.TIMED_OUT, failures=0, accepted_at=None, requests=0), False),
        (ended(State.SPARED), False),
        (ended(State.DELETED), False),
    ],
)
def test_only_what_is_of_the_notebook_counts(row: Removal, *, own: bool) -> None:
    """Refused, failed at or stuck; not interrupted, not sent, not looked at."""
    assert failed_by_notebook(row) == own


def test_failures_in_a_row_are_counted_from_the_newest_backwards() -> None:
    """In whatever order they come; the newest says when and why."""
    rows = [ended(at=ago(days=3)), ended(State.TIMED_OUT, at=ago(days=1), end_reason="stuck"), ended(at=ago(days=2))]
    assert streaks(rows) == {"nb1": Streak(3, ago(days=1), "stuck")}


def test_what_was_spared_or_not_its_own_changes_nothing_and_deleted_begins_anew() -> None:
    """Also where that is the newest end."""
    unsent = ended(at=ago(days=2), requests=0, failures=0, accepted_at=None)
    between = [ended(at=ago(days=1)), unsent, ended(State.SPARED, at=ago(days=3)), ended(at=ago(days=4))]
    assert streaks([unsent, *between]) == {"nb1": Streak(2, ago(days=1), FAILED)}
    assert streaks([ended(at=ago(days=1)), ended(State.DELETED, at=ago(days=2)), ended(at=ago(days=3))])["nb1"].failures == 1
    assert streaks([ended(State.DELETED, at=ago(days=1)), ended(at=ago(days=2))]) == {}
    assert streaks([unsent]) == {}


def test_each_notebook_has_a_streak_of_its_own() -> None:
    """One's failures are not another's."""
    found = streaks([ended(), ended(notebook_id="nb2"), ended(at=ago(hours=1))])
    assert {key: streak.failures for key, streak in found.items()} == {"nb1": 2, "nb2": 1}


@pytest.mark.parametrize(
    ("failures", "hours_ago", "cooling"),
    [(1, 0.9, True), (1, 1, False), (2, 1.9, True), (2, 2, False), (9, 167, True), (9, 168, False)],
)
def test_it_is_left_alone_until_the_cool_down_is_over(failures: int, hours_ago: float, *, cooling: bool) -> None:
    """And not a moment longer."""
    verdict = judge_cooling(Streak(failures, ago(hours=hours_ago), FAILED), USUAL, NOON)
    assert (verdict is not None) == cooling


def test_the_verdict_says_until_when_and_why() -> None:
    """For whoever asks about it."""
    verdict = judge_cooling(Streak(2, ago(hours=1), FAILED), USUAL, NOON)
    assert verdict
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.COOLING_DOWN)
    until, since = NOON + timedelta(hours=1), ago(hours=1)
    assert verdict.sentence == (
        f"it is left alone until {until:%Y-%m-%d %H:%M}Z: its deletion failed 2 times in a row, the last time at "
        f"{since:%Y-%m-%d %H:%M}Z (DELETE_FAILED: disk busy)"
    )


def test_who_has_not_failed_and_who_is_not_to_cool_down_may_go() -> None:
    """Without a cool-down nobody is left alone."""
    assert judge_cooling(None, USUAL, NOON) is None
    assert judge_cooling(Streak(9, NOON, FAILED), None, NOON) is None


def test_a_plan_leaves_out_what_cools_down_before_the_brakes_are_asked() -> None:
    """Two would go and one may: the one that is left of the two."""
    found = survey(candidate(1), candidate(2), fleet=100, kept={Reason.PROTECTED: 3})
    plan = build_plan(found, Brakes(max_deletions=1), Circumstances(History(ends=[ended(at=ago(minutes=5))]), cool_down=USUAL))
    assert ([item.notebook.id for item in plan.items], plan.refusal) == (["nb2"], None)
    assert plan.kept == {Reason.PROTECTED: 3, Reason.COOLING_DOWN: 1}


# ---- by cause -------------------------------------------------------------------------------------------------------------


def test_failures_are_told_by_cause_the_most_frequent_first() -> None:
    """Each with all its removals; the first is the example, and what did not fail has no cause."""
    rows = [
        ended(notebook_id="nb1", end_reason="ERROR: quota"),
        ended(notebook_id="nb2"),
        ended(State.DELETED, notebook_id="nb3", end_reason=FAILED),
        ended(State.SPARED, notebook_id="nb4", end_reason=FAILED),
        ended(notebook_id="nb5"),
        ended(State.TIMED_OUT, notebook_id="nb6", end_reason="no end by its deadline; it is DELETING"),
    ]
    told = [(cause.cause, len(cause.removals), cause.example.notebook_id) for cause in causes_of(rows)]
    assert told == [(FAILED, 2, "nb2"), ("ERROR: quota", 1, "nb1"), ("no end by its deadline; it is DELETING", 1, "nb6")]


def test_ids_in_a_cause_do_not_make_two_of_it() -> None:
    """The cloud names the disk, or the request, that it is about."""
    ids = ["bac4b26e-4e63-610f-217d-8d962cebd4cd", "00c4b26e-4e63-610f-217d-8d962cebd4ce"]
    [cause] = causes_of(ended(notebook_id=key, end_reason=f"DELETE_FAILED: disk {key} is busy") for key in ids)
    assert (cause.cause, len(cause.removals)) == ("DELETE_FAILED: disk * is busy", 2)
