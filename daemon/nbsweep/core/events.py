"""What happens, as frozen records. Logs, progress and metrics are made from these, and from nothing else.

Each record has a `name` (the event in the log), a `level`, and fields that become the log's keys. What several records share
(`run_id`, `target`, `notebook_id`, `policy`) is bound once around the work, see `Telemetry.bound`, and is not repeated here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from msgspec import Struct

from nbsweep.core.lifecycle import Removal, outcome

Level = Literal["debug", "info", "warning", "error"]


class Event(Struct, frozen=True):
    """Something that happened."""

    name: ClassVar[str]
    level: ClassVar[Level] = "info"


class SweepStarted(Event, frozen=True):
    """A target's sweep begins."""

    name: ClassVar[str] = "sweep.started"
    dry_run: bool


class SurveyPage(Event, frozen=True):
    """A page of a listing has been read."""

    name: ClassVar[str] = "survey.page"
    level: ClassVar[Level] = "debug"
    workspace: str
    feature: str
    offset: int
    rows: int
    total: int


class SurveyTorn(Event, frozen=True):
    """Rows shifted while a listing was read; it is read again, or the survey is incomplete."""

    name: ClassVar[str] = "survey.torn"
    level: ClassVar[Level] = "warning"
    workspace: str
    feature: str
    attempt: int
    problem: str


class SurveyMalformedRow(Event, frozen=True):
    """A row could not be read as a notebook; it is kept."""

    name: ClassVar[str] = "survey.malformed_row"
    level: ClassVar[Level] = "warning"
    notebook_id: str | None
    notebook_name: str | None
    problem: str


class SurveyWorkspaceRefused(Event, frozen=True):
    """A workspace cannot be listed; its notebooks are kept, the other workspaces are swept."""

    name: ClassVar[str] = "survey.workspace_refused"
    level: ClassVar[Level] = "warning"
    workspace: str
    feature: str
    problem: str


class SurveyStrays(Event, frozen=True):
    """A listing shows rows of another workspace or feature than it was asked for; they are kept."""

    name: ClassVar[str] = "survey.strays"
    level: ClassVar[Level] = "warning"
    workspace: str
    feature: str
    rows: int
    problem: str
    """What is other about the first of them."""


class SurveyAsked(Event, frozen=True):
    """A listing leaves out facts that rules ask for; those whose verdict hangs on them were asked for by id."""

    name: ClassVar[str] = "survey.asked"
    level: ClassVar[Level] = "warning"
    workspace: str
    feature: str
    left_out: tuple[str, ...]
    """What all rows that were asked about lack, in the API's own words."""
    asked: int
    unanswered: int
    """How many of them could not be read by id either; they are kept."""


class SurveyFinished(Event, frozen=True):
    """All listings of a target have been read."""

    name: ClassVar[str] = "survey.finished"
    fleet: int
    candidates: int
    complete: bool
    duration_s: float
    workspaces_refused: int = 0
    """How many workspaces could not be listed."""
    malformed: int = 0
    """How many rows could not be read; only the first of them are told one by one."""


class PlanBuilt(Event, frozen=True):
    """The verdicts are in order, and held against the brakes."""

    name: ClassVar[str] = "plan.built"
    fleet: int
    items: int
    kept: Mapping[str, int]
    refused_by: str | None


class PlanRefused(Event, frozen=True):
    """A brake refused the plan; nothing is deleted on this target."""

    name: ClassVar[str] = "plan.refused"
    level: ClassVar[Level] = "error"
    brake: str
    message: str


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
    """A running notebook is about to be stopped, for its policy says `running: stop`."""

    name: ClassVar[str] = "removal.stopping"


class RemovalRequested(Event, frozen=True):
    """It is on disk that a DELETE is about to leave."""

    name: ClassVar[str] = "removal.requested"
    requests: int


class RemovalUnanswered(Event, frozen=True):
    """Whether a call did its work is unknown; the poller looks before anything else is done."""

    name: ClassVar[str] = "removal.unanswered"
    level: ClassVar[Level] = "warning"
    problem: str


class RemovalAccepted(Event, frozen=True):
    """The cloud has taken the DELETE on."""

    name: ClassVar[str] = "removal.accepted"
    request_id: str


class RemovalAgain(Event, frozen=True):
    """The notebook goes back to the workers, for a fresh look and perhaps another DELETE."""

    name: ClassVar[str] = "removal.again"
    why: str


class RemovalFinished(Event, frozen=True):
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


class SweepStopping(Event, frozen=True):
    """The sweep was asked to stop: it takes no more, and finishes what was accepted, up to a limit."""

    name: ClassVar[str] = "sweep.stopping"
    level: ClassVar[Level] = "warning"
    following: int
    drain_s: float


class SweepFinished(Event, frozen=True):
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
