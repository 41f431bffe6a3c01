from datetime import datetime, timedelta
from itertools import product

import pytest

from builders import NOON, notebook, removal
from nbsweep.core import lifecycle
from nbsweep.core.lifecycle import IllegalStepError, Removal, State, Step, follow
from nbsweep.core.model import Status

GRACE = timedelta(seconds=30)
INSTANT = timedelta(microseconds=1)
START = NOON - timedelta(minutes=10)
"""When it was requested, or accepted."""
GOING = [State.STOPPING, State.REQUESTED, State.ACCEPTED]
BROKEN = {Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR}
RESTING = BROKEN | {Status.STOPPED, Status.FROZEN}
THERE = [status for status in Status if status is not Status.DELETED]


def going(
    state: State, *, saw_deleting: bool = False, deadline: datetime | None = None, status_before: Status = Status.STOPPED
) -> Removal:
    """Return a removal under way since `START`."""
    return removal(
        state=state,
        requested_at=START,
        sent_at=START,
        accepted_at=START if state is State.ACCEPTED else None,
        saw_deleting=saw_deleting,
        deadline=deadline,
        status_before=status_before,
    )


def look(followed: Removal, status: Status, now: datetime = NOON, grace: timedelta = GRACE) -> Step:
    """See the notebook in a state, and conclude."""
    return follow(followed, notebook(status=status), now, grace)


MOMENTS = [START, START + GRACE - INSTANT, START + GRACE, NOON]
DEADLINES = [None, NOON + INSTANT, NOON, START]


@pytest.mark.parametrize("state", GOING)
def test_what_is_proven_gone_is_gone(state: State) -> None:
    """By an answer that says so, or by DELETED; even at the deadline, for what matters is that it has ended."""
    for now, deadline, saw_deleting in product(MOMENTS, DEADLINES, [True, False]):
        followed = going(state, saw_deleting=saw_deleting, deadline=deadline)
        assert follow(followed, None, now, GRACE) is Step.GONE
        assert look(followed, Status.DELETED, now) is Step.GONE


@pytest.mark.parametrize("saw_deleting", [True, False])
@pytest.mark.parametrize("status", THERE)
def test_an_accepted_removal_waits_for_its_end(status: Status, saw_deleting: bool) -> None:  # noqa: FBT001 -- parametrized
    """A failure counts once DELETING was seen or the grace is over; all else waits; at the deadline waiting ends."""
    for now, deadline in product(MOMENTS, DEADLINES):
        settled = saw_deleting or now >= START + GRACE
        if status in BROKEN and settled:
            expected = Step.FAILED
        elif deadline is not None and now >= deadline:
            expected = Step.TIMED_OUT
        else:
            expected = Step.WAIT
        assert look(going(State.ACCEPTED, saw_deleting=saw_deleting, deadline=deadline), status, now) is expected


@pytest.mark.parametrize("status", THERE)
def test_a_stop_waits_until_it_is_at_rest(status: Status) -> None:
    """At rest the DELETE may follow; one that starts, or still runs after the grace, is looked at anew."""
    for now, deadline in product(MOMENTS, DEADLINES):
        if status in RESTING:
            expected = Step.STOPPED
        elif status is Status.STARTING:
            expected = Step.NO_EFFECT
        elif deadline is not None and now >= deadline:
            expected = Step.TIMED_OUT
        elif status is Status.RUNNING and now >= START + GRACE:
            expected = Step.NO_EFFECT
        else:
            expected = Step.WAIT
        assert look(going(State.STOPPING, deadline=deadline, status_before=Status.RUNNING), status, now) is expected


@pytest.mark.parametrize("deadline", DEADLINES)
def test_an_unanswered_delete_that_shows_deleting_has_arrived(deadline: datetime | None) -> None:
    """It is confirmed, however late."""
    for now in MOMENTS:
        assert look(going(State.REQUESTED, deadline=deadline), Status.DELETING, now) is Step.CONFIRMED


@pytest.mark.parametrize("status", [status for status in THERE if status is not Status.DELETING])
def test_an_unanswered_delete_that_shows_nothing_new_is_decided_anew(status: Status) -> None:
    """It shows what it showed before, or is in use again; so it had no effect, and is looked at before anything is sent.

    What was DELETE_FAILED before and still is may have failed once more, and counts as a failure.
    """
    expected = Step.FAILED if status is Status.DELETE_FAILED else Step.NO_EFFECT
    for deadline in (None, NOON + INSTANT):
        assert look(going(State.REQUESTED, deadline=deadline, status_before=status), status) is expected
    if status not in BROKEN:
        assert look(going(State.REQUESTED, status_before=Status.ERROR), status) is Step.NO_EFFECT


