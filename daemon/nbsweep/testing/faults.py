"""The calls of a `FakeCloud`: their durations, and the faults that a test injects."""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from nbsweep.core.errors import (
    AlreadyStopped,
    AnswerLost,
    Busy,
    CloudError,
    Gone,
    MustStopFirst,
    Rejected,
)
from nbsweep.core.freshness import Freshness
from nbsweep.core.model import Page, Status
from nbsweep.core.pacing import Rate
from nbsweep.core.ports import unheeded

Kind = Literal["workspaces", "page", "show", "stop", "delete", "reach", "project", "probe", "user"]
A_TICK_S = 1e-6
DELETE_REFUSALS: Mapping[Status, tuple[type[CloudError], str]] = {
    Status.INIT: (Busy, "ModelArts.6357"),
    Status.CREATING: (Busy, "ModelArts.6357"),
    Status.STARTING: (Busy, "ModelArts.6306"),
    Status.STOPPING: (Busy, "ModelArts.6308"),
    Status.SNAPSHOTTING: (Busy, "ModelArts.6357"),
    Status.DELETING: (Busy, "ModelArts.6357"),
    Status.RUNNING: (MustStopFirst, "ModelArts.6304"),
    Status.FROZEN: (Rejected, "ModelArts.6326"),
    Status.DELETED: (Gone, "ModelArts.6309"),
}
"""The refusal of a DELETE by status; in all others a DELETE is accepted (ModelArts API, section 2)."""
STOP_REFUSALS: Mapping[Status, tuple[type[CloudError], str]] = {
    **dict.fromkeys(set(Status) - {Status.RUNNING}, (Rejected, "ModelArts.6327")),
    **{status: refusal for status, refusal in DELETE_REFUSALS.items() if status is not Status.RUNNING},
    Status.STOPPED: (AlreadyStopped, "ModelArts.6307"),
}
"""The refusal of a stop by status; only a running notebook is stopped."""


class Call(Struct, frozen=True):
    """A call that was sent to a `FakeCloud`."""

    kind: Kind
    subject: str
    """The notebook's id; for a page, workspace, feature, offset and status filter, as `0/NOTEBOOK/49/DELETING`."""
    at_s: float
    """When it was sent, on the steady clock."""


class Departure(Struct, frozen=True):
    """When a call may be sent, and the function that is called when it is."""

    facts: Freshness | None = None
    """None: at any time."""
    leaving: Callable[[], object] = unheeded


AT_ANY_TIME = Departure()


class Pace(Struct, frozen=True):
    """The durations of operations of a `FakeCloud`, in seconds."""

    deletion_s: float = 20.0
    stop_s: float = 10.0
    answer_s: float = 0.0
    """Of every call; its work is done at the beginning."""
    delete_rate: Rate | None = None
    """The rate of DELETEs and stops; None for no limit."""


class Fault(Struct, frozen=True):
    """The fault of one call; the default has no effect, and lets a call pass before the next fault."""

    error: Exception | None = None
    """The error that the caller gets in place of the answer."""
    after: bool = False
    """Whether the work is done: only its answer is lost."""
    lane_s: float = 0.0
    """The additional wait before the call is sent."""
    answer_s: float = 0.0
    """The additional time until its answer."""
    stale_s: float = 0.0
    """How long reads show the notebook as it was before this call."""
    ends_in: Status | None = None
    """The final status of the accepted order if it fails: DELETE_FAILED, or DELETING, STOPPING or RUNNING for ever."""
    then: Callable[[], None] | None = None
    """Called right after the work, and so between two pages."""
    alter: Callable[[Page], Page] | None = None
    """Changes a page on its way."""


LOST_BEFORE = Fault(AnswerLost("no answer within the time limit"))
LOST_AFTER = Fault(AnswerLost("no answer within the time limit"), after=True)
NO_FAULT = Fault()
