"""The life cycle of a removal, from plan to end: its states, their transitions, and one function for each step.

   ┌────> STOPPING ────┐
   │                   v
PLANNED ────────> REQUESTED ──> ACCEPTED ──> DELETED | FAILED | TIMED_OUT
   │
   └────> SPARED

Every change goes through `_move`, which checks the table. The functions take a removal and return a new one; the journal stores
it before the step is taken.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.model import AT_REST, FAILED, Notebook, Status


class State(StrEnum):
    """The state of a removal."""

    PLANNED = "PLANNED"
    STOPPING = "STOPPING"
    """A stop was sent, because the policy says `running: stop`; the DELETE follows."""
    REQUESTED = "REQUESTED"
    """In the journal before the DELETE leaves; it may be unknown whether the DELETE arrived."""
    ACCEPTED = "ACCEPTED"
    DELETED = "DELETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    SPARED = "SPARED"


NEXT: Mapping[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.STOPPING, State.REQUESTED, State.SPARED, State.FAILED}),
    # Again, when the answer to a stop was lost and it shows no effect.
    State.STOPPING: frozenset({State.STOPPING, State.REQUESTED, State.SPARED, State.FAILED, State.TIMED_OUT}),
    # Again, when the answer to a DELETE was lost and a fresh look still says delete; spared, when it provably had no effect.
    State.REQUESTED: frozenset(
        {
            State.REQUESTED,
            State.ACCEPTED,
            State.DELETED,
            State.FAILED,
            State.TIMED_OUT,
            State.SPARED,
            State.STOPPING,
            State.PLANNED,
        }
    ),
    # Again, when the cloud says DELETE_FAILED and `removal.retries` allows another.
    State.ACCEPTED: frozenset({State.REQUESTED, State.DELETED, State.FAILED, State.TIMED_OUT}),
    State.DELETED: frozenset(),
    State.FAILED: frozenset(),
    State.TIMED_OUT: frozenset(),
    State.SPARED: frozenset(),
}

ENDS = frozenset(state for state, following in NEXT.items() if not following)


class IllegalStepError(Exception):
    """A step that the table does not allow; a bug in nbsweep."""


PROVEN_GONE = "proven gone"
VANISHED = "vanished: somebody else deleted it before its DELETE"
NO_END = "no end by its deadline"
INTERRUPTED = "interrupted before its DELETE"
NEVER_BEGUN = "an earlier run was interrupted before its DELETE"
NO_TRACE = "an earlier run was interrupted around its DELETE, which shows no effect; this run decides again"
WINDOW_CLOSED = "not begun, because no window of its policy is open any more"
"""Ends that are recorded in the same words each time; after NO_END the last status may follow."""


class Removal(Struct, frozen=True):
    """The removal of one notebook, from plan to end; also one row of the journal."""

    run_id: str
    target: str
    notebook_id: str
    name: str
    owner: str
    workspace_id: str
    feature: str
    policy: str
    reason: str
    """The verdict's sentence, and at the end what came of it."""
    status_before: Status
    """The status at the decision."""
    capacity_gb: int | None
    category: str | None
    planned_at: datetime
    state: State = State.PLANNED
    requested_at: datetime | None = None
    """When the first DELETE, or the stop before it, was about to leave."""
    sent_at: datetime | None = None
    """When the latest of them was about to leave."""
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    deadline: datetime | None = None
    """Wall clock, so that it survives a restart."""
    requests: int = 0
    """How many DELETEs were about to leave."""
    failures: int = 0
    """How many of them ended in DELETE_FAILED or ERROR on the cloud's side."""
    saw_deleting: bool = False
    request_id: str = ""
    """The gateway's own id of the last DELETE."""
    end_reason: str = ""
    project: str = ""
    """The endpoint and project that the notebook is in, see `identity`; empty if that is not on record."""
    end_cause: str = ""
    """The cause of the verdict that `end_reason` names, as JSON, for each language to render; empty if it names none."""

    @property
    def ended(self) -> bool:
        """Whether the removal has ended."""
        return self.state in ENDS


def _move(removal: Removal, state: State, **changes: Any) -> Removal:
    if state not in NEXT[removal.state]:
        message = f"removal of {removal.notebook_id}: {removal.state} -> {state} is not a step"
        raise IllegalStepError(message)
    return replace(removal, state=state, **changes)


def stop(removal: Removal, now: datetime, deadline: timedelta) -> Removal:
    """Record a stop, for a policy that says `running: stop`. A repeated stop keeps its deadline."""
    last = removal.deadline if removal.state is State.STOPPING else now + deadline
    first = removal.requested_at or now
    return _move(removal, State.STOPPING, requested_at=first, sent_at=now, deadline=last)


def request(removal: Removal, now: datetime, deadline: timedelta) -> Removal:
    """Record that a DELETE is about to leave. After a failed DELETE it gets a new deadline; after a lost answer it does not."""
    unanswered = removal.state is State.REQUESTED
    return _move(
        removal,
        State.REQUESTED,
        requested_at=removal.requested_at or now,
        sent_at=now,
        deadline=removal.deadline if unanswered else now + deadline,
        requests=removal.requests + 1,
        accepted_at=None,
        saw_deleting=False,
    )


def accept(removal: Removal, now: datetime, request_id: str = "") -> Removal:
    """Record that the cloud has accepted the DELETE."""
    return _move(removal, State.ACCEPTED, accepted_at=now, request_id=request_id or removal.request_id)