@pytest.mark.parametrize("status", sorted(RESTING | {Status.RUNNING}))
def test_an_unanswered_delete_is_waited_for_while_reads_may_be_stale(status: Status) -> None:
    """It shows what it showed before; whether the DELETE had an effect can be told once the grace is over, and not before."""
    followed = going(State.REQUESTED, status_before=status)
    assert look(followed, status, START + GRACE - INSTANT) is Step.WAIT
    assert look(followed, status, START + GRACE) in (Step.NO_EFFECT, Step.FAILED)


def test_an_unanswered_delete_after_a_failed_one_is_not_taken_for_that_failure() -> None:
    """The failure that shows may be the earlier one's, as long as reads may be stale; after that it is this one's."""
    followed = lifecycle.note_failure(going(State.REQUESTED))
    assert look(followed, Status.DELETE_FAILED, START + GRACE - INSTANT) is Step.WAIT
    assert look(followed, Status.DELETE_FAILED, START + GRACE) is Step.FAILED


def test_an_unanswered_delete_ends_at_its_deadline() -> None:
    """Answers that keep being lost must not keep a sweep going for ever: after the deadline nothing is sent again."""
    for status, deadline in product(sorted(RESTING - {Status.DELETE_FAILED}), [NOON, START]):
        assert look(going(State.REQUESTED, deadline=deadline, status_before=status), status) is Step.TIMED_OUT


def test_an_unanswered_delete_that_shows_a_failed_deletion_has_failed() -> None:
    """It was stopped, and now its deletion has failed: the DELETE arrived, began, and did not come to its end."""
    for saw_deleting in (True, False):
        followed = going(State.REQUESTED, saw_deleting=saw_deleting, status_before=Status.STOPPED)
        assert look(followed, Status.DELETE_FAILED) is Step.FAILED


def test_a_deadline_of_nothing_is_not_for_ever() -> None:
    """Elsewhere a limit of zero meant no limit; here time is up at once."""
    requested = lifecycle.request(removal(), NOON, timedelta(0))
    assert look(lifecycle.accept(requested, NOON), Status.DELETING) is Step.TIMED_OUT
    assert look(lifecycle.stop(removal(), NOON, timedelta(0)), Status.STOPPING) is Step.TIMED_OUT


def test_a_grace_of_nothing_believes_the_first_look() -> None:
    """A grace of zero means that reads are never stale."""
    assert look(going(State.ACCEPTED), Status.ERROR, START, timedelta(0)) is Step.FAILED
    assert look(going(State.STOPPING), Status.RUNNING, START, timedelta(0)) is Step.NO_EFFECT


@pytest.mark.parametrize("status", sorted(BROKEN))
def test_a_stale_read_after_the_delete_is_no_failure(status: Status) -> None:
    """What was broken before still shows it at first; then DELETING, and only what comes after that is the end."""
    followed = going(State.ACCEPTED, status_before=status)
    assert look(followed, status, START + timedelta(seconds=2)) is Step.WAIT
    followed = lifecycle.note_deleting(followed, notebook(status=Status.DELETING))
    assert look(followed, Status.DELETING, START + timedelta(seconds=4)) is Step.WAIT
    assert look(followed, Status.DELETE_FAILED, START + timedelta(seconds=6)) is Step.FAILED


@pytest.mark.parametrize(("state", "status"), list(product(GOING, [None, *Status])))
def test_every_conclusion_can_be_acted_on(state: State, status: Status | None) -> None:
    """Whatever a look comes to, the table allows a step for it."""
    steps = {
        Step.CONFIRMED: [State.ACCEPTED],
        Step.GONE: [State.DELETED, State.SPARED],
        Step.STOPPED: [State.REQUESTED],
        Step.NO_EFFECT: [State.REQUESTED, State.STOPPING],
        Step.FAILED: [State.FAILED],
        Step.TIMED_OUT: [State.TIMED_OUT],
        Step.WAIT: [state],
    }
    seen = None if status is None else notebook(status=status)
    for now, deadline, saw_deleting in product(MOMENTS, DEADLINES, [True, False]):
        step = follow(going(state, saw_deleting=saw_deleting, deadline=deadline), seen, now, GRACE)
        assert any(target is state or target in lifecycle.NEXT[state] for target in steps[step])


@pytest.mark.parametrize("state", sorted(lifecycle.ENDS))
def test_nothing_that_is_seen_moves_what_has_ended(state: State) -> None:
    """Whatever a late look comes to, an end stays an end."""
    ended = going(state)
    for status in [None, *Status]:
        follow(ended, None if status is None else notebook(status=status), NOON, GRACE)
        assert ended == going(state)
    with pytest.raises(IllegalStepError):
        lifecycle.delete(ended, NOON, "gone")
