from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, notebook, removal
from nbsweep.core import lifecycle
from nbsweep.core.lifecycle import ENDS, NEXT, IllegalStepError, Removal, State, note_deleting, note_failure
from nbsweep.core.model import Status

DEADLINE = timedelta(minutes=30)
LATER = NOON + timedelta(minutes=20)

STEPS: Mapping[State, Callable[[Removal], Removal]] = {
    State.STOPPING: lambda removal: lifecycle.stop(removal, NOON, DEADLINE),
    State.REQUESTED: lambda removal: lifecycle.request(removal, NOON, DEADLINE),
    State.ACCEPTED: lambda removal: lifecycle.accept(removal, NOON),
    State.DELETED: lambda removal: lifecycle.delete(removal, NOON, "gone"),
    State.FAILED: lambda removal: lifecycle.fail(removal, NOON, "refused"),
    State.TIMED_OUT: lambda removal: lifecycle.time_out(removal, NOON, "too long"),
    State.SPARED: lambda removal: lifecycle.spare(removal, NOON, "renamed"),
}
"""The one function for each transition, by the state it leads to."""

ALLOWED = {
    State.PLANNED: "STOPPING REQUESTED SPARED FAILED",
    State.STOPPING: "STOPPING REQUESTED SPARED FAILED TIMED_OUT",
    State.REQUESTED: "PLANNED STOPPING REQUESTED ACCEPTED DELETED FAILED TIMED_OUT SPARED",
    State.ACCEPTED: "REQUESTED DELETED FAILED TIMED_OUT",
    State.DELETED: "",
    State.FAILED: "",
    State.TIMED_OUT: "",
    State.SPARED: "",
}
LEGAL = [(source, target) for source in State for target in STEPS if target in ALLOWED[source].split()]
ILLEGAL = [(source, target) for source in State for target in STEPS if target not in ALLOWED[source].split()]


@pytest.mark.parametrize(("source", "target"), LEGAL)
def test_a_step_of_the_table_is_taken(source: State, target: State) -> None:
    """The removal that comes back stands where the step leads; the one that went in is as it was."""
    before = removal(state=source)
    assert STEPS[target](before).state is target
    assert before == removal(state=source)


@pytest.mark.parametrize(("source", "target"), ILLEGAL)
def test_any_other_step_is_a_bug(source: State, target: State) -> None:
    """It is refused, and the error says which notebook and which step."""
    with pytest.raises(IllegalStepError, match=rf"nb1.*{source}.*{target}"):
        STEPS[target](removal(state=source))


def test_the_table_is_the_designs() -> None:
    """Every pair of states, and nothing ever leads back to PLANNED."""
    assert {state: set(following) for state, following in NEXT.items()} == {
        state: {State(name) for name in names.split()} for state, names in ALLOWED.items()
    }


def test_only_four_states_are_ends() -> None:
    """An end is a state that nothing follows."""
    assert {State.DELETED, State.FAILED, State.TIMED_OUT, State.SPARED} == ENDS
    for state in State:
        assert removal(state=state).ended == (state in {State.DELETED, State.FAILED, State.TIMED_OUT, State.SPARED})


def test_nothing_is_deleted_that_was_not_requested() -> None:
    """REQUESTED is on disk before a DELETE leaves, so no state reaches ACCEPTED or DELETED around it."""
    reached = {State.PLANNED}
    for _ in State:
        reached |= {target for source in reached - {State.REQUESTED} for target in NEXT[source]}
    assert reached.isdisjoint({State.ACCEPTED, State.DELETED})


def test_an_accepted_removal_is_not_spared() -> None:
    """What the cloud has taken on may not be called kept."""
    with pytest.raises(IllegalStepError):
        lifecycle.spare(removal(state=State.ACCEPTED), NOON, "renamed")


def test_every_state_that_waits_can_time_out() -> None:
    """Whatever is followed has an end at its deadline."""
    for state in (State.STOPPING, State.REQUESTED, State.ACCEPTED):
        assert lifecycle.time_out(removal(state=state), NOON, "too long").state is State.TIMED_OUT


@pytest.mark.parametrize("target", [State.DELETED, State.FAILED, State.TIMED_OUT, State.SPARED])
def test_an_end_says_when_and_why(target: State) -> None:
    """And keeps the reason for which it was begun."""
    ended = STEPS[target](removal(state=State.REQUESTED))
    assert ended.ended_at == NOON
    assert ended.end_reason in {"gone", "refused", "too long", "renamed"}
    assert ended.reason == "age 200d (over 1d)"


def changed(before: Removal, after: Removal) -> dict[str, Any]:
    """List the fields in which two removals differ, as they are after."""
    names = Removal.__struct_fields__
    return {name: getattr(after, name) for name in names if getattr(before, name) != getattr(after, name)}


def test_a_request_is_counted_and_gets_a_deadline() -> None:
    """It says when it was about to leave, and nothing else about the notebook changes."""
    before = removal()
    assert changed(before, lifecycle.request(before, NOON, DEADLINE)) == {
        "state": State.REQUESTED,
        "requested_at": NOON,
        "sent_at": NOON,
        "deadline": NOON + timedelta(minutes=30),
        "requests": 1,
    }


