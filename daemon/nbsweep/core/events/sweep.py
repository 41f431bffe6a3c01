"""Events of a sweep: its survey, its plan, its brakes and its end."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from nbsweep.core.events.base import Event, Level
from nbsweep.core.planning.cool_down import FailureCause


class SweepStarted(Event, frozen=True):
    """A sweep of a target begins."""

    name: ClassVar[str] = "sweep.started"
    dry_run: bool
    overrides: str = ""
    """The options that set aside `mode` or a pause, such as --enforce."""


class DryRunByMode(Event, frozen=True):
    """`run` deletes nothing, because the configuration says `mode: dry-run`."""

    name: ClassVar[str] = "run.dry_run_by_mode"
    level: ClassVar[Level] = "warning"
    advice: str = (
        "`run --enforce` deletes in one run; `mode: enforce` in the configuration lets every run and the service delete"
    )


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
    """A listing shows rows of another workspace or feature than requested; these notebooks are kept."""

    name: ClassVar[str] = "survey.strays"
    level: ClassVar[Level] = "warning"
    workspace: str
    feature: str
    rows: int
    problem: str
    """How the first of them differs."""


class SurveyAsked(Event, frozen=True):
    """A listing leaves out facts that rules need; notebooks whose verdict depends on them were read by id."""

    name: ClassVar[str] = "survey.asked"
    level: ClassVar[Level] = "warning"
    workspace: str
    feature: str
    left_out: tuple[str, ...]
    """The fields that all of their rows lack."""
    asked: int
    unanswered: int
    """The number of notebooks that could not be read by id either; they are kept."""


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
    """The number of malformed rows; only the first of them get events of their own."""


class InventoryRecorded(Event, frozen=True):
    """The survey was recorded in the inventory."""

    name: ClassVar[str] = "inventory.recorded"
    survey: int
    """The number of the survey."""
    complete: bool
    """Whether notebooks that it did not show count as gone."""
    pruned: int
    """How many old states were deleted."""


class JournalPruned(Event, frozen=True):
    """Records of the journal were deleted that ended before `retention.keep`."""

    name: ClassVar[str] = "journal.pruned"
    before: datetime
    """What ended at or after this moment was kept."""
    runs: int
    """How many sweeps were deleted; the other fields count in the same way."""
    removals: int
    marks: int
    messages: int
    exemptions: int


class JournalNotPruned(Event, frozen=True):
    """Old records of the journal could not be deleted; the sweep is not concerned."""

    name: ClassVar[str] = "journal.not_pruned"
    level: ClassVar[Level] = "warning"
    problem: str


class PlanBuilt(Event, frozen=True):
    """The plan was built from the verdicts, and checked by the brakes."""

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


class PlanTrimmed(Event, frozen=True):
    """Brakes that trim have cut the plan, perhaps to nothing."""

    name: ClassVar[str] = "plan.trimmed"
    level: ClassVar[Level] = "warning"
    items: int
    """The number of notebooks that are left."""
    message: str


class PlanNarrowed(Event, frozen=True):
    """The current survey was narrowed to what a saved plan permits."""

    name: ClassVar[str] = "plan.narrowed"
    plan_id: str
    permitted: int
    """Of today's candidates, before the brakes."""
    not_in_plan: int
    """Candidates of today that the plan does not permit."""
    spared: int
    """Of the plan's notebooks, before the brakes."""


class PlanTargetLeftAlone(Event, frozen=True):
    """The configuration has a target that the saved plan does not have; nothing is done on that target."""

    name: ClassVar[str] = "plan.target_left_alone"
    level: ClassVar[Level] = "warning"
    plan_id: str


class TargetChanged(Event, frozen=True):
    """The last run of a target of this name was about another project or extent; the fleets are not compared."""

    name: ClassVar[str] = "target.changed"
    level: ClassVar[Level] = "warning"
    last_run: str
    before: str
    now: str


class SweepBraked(Event, frozen=True):
    """A brake has stopped a sweep: it begins no more removals, and follows those under way to their ends."""

    name: ClassVar[str] = "sweep.braked"
    level: ClassVar[Level] = "error"
    brake: str
    message: str


class SweepFailure(Event, frozen=True):
    """Removals of this sweep, or of an earlier sweep that it recovered, have failed; one line for each cause."""

    name: ClassVar[str] = "sweep.failure"
    level: ClassVar[Level] = "warning"
    cause: str
    notebooks: int
    example: str
    """The id of one of them."""
    example_name: str

    @classmethod
    def of(cls, cause: FailureCause) -> "SweepFailure":
        """Return the event of a cause, with the number of notebooks and the first of them."""
        return cls(cause.cause, len(cause.removals), cause.example.notebook_id, cause.example.name)


class SweepStopping(Event, frozen=True):
    """The sweep was asked to stop: it begins no more removals, and follows the accepted ones up to a limit."""

    name: ClassVar[str] = "sweep.stopping"
    level: ClassVar[Level] = "warning"
    following: int
    drain_s: float


class SweepFinished(Event, frozen=True):
    """A target's sweep has ended; this line has all its facts."""

    name: ClassVar[str] = "sweep.finished"
    outcome: str
    """finished, dry-run, declined, refused, held-elsewhere, interrupted or failed."""
    problem: str
    problem_kind: str
    """The class of `core.errors` that ended it, such as Unauthorized; empty if nothing did."""
    fleet: int
    planned: int
    counts: Mapping[str, int]
    kept: Mapping[str, int]
    reclaimed_gb: int
    duration_s: float


class AuditHead(Event, frozen=True):
    """The head of a target's chain at the end of a run, for `audit verify --head`; the log keeps it outside the journal."""

    name: ClassVar[str] = "audit.head"
    sequence: int
    digest: str
