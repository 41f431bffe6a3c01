"""What can be asked of a `FakeCloud`: how long things take, and what goes wrong."""

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

Kind = Literal["workspaces", "page", "show", "stop", "delete", "reach", "project", "probe"]
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
"""How a DELETE is refused in each state; in the others it is accepted (ModelArts API, section 2)."""
STOP_REFUSALS: Mapping[Status, tuple[type[CloudError], str]] = {
    **dict.fromkeys(set(Status) - {Status.RUNNING}, (Rejected, "ModelArts.6327")),
    **{status: refusal for status, refusal in DELETE_REFUSALS.items() if status is not Status.RUNNING},
    Status.STOPPED: (AlreadyStopped, "ModelArts.6307"),
}
"""How a stop is refused in each state; a notebook that runs is stopped."""


class Call(Struct, frozen=True):
    """A call that has left for a `FakeCloud`."""

    kind: Kind
    subject: str
    """The notebook's id; for a page, workspace, feature, offset and status filter, as `0/NOTEBOOK/49/DELETING`."""
    at_s: float
    """When it left, on the steady clock."""


class Departure(Struct, frozen=True):
    """When a call may leave, and who is told that it does."""

    facts: Freshness | None = None
    """None: at any time."""
    leaving: Callable[[], object] = unheeded


AT_ANY_TIME = Departure()


class Pace(Struct, frozen=True):
    """How long things take at a `FakeCloud`, in seconds."""

    deletion_s: float = 20.0
    stop_s: float = 10.0
    answer_s: float = 0.0
    """Of every call; its work is done before that."""
    delete_rate: Rate | None = None
    """How fast DELETEs and stops may leave; None means at once."""


class Trouble(Struct, frozen=True):
    """What befalls one call; the plain one is none at all, and lets a call pass before the next trouble."""

    error: Exception | None = None
    """What the caller gets instead of the answer."""
    after: bool = False
    """The work is done all the same: only its answer is lost."""
    lane_s: float = 0.0
    """How much longer the call waits before it leaves."""
    answer_s: float = 0.0
    """How much longer its answer takes."""
    stale_s: float = 0.0
    """For how long reads go on to show what was before this call."""
    fate: Status | None = None
    """What the accepted order ends in, when not well: DELETE_FAILED, or DELETING, STOPPING or RUNNING for ever."""
    then: Callable[[], None] | None = None
    """What somebody does right after the work, and so between two pages."""
    spoil: Callable[[Page], Page] | None = None
    """What becomes of a page on its way."""


LOST_BEFORE = Trouble(AnswerLost("no answer within the time limit"))
LOST_AFTER = Trouble(AnswerLost("no answer within the time limit"), after=True)
PLAIN = Trouble()