def test_an_acceptance_says_when_and_by_which_call() -> None:
    """The gateway's request id is what support will ask for."""
    before = lifecycle.request(removal(), NOON, DEADLINE)
    after = lifecycle.accept(before, LATER, "req-1")
    assert changed(before, after) == {"state": State.ACCEPTED, "accepted_at": LATER, "request_id": "req-1"}


def test_an_acceptance_that_was_only_seen_keeps_the_known_request_id() -> None:
    """A DELETE whose answer was lost is confirmed without an id of its own."""
    before = replace(lifecycle.request(removal(), NOON, DEADLINE), request_id="req-1")
    assert lifecycle.accept(before, LATER).request_id == "req-1"


def test_a_request_after_a_lost_answer_gets_no_further_time() -> None:
    """Otherwise answers that keep being lost would keep it going for ever."""
    first = lifecycle.request(removal(), NOON, DEADLINE)
    second = lifecycle.request(first, LATER, DEADLINE)
    assert (second.deadline, second.requests) == (NOON + DEADLINE, 2)


def test_a_request_after_a_failed_one_has_a_deadline_of_its_own() -> None:
    """And what was seen of the first says nothing about the second."""
    first = lifecycle.accept(lifecycle.request(removal(), NOON, DEADLINE), NOON, "req-1")
    second = lifecycle.request(note_deleting(first, notebook(status=Status.DELETING)), LATER, DEADLINE)
    assert (second.deadline, second.requests) == (LATER + DEADLINE, 2)
    assert second.accepted_at is None
    assert not second.saw_deleting


def test_the_first_request_is_remembered() -> None:
    """`requested_at` is when the first DELETE, or the stop before it, was about to leave, and stays so to the end."""
    retried = lifecycle.request(lifecycle.accept(lifecycle.request(removal(), NOON, DEADLINE), NOON), LATER, DEADLINE)
    assert retried.requested_at == NOON
    stopped = lifecycle.request(lifecycle.stop(removal(), NOON, DEADLINE), LATER, DEADLINE)
    assert stopped.requested_at == NOON


def test_a_delete_that_did_nothing_is_taken_back() -> None:
    """It never left, so the removal stands where it stood, with its dates and counts."""
    for before in (removal(), removal(state=State.STOPPING, requested_at=NOON, sent_at=NOON, deadline=LATER)):
        requested = lifecycle.request(before, LATER, DEADLINE)
        assert lifecycle.withdraw(requested, before) == before
    with pytest.raises(lifecycle.IllegalStepError):
        lifecycle.withdraw(removal(state=State.DELETED), removal())


def test_the_latest_request_is_remembered_too() -> None:
    """`sent_at` is when the latest DELETE or stop was about to leave: the grace for its effect runs from there."""
    unanswered = lifecycle.request(removal(), NOON, DEADLINE)
    assert lifecycle.request(unanswered, LATER, DEADLINE).sent_at == LATER
    stopping = lifecycle.stop(removal(), NOON, DEADLINE)
    assert lifecycle.stop(stopping, LATER, DEADLINE).sent_at == LATER


def test_a_stop_gets_a_deadline_and_is_no_request() -> None:
    """No DELETE has left yet."""
    before = removal()
    after = lifecycle.stop(before, NOON, DEADLINE)
    assert changed(before, after) == {
        "state": State.STOPPING,
        "requested_at": NOON,
        "sent_at": NOON,
        "deadline": NOON + DEADLINE,
    }


def test_a_stop_that_is_ordered_again_gets_no_further_time() -> None:
    """A stop that never takes effect ends at the deadline of the first."""
    again = lifecycle.stop(lifecycle.stop(removal(), NOON, DEADLINE), LATER, DEADLINE)
    assert again.deadline == NOON + DEADLINE


def test_the_request_after_a_stop_has_a_deadline_of_its_own() -> None:
    """Stopping takes its time, and that is not taken from the deletion."""
    requested = lifecycle.request(lifecycle.stop(removal(), NOON, DEADLINE), LATER, DEADLINE)
    assert (requested.deadline, requested.requests) == (LATER + DEADLINE, 1)


@pytest.mark.parametrize("status", Status)
def test_only_deleting_is_remembered(status: Status) -> None:
    """Once seen it stays seen, whatever is shown afterwards; nothing else leaves a trace."""
    first = note_deleting(removal(state=State.ACCEPTED), notebook(status=status))
    assert first == removal(state=State.ACCEPTED, saw_deleting=status is Status.DELETING)
    seen = removal(state=State.ACCEPTED, saw_deleting=True)
    assert note_deleting(seen, notebook(status=status)) == seen
    assert note_deleting(seen, None) == seen
    assert note_deleting(removal(), None) == removal()


def test_a_failure_is_counted_and_moves_nothing() -> None:
    """Whether there is another try is decided on the count."""
    twice = note_failure(note_failure(removal(state=State.ACCEPTED)))
    assert twice == removal(state=State.ACCEPTED, failures=2)


def test_times_are_moments_of_the_wall_clock() -> None:
    """They survive a restart, so they must say their time zone."""
    requested = lifecycle.request(removal(), NOON, DEADLINE)
    moments = [
        value for value in (getattr(requested, field) for field in Removal.__struct_fields__) if isinstance(value, datetime)
    ]
    assert len(moments) == 4
    assert all(moment.tzinfo is not None for moment in moments)
