"""What happens, as frozen records. Logs, progress and metrics are made from these, and from nothing else.

Each record has a `name` (the event in the log), a `level`, and fields that become the log's keys. What several records share
(`run_id`, `target`, `notebook_id`, `policy`) is bound once around the work, see `Telemetry.bound`, and is not repeated here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from nbsweep.core.lifecycle import Removal, outcome

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    name: ClassVar[str]
    level: ClassVar[Level] = "info"


@dataclass(frozen=True, slots=True)
class SweepStarted(Event):
    """A target's sweep begins."""

    name: ClassVar[str] = "sweep.started"
    dry_run: bool


@dataclass(frozen=True, slots=True)
class SurveyPage(Event):
    """A page of a listing has been read."""

    name: ClassVar[str] = "survey.page"
    level: ClassVar[Level] = "debug"
    workspace: str
    feature: str
    offset: int
    rows: int
    total: int


@dataclass(frozen=True, slots=True)
class SurveyTorn(Event):
    """Rows shifted while a listing was read; it is read again, or the survey is incomplete."""

    name: ClassVar[str] = "survey.torn"
    level: ClassVar[Level] = "warning"
    workspace: str
    feature: str
    attempt: int
    problem: str


@dataclass(frozen=True, slots=True)
class SurveyMalformedRow(Event):
    """A row could not be read as a notebook; it is kept."""

    name: ClassVar[str] = "survey.malformed_row"
    level: ClassVar[Level] = "warning"
    notebook_id: str | None
    notebook_name: str | None
    problem: str


@dataclass(frozen=True, slots=True)
class SurveyFinished(Event):
    """All listings of a target have been read."""

    name: ClassVar[str] = "survey.finished"
    fleet: int
    candidates: int
    complete: bool
    duration_s: float


@dataclass(frozen=True, slots=True)
class PlanBuilt(Event):
    """The verdicts are in order, and held against the brakes."""

    name: ClassVar[str] = "plan.built"
    fleet: int
    items: int
    kept: Mapping[str, int]
    refused_by: str | None


@dataclass(frozen=True, slots=True)
class PlanRefused(Event):
    """A brake refused the plan; nothing is deleted on this target."""

    name: ClassVar[str] = "plan.refused"
    level: ClassVar[Level] = "error"
    brake: str
    message: str


@dataclass(frozen=True, slots=True)
class WalkPage(Event):
    """The second look at a page of planned notebooks."""

    name: ClassVar[str] = "walk.page"
    level: ClassVar[Level] = "debug"
    workspace: str
    feature: str
    offset: int
    planned: int
    met: int


@dataclass(frozen=True, slots=True)
class RemovalStopping(Event):
    """A running notebook is about to be stopped, for its policy says `running: stop`."""

    name: ClassVar[str] = "removal.stopping"


@dataclass(frozen=True, slots=True)
class RemovalRequested(Event):
    """It is on disk that a DELETE is about to leave."""

    name: ClassVar[str] = "removal.requested"
    requests: int


@dataclass(frozen=True, slots=True)
class RemovalUnanswered(Event):
    """Whether a call did its work is unknown; the poller looks before anything else is done."""

    name: ClassVar[str] = "removal.unanswered"
    level: ClassVar[Level] = "warning"
    problem: str


@dataclass(frozen=True, slots=True)
class RemovalAccepted(Event):
    """The cloud has taken the DELETE on."""

    name: ClassVar[str] = "removal.accepted"
    request_id: str


@dataclass(frozen=True, slots=True)
class RemovalAgain(Event):
    """The notebook goes back to the workers, for a fresh look and perhaps another DELETE."""

    name: ClassVar[str] = "removal.again"
    why: str


@dataclass(frozen=True, slots=True)
class RemovalFinished(Event):
    """A removal has ended: the one line that says everything about it."""

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
    """Both from the first request on."""

    @classmethod
    def of(cls, removal: Removal) -> "RemovalFinished":
        """Tell everything about a removal that has ended."""
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


@dataclass(frozen=True, slots=True)
class PollTick(Event):
    """The poller has looked at everything it follows."""

    name: ClassVar[str] = "poll.tick"
    level: ClassVar[Level] = "debug"
    following: int
    ended: int
    next_s: float


@dataclass(frozen=True, slots=True)
class PollFailed(Event):
    """A look failed; what it was to show is looked at again in the next tick."""

    name: ClassVar[str] = "poll.failed"
    level: ClassVar[Level] = "warning"
    problem: str


@dataclass(frozen=True, slots=True)
class SnapshotFlawed(Event):
    """A listing that was to prove ends proves nothing; who is missing is asked for by id."""

    name: ClassVar[str] = "poll.snapshot_flawed"
    level: ClassVar[Level] = "debug"
    workspace: str
    feature: str
    flaw: str


@dataclass(frozen=True, slots=True)
class RecoveryStarted(Event):
    """An earlier run left removals without an end; they come first."""

    name: ClassVar[str] = "recovery.started"
    level: ClassVar[Level] = "warning"
    unfinished: int


@dataclass(frozen=True, slots=True)
class RecoveryFinished(Event):
    """Everything an earlier run left has an end now, unless it was interrupted again."""

    name: ClassVar[str] = "recovery.finished"
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SweepStopping(Event):
    """The sweep was asked to stop: it takes no more, and finishes what was accepted, up to a limit."""

    name: ClassVar[str] = "sweep.stopping"
    level: ClassVar[Level] = "warning"
    following: int
    drain_s: float


@dataclass(frozen=True, slots=True)
class SweepFinished(Event):
    """A target's sweep is over: the one line that says everything about it."""

    name: ClassVar[str] = "sweep.finished"
    outcome: str
    """finished, dry-run, declined, refused, held-elsewhere, interrupted or failed."""
    problem: str
    problem_kind: str
    """The class of `core.errors` that ended it, such as Unauthorized; empty when nothing did."""
    fleet: int
    planned: int
    counts: Mapping[str, int]
    kept: Mapping[str, int]
    reclaimed_gb: int
    duration_s: float


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None
