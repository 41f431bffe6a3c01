"""The records of a back-test: the recorded past, the deletions that would have been, and what became of those notebooks."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.inventory.facts import KnownFacts
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.judging.rules import Rules
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import Notebook, Scope
from nbsweep.core.planning.cool_down import CoolDown
from nbsweep.core.planning.marking import MarkLimits


class Trial(Struct, frozen=True):
    """The rules that are tried on the past."""

    rules: Rules
    """Without marks, exemptions and coverage, which belong to each moment."""
    limits: MarkLimits
    """With the brakes."""
    cool_down: CoolDown | None = None


class Period(Struct, frozen=True):
    """Which surveys are replayed, and how long a notebook is followed."""

    since: datetime
    until: datetime
    horizon: timedelta
    """How long after a would-be deletion somebody may come back."""


class RecordedNotebook(Struct, frozen=True):
    """A notebook as a survey knew it."""

    notebook_id: str
    scope: Scope
    facts: KnownFacts | None
    """None if the recorded facts cannot be read by this version."""


class RecordedSurvey(Struct, frozen=True):
    """A survey of the past, with all notebooks that it knew."""

    record: SurveyRecord
    notebooks: Mapping[str, RecordedNotebook]
    """By notebook id."""
    clock_trusted: bool = True
    """Whether no later survey has an earlier time, which shows that this one's clock was ahead."""


class Past(Struct, frozen=True):
    """What the journal knows of a target's past besides the inventory."""

    exemptions: Sequence[Exemption] = ()
    """Those of the target, with those that have ended or were revoked since."""
    orders: Sequence[Removal] = ()
    """The removals of which nbsweep really sent a stop or a DELETE."""


class WouldBe(Struct, frozen=True):
    """A deletion that the rules would have begun at a survey."""

    target: str
    survey: int
    """The number of the survey."""
    at: datetime
    notebook: Notebook
    """As the survey knew it."""
    policy: str
    reason: str
    """The sentence of the verdict."""
    last_active: datetime | None = None
    stop_first: bool = False
    """Whether the notebook ran, and the policy asks to stop it first."""

    @property
    def key(self) -> tuple[str, str, datetime | None]:
        """What identifies the instance: target, id and date of creation."""
        return self.target, self.notebook.id, self.notebook.created_at

    @property
    def capacity_gb(self) -> int:
        """The capacity that the deletion would have freed, as far as it is known."""
        volume = self.notebook.volume
        return (volume.reclaimable_gb or 0) if volume else 0


class Label(StrEnum):
    """What became of the notebook of a would-be deletion within the horizon."""

    CAME_BACK = "came-back"
    """Somebody used it or kept it: the deletion would have been a mistake."""
    REMOVED_BY_OWNER = "removed-by-owner"
    STILL_IDLE = "still-idle"
    """Nobody had used or kept it when the horizon was over."""
    CENSORED = "censored"
    """Nobody can say. Never counted as right."""


class ReturnSign(StrEnum):
    """How somebody came back."""

    STARTED = "started"
    """It was seen in use, or a start of it failed."""
    RENEWED = "renewed"
    """Its lease was changed."""
    PROTECTED = "protected"
    """Its tags or its name were changed so that a protection matches."""
    RENAMED = "renamed"
    PASSED_ON = "passed-on"
    """It has another owner."""
    CHANGED = "changed"
    """Its date of change has moved: it was used or edited between two surveys."""
    EXEMPTED = "exempted"


class CensorCause(StrEnum):
    """Why nobody can say what became of a notebook."""

    HORIZON_NOT_OVER = "horizon-not-over"
    SURVEYS_MISSING = "surveys-missing"
    """No complete survey for too long, or none at the end of the horizon."""
    DELETED_BY_NBSWEEP = "deleted-by-nbsweep"
    """nbsweep really deleted it, so that nobody could come back."""
    RAN_ON = "ran-on"
    """It ran, and a later survey saw it run, too: the inventory does not show whether anybody used it."""
    FACTS_UNREADABLE = "facts-unreadable"
    """Facts were recorded that this version cannot read."""


class Labelled(Struct, frozen=True):
    """A would-be deletion and its label."""

    would_be: WouldBe
    label: Label
    sign: ReturnSign | None = None
    cause: CensorCause | None = None
    label_at: datetime | None = None
    """When somebody had come back, or the notebook was gone: the time of the survey or of the grant; None for other labels."""
