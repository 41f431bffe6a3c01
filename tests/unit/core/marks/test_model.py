"""The states of a mark: the whole table, told times, deadlines, staleness, and what a new mark takes over."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest

from builders import NOON, ago, mark, notebook, told_mark
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import (
    ClearCause,
    IllegalMarkStepError,
    Mark,
    MarkState,
    clear,
    confirm,
    due_at,
    is_stale,
    note_untold,
    promise,
    remove,
    renew_notice,
    take_over_promise,
    tell,
    verify_clock,
)

WEEK = Grace(timedelta(days=7))
DAY = timedelta(days=1)

STEPS: dict[str, Callable[[Mark], Mark]] = {
    "confirm": lambda one: confirm(one, NOON, ("owner",)),
    "promise": lambda one: promise(one, NOON),
    "tell": lambda one: tell(one, NOON, "mail", clock_verified=True),
    "verify_clock": lambda one: verify_clock(one, NOON),
    "note_untold": lambda one: note_untold(one, "no address", NOON),
    "renew_notice": lambda one: renew_notice(one, ("owner",)),
    "clear": lambda one: clear(one, NOON, ClearCause.USED),
    "remove": lambda one: remove(one, NOON, "run1"),
}
LEADS_TO = {
    "confirm": {MarkState.MARKED: MarkState.MARKED, MarkState.TOLD: MarkState.TOLD},
    "promise": {MarkState.MARKED: MarkState.MARKED, MarkState.TOLD: MarkState.TOLD},
    "tell": {MarkState.MARKED: MarkState.TOLD, MarkState.TOLD: MarkState.TOLD},
    "verify_clock": {MarkState.MARKED: MarkState.MARKED, MarkState.TOLD: MarkState.TOLD},
    "note_untold": {MarkState.MARKED: MarkState.MARKED, MarkState.TOLD: MarkState.TOLD},
    "renew_notice": {MarkState.MARKED: MarkState.MARKED, MarkState.TOLD: MarkState.MARKED},
    "clear": {MarkState.MARKED: MarkState.CLEARED, MarkState.TOLD: MarkState.CLEARED},
    "remove": {MarkState.TOLD: MarkState.REMOVED},
}
"""The table of docs/reference/marks.md: nothing leads out of an end, and only what was told is removed."""


@pytest.mark.parametrize(("step", "state"), list(product(STEPS, MarkState)))
def test_each_step_leads_where_the_table_says_or_is_refused(step: str, state: MarkState) -> None:
    """From every state, by every step."""
    before = told_mark(state=state)
    if state in LEADS_TO[step]:
        assert STEPS[step](before).state is LEADS_TO[step][state]
    else:
        with pytest.raises(IllegalMarkStepError, match=f"mark of nb1: {state} -> "):
            STEPS[step](before)


def test_the_table_knows_every_step() -> None:
    """A step that is added needs its row above."""
    assert STEPS.keys() == LEADS_TO.keys()


@pytest.mark.parametrize("state", MarkState)
def test_a_mark_is_open_until_it_is_removed_or_cleared(state: MarkState) -> None:
    """Marked and told are open."""
    assert mark(state=state).open is (state in {MarkState.MARKED, MarkState.TOLD})


# ---- identity -------------------------------------------------------------------------------------------------------------


def test_a_mark_belongs_to_one_instance() -> None:
    """The id and the date of creation: with another date, or without one, it is not shown to be the same notebook."""
    assert mark().is_of(notebook())
    assert not mark().is_of(notebook(created_at=ago(days=3)))
    assert not mark().is_of(notebook(created_at=None))
    assert not mark().is_of(notebook(2, created_at=mark().notebook_created_at))


def test_an_owner_is_known_by_id_or_else_by_name() -> None:
    """For people, the name comes first."""
    known = [mark(), mark(owner_id=""), mark(owner_name=""), mark(owner_id="", owner_name="")]
    assert [one.owner_key for one in known] == ["u1", "alice", "u1", ""]
    assert [one.owner_label for one in known] == ["alice", "alice", "u1", "unknown"]


# ---- told -----------------------------------------------------------------------------------------------------------------


def test_the_first_message_that_was_accepted_counts() -> None:
    """A second one, as to another place, does not make the notice younger or older."""
    told = tell(mark(), NOON, "mail: ok", clock_verified=True)
    assert (told.told_at, told.told_by, told.clock_verified) == (NOON, "mail: ok", True)
    assert tell(told, NOON + DAY, "chat: ok", clock_verified=False) == told


def test_nobody_is_told_before_the_notebook_was_marked() -> None:
    """By a clock that was set back in between."""
    assert tell(mark(), ago(days=30), "mail", clock_verified=True).told_at == mark().marked_at


def test_what_failed_before_is_forgotten_when_somebody_was_told() -> None:
    """So that the status does not list them as untold."""
    untold = note_untold(mark(), "451 busy", NOON, retried=True)
    assert (untold.untold, untold.untold_at, untold.retried) == ("451 busy", NOON, True)
    told = tell(untold, NOON, "mail", clock_verified=True)
    assert (told.untold, told.untold_at, told.retried, told.untold_since) == ("", None, False, None)
    stale = renew_notice(note_untold(told_mark(), "451 busy", NOON, retried=True), ("owner",))
    assert (stale.untold, stale.untold_at, stale.retried) == ("", None, False)


def test_an_owner_is_untold_since_the_first_attempt_that_failed() -> None:
    """Not since the mark, and not since the last attempt; of a mark from before that was on record, the mark counts."""
    first = note_untold(mark(), "451 busy", NOON, retried=True)
    last = note_untold(first, "550 no such user", NOON + DAY)
    assert (last.untold, last.untold_since, last.retried) == ("550 no such user", NOON, False)
    assert mark(untold="no address").untold_since == mark().marked_at


def test_who_was_told_once_counts_as_told_though_the_notice_became_stale() -> None:
    """They have read that the notebook will be deleted."""
    stale = renew_notice(told_mark(), ("owner",))
    assert [mark().was_told, told_mark().was_told, stale.was_told] == [False, True, True]
    assert (stale.told_at, stale.told_by, stale.clock_verified, stale.notices) == (None, "", False, 1)
    assert stale.deadline == told_mark().deadline


# ---- due ------------------------------------------------------------------------------------------------------------------


def test_the_grace_counts_from_being_told_and_not_from_the_mark() -> None:
    """Marked ten days ago, told eight days ago, with a grace of a week."""
    assert due_at(told_mark(deadline=None), WEEK) == ago(days=1)


def test_a_deadline_that_was_written_binds_if_it_is_later() -> None:
    """It is rounded up, and it may be that of a longer grace; an earlier one is less than the grace."""
    assert due_at(told_mark(), WEEK) == ago(hours=20)
    assert due_at(told_mark(deadline=NOON + 30 * DAY), WEEK) == NOON + 30 * DAY
    assert due_at(told_mark(deadline=ago(days=5)), WEEK) == ago(days=1)


def test_a_longer_grace_moves_the_deadline_and_a_shorter_one_does_not() -> None:
    """An edited policy can only move it later."""
    assert due_at(told_mark(), Grace(timedelta(days=20))) == NOON + 12 * DAY
    assert due_at(told_mark(), Grace(timedelta(hours=1))) == ago(hours=20)


@pytest.mark.parametrize(
    "one",
    [
        mark(),
        mark(deadline=ago(days=3)),
        told_mark(clock_verified=False),
        renew_notice(told_mark(), ("owner",)),
        clear(told_mark(), NOON, ClearCause.USED),
        remove(told_mark(), NOON, "run1"),
    ],
)
def test_without_a_notice_by_a_verified_clock_nothing_is_due(one: Mark) -> None:
    """Also if a deadline is on its way, or if the notice was taken back."""
    assert due_at(one, WEEK) is None


def test_a_deadline_never_moves_to_an_earlier_time() -> None:
    """Whatever is promised later."""
    assert promise(mark(), NOON).deadline == NOON
    assert promise(mark(deadline=NOON), ago(days=1)).deadline == NOON
    assert promise(mark(deadline=NOON), NOON + DAY).deadline == NOON + DAY


def test_a_verified_clock_can_only_make_the_notice_later() -> None:
    """The clock of the message may have been slow, or fast."""
    unverified = told_mark(clock_verified=False)
    assert verify_clock(unverified, NOON).told_at == NOON
    assert verify_clock(unverified, ago(days=20)).told_at == ago(days=8)
    assert due_at(verify_clock(unverified, NOON), WEEK) == NOON + 7 * DAY


# ---- stale ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "after"), [(1, 40), (7, 40), (20, 40), (30, 60)])
def test_a_notice_is_stale_twice_the_grace_after_its_deadline_and_forty_days_at_least(days: int, after: int) -> None:
    """A sweep a month finds the notice of the last one valid, so that it does not only repeat notices."""
    told, grace = told_mark(deadline=None), Grace(timedelta(days=days))
    last = ago(days=8) + timedelta(days=days + after)
    assert not is_stale(told, grace, last)
    assert is_stale(told, grace, last + timedelta(seconds=1))


def test_a_notice_is_not_stale_before_its_own_deadline() -> None:
    """The grace was 90 days when it was written, and is one day now."""
    assert not is_stale(told_mark(deadline=NOON + 82 * DAY), Grace(DAY), NOON + 82 * DAY)


def test_what_nobody_was_told_is_not_stale() -> None:
    """It has nothing that could be too old."""
    assert not is_stale(mark(), WEEK, NOON + 1000 * DAY)


# ---- a new mark after an edit of the policy ---------------------------------------------------------------------------------

EARLIER = clear(told_mark(deadline=NOON + 50 * DAY), NOON, ClearCause.POLICY_CHANGED)


def test_a_new_mark_keeps_the_latest_deadline_that_its_owner_has_read() -> None:
    """Whatever cleared the earlier marks: nobody knows whether the owner has heard of that."""
    older = clear(told_mark(deadline=NOON + 10 * DAY), NOON, ClearCause.USED)
    taken = take_over_promise(mark(), [older, EARLIER, older])
    assert (taken.state, taken.deadline) == (MarkState.MARKED, NOON + 50 * DAY)
    assert due_at(tell(taken, NOON, "mail", clock_verified=True), WEEK) == NOON + 50 * DAY


@pytest.mark.parametrize(
    "earlier",
    [
        clear(told_mark(deadline=None), NOON, ClearCause.POLICY_CHANGED),
        clear(told_mark(2, deadline=NOON + 50 * DAY), NOON, ClearCause.POLICY_CHANGED),
        clear(told_mark(notebook_created_at=ago(days=900), deadline=NOON + DAY), NOON, ClearCause.POLICY_CHANGED),
        clear(told_mark(project="https://elsewhere/v1/p", deadline=NOON + DAY), NOON, ClearCause.POLICY_CHANGED),
    ],
)
def test_a_mark_of_another_instance_or_without_a_deadline_promises_nothing(earlier: Mark) -> None:
    """Another creation date, another id or another project."""
    assert take_over_promise(mark(), [earlier]) == mark()