def withdraw(removal: Removal, before: Removal) -> Removal:
    """Return to the state before a DELETE without effect: it never left, or the cloud refused it for now."""
    return replace(before, state=_move(removal, before.state).state)


def delete(removal: Removal, now: datetime, reason: str) -> Removal:
    """Record that the notebook is proven gone."""
    return _move(removal, State.DELETED, ended_at=now, end_reason=reason)


def fail(removal: Removal, now: datetime, reason: str, cause: str = "") -> Removal:
    """Record that the cloud refused the deletion, or that it failed."""
    return _move(removal, State.FAILED, ended_at=now, end_reason=reason, end_cause=cause)


def time_out(removal: Removal, now: datetime, reason: str) -> Removal:
    """Record that the deadline passed without an end."""
    return _move(removal, State.TIMED_OUT, ended_at=now, end_reason=reason)


def spare(removal: Removal, now: datetime, reason: str, cause: str = "") -> Removal:
    """Record that the notebook is kept."""
    return _move(removal, State.SPARED, ended_at=now, end_reason=reason, end_cause=cause)


RemovalOutcome = Literal["deleted", "failed", "timed_out", "spared", "unfinished"]
OUTCOMES: Mapping[State, RemovalOutcome] = {
    State.DELETED: "deleted",
    State.FAILED: "failed",
    State.TIMED_OUT: "timed_out",
    State.SPARED: "spared",
}


def outcome(removal: Removal) -> RemovalOutcome:
    """Return the end of a removal as reports name it; `unfinished` while it has none."""
    return OUTCOMES.get(removal.state, "unfinished")


# ---- following ------------------------------------------------------------------------------------------------------------


class Step(StrEnum):
    """What follows from a read of a notebook under removal."""

    WAIT = "wait"
    CONFIRMED = "confirmed"
    """A DELETE whose answer was lost has arrived."""
    GONE = "gone"
    STOPPED = "stopped"
    """The notebook has stopped; the DELETE follows."""
    NO_EFFECT = "no-effect"
    """A DELETE whose answer was lost, or a stop, has no effect: read and decide again."""
    FAILED = "failed"
    TIMED_OUT = "timed-out"


def follow(removal: Removal, seen: Notebook | None, now: datetime, grace: timedelta) -> Step:
    """Return the step that follows from a read; `seen` is None if the notebook is proven gone.

    Reads may be stale for a while after a DELETE (ModelArts API, section 2): one that was in ERROR or *_FAILED still shows
    it at first. A failure counts once DELETING was seen in between, or `grace` has passed since the DELETE was accepted; and a
    DELETE whose answer was lost has had no effect when none shows once `grace` has passed since it left.
    """
    if seen is None or seen.status is Status.DELETED:
        return Step.GONE
    match removal.state:
        case State.STOPPING:
            step = _follow_stop(removal, seen, now, grace)
        case State.REQUESTED:
            step = _follow_unanswered(removal, seen, now, grace)
        case _:
            step = _follow_accepted(removal, seen, now, grace)
    in_use_again = step is Step.NO_EFFECT and seen.status is Status.STARTING
    undecided = step in (Step.WAIT, Step.NO_EFFECT) and not in_use_again
    if undecided and removal.deadline is not None and now >= removal.deadline:
        return Step.TIMED_OUT
    return step


def _follow_stop(removal: Removal, seen: Notebook, now: datetime, grace: timedelta) -> Step:
    if seen.status in AT_REST:
        return Step.STOPPED
    late = removal.sent_at is not None and now - removal.sent_at >= grace
    in_use = seen.status is Status.STARTING or (seen.status is Status.RUNNING and late)
    return Step.NO_EFFECT if in_use else Step.WAIT


def _follow_unanswered(removal: Removal, seen: Notebook, now: datetime, grace: timedelta) -> Step:
    if seen.status is Status.DELETING:
        return Step.CONFIRMED
    failed = seen.status is Status.DELETE_FAILED
    if failed and removal.status_before is not Status.DELETE_FAILED and not removal.failures:
        return Step.FAILED
    if may_still_arrive(removal, now, grace):
        return Step.WAIT
    # If an earlier deletion failed, it is unknown whether this one failed too. It counts, or retries would never end.
    return Step.FAILED if failed else Step.NO_EFFECT


def _follow_accepted(removal: Removal, seen: Notebook, now: datetime, grace: timedelta) -> Step:
    settled = removal.saw_deleting or (removal.accepted_at is not None and now - removal.accepted_at >= grace)
    if seen.status in FAILED and settled:
        return Step.FAILED
    return Step.WAIT


def note_deleting(removal: Removal, seen: Notebook | None) -> Removal:
    """Record that DELETING was seen."""
    if seen is not None and seen.status is Status.DELETING and not removal.saw_deleting:
        return replace(removal, saw_deleting=True)
    return removal


def may_still_arrive(removal: Removal, now: datetime, grace: timedelta) -> bool:
    """Return whether a DELETE whose answer was lost is so recent that its effect may not show yet."""
    return removal.sent_at is not None and now - removal.sent_at < grace


def describe_failure(seen: Notebook | None) -> str:
    """Return why the deletion failed, in the cloud's words if there are any."""
    if seen is None:
        return "the cloud gives no reason"
    return f"{seen.status}: {seen.fail_reason or 'the cloud gives no reason'}"


def note_failure(removal: Removal) -> Removal:
    """Record that a deletion failed."""
    return replace(removal, failures=removal.failures + 1)
