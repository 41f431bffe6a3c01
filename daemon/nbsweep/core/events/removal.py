"""Events of removals, from the second look to their ends, in this run or after an earlier one."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from nbsweep.core.events.base import Event, Level
from nbsweep.core.lifecycle import Removal, outcome


class WalkPage(Event, frozen=True):
    """The second look at a page of planned notebooks."""

    name: ClassVar[str] = "walk.page"
    level: ClassVar[Level] = "debug"
    workspace: str
    feature: str
    offset: int
    planned: int
    met: int


class RemovalStopping(Event, frozen=True):
    """A running notebook is about to be stopped, because its policy says `running: stop`."""

    name: ClassVar[str] = "removal.stopping"


class RemovalRequested(Event, frozen=True):
    """The journal has recorded that a DELETE is about to leave."""

    name: ClassVar[str] = "removal.requested"
    requests: int


class RemovalUnanswered(Event, frozen=True):
    """It is unknown whether a call had an effect; the poller reads the notebook before anything else is done."""

    name: ClassVar[str] = "removal.unanswered"
    level: ClassVar[Level] = "warning"
    problem: str


class RemovalAccepted(Event, frozen=True):
    """The cloud has accepted the DELETE."""

    name: ClassVar[str] = "removal.accepted"
    request_id: str


class RemovalAgain(Event, frozen=True):
    """The notebook goes back to the workers for another second look, and perhaps another DELETE."""

    name: ClassVar[str] = "removal.again"
    why: str


class RemovalFinished(Event, frozen=True):
    """A removal has ended; this line has all its facts."""

    name: ClassVar[str] = "removal.finished"
    outcome: str
    end_reason: str
    notebook_name: str
    owner: str
    workspace: str
    feature: str
    reason: str
    status_before: str
    requests: int
    failures: int
    capacity_gb: int | None
    category: str | None
    request_id: str
    accepted_after_s: float | None
    ended_after_s: float | None
    """Both times count from the first request."""

    @classmethod
    def of(cls, removal: Removal) -> "RemovalFinished":
        """Return the event of a removal that has ended."""
        return cls(
            outcome=outcome(removal),
            end_reason=removal.end_reason,
            notebook_name=removal.name,
            owner=removal.owner,
            workspace=removal.workspace_id,
            feature=removal.feature,
            reason=removal.reason,
            status_before=removal.status_before.value,
            requests=removal.requests,
            failures=removal.failures,
            capacity_gb=removal.capacity_gb,
            category=removal.category,
            request_id=removal.request_id,
            accepted_after_s=_seconds(removal.requested_at, removal.accepted_at),
            ended_after_s=_seconds(removal.requested_at, removal.ended_at),
        )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None


class PollTick(Event, frozen=True):
    """The poller has read every notebook that it follows."""

    name: ClassVar[str] = "poll.tick"
    level: ClassVar[Level] = "debug"
    following: int
    ended: int
    next_s: float


class PollFailed(Event, frozen=True):
    """A read failed; the next tick reads again."""

    name: ClassVar[str] = "poll.failed"
    level: ClassVar[Level] = "warning"
    problem: str


class SnapshotFlawed(Event, frozen=True):
    """A listing proves no ends; the missing notebooks are read by id."""

    name: ClassVar[str] = "poll.snapshot_flawed"
    level: ClassVar[Level] = "debug"
    workspace: str
    feature: str
    flaw: str


class RecoveryStarted(Event, frozen=True):
    """An earlier run left removals without an end; they come first."""

    name: ClassVar[str] = "recovery.started"
    level: ClassVar[Level] = "warning"
    unfinished: int


class RecoveryFinished(Event, frozen=True):
    """All removals that an earlier run left have ended, unless recovery was interrupted."""

    name: ClassVar[str] = "recovery.finished"
    counts: Mapping[str, int]


class RemovalsLeftAlone(Event, frozen=True):
    """Removals without an end are not followed: they are in another project, or no target covers them."""

    name: ClassVar[str] = "removals.left_alone"
    level: ClassVar[Level] = "error"
    left_target: str
    """The name of their target."""
    project: str
    removals: int
    problem: str
