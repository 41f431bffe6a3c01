"""What is told of removals that are followed to their ends, in this run or after an earlier one."""

from collections.abc import Mapping
from typing import ClassVar

from nbsweep.core.events import Event, Level


class PollTick(Event, frozen=True):
    """The poller has looked at everything it follows."""

    name: ClassVar[str] = "poll.tick"
    level: ClassVar[Level] = "debug"
    following: int
    ended: int
    next_s: float


class PollFailed(Event, frozen=True):
    """A look failed; what it was to show is looked at again in the next tick."""

    name: ClassVar[str] = "poll.failed"
    level: ClassVar[Level] = "warning"
    problem: str


class SnapshotFlawed(Event, frozen=True):
    """A listing that was to prove ends proves nothing; who is missing is asked for by id."""

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
    """Everything an earlier run left has an end now, unless it was interrupted again."""

    name: ClassVar[str] = "recovery.finished"
    counts: Mapping[str, int]


class TargetChanged(Event, frozen=True):
    """A target's last run under this name was about something else: its fleet is not compared with that one's."""

    name: ClassVar[str] = "target.changed"
    level: ClassVar[Level] = "warning"
    last_run: str
    before: str
    now: str


class RemovalsLeftAlone(Event, frozen=True):
    """Removals without an end are not followed: they are in another project, or no target covers them."""

    name: ClassVar[str] = "removals.left_alone"
    level: ClassVar[Level] = "error"
    left_target: str
    """What their target was called."""
    project: str
    removals: int
    problem: str
