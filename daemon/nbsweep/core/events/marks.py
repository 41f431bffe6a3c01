"""Events of marks and of the messages about them."""

from datetime import datetime
from typing import ClassVar

from nbsweep.core.events.base import Event, Level


class MarkMade(Event, frozen=True):
    """A notebook that a policy with grace matches was marked."""

    name: ClassVar[str] = "mark.made"
    notebook_id: str
    policy: str
    reason: str


class MarkCleared(Event, frozen=True):
    """The intention to delete a marked notebook was given up."""

    name: ClassVar[str] = "mark.cleared"
    notebook_id: str
    policy: str
    cause: str
    told: bool
    """Whether the owner had been told."""


class MarkTold(Event, frozen=True):
    """A channel has accepted a message that lists the notebook."""

    name: ClassVar[str] = "mark.told"
    notebook_id: str
    policy: str
    channel: str
    deadline: datetime | None
    """The earliest time of the deletion."""


class MarkUntold(Event, frozen=True):
    """The owner of a marked notebook could not be told."""

    name: ClassVar[str] = "mark.untold"
    level: ClassVar[Level] = "warning"
    notebook_id: str
    policy: str
    problem: str
    retried: bool
    """Whether another attempt follows by itself."""


class MarksMade(Event, frozen=True):
    """A survey has brought the marks of a target up to date."""

    name: ClassVar[str] = "marks.surveyed"
    new: int
    cleared: int
    open: int
    waiting: int
    """Notebooks that a limit or a brake leaves to a later sweep."""
    told: int
    """Open marks whose owners were told, and that are not due."""
    due: int
    untold: int
    """Open marks whose owners could not be told."""
    held_out: int = 0
    """Open marks whose deadline has passed, and which the holdout keeps."""
    exempt: int = 0
    """Open marks whose notebooks were exempted since the survey."""


class MarksCounted(Event, frozen=True):
    """The service has counted the open marks of a target in the journal, when it started."""

    name: ClassVar[str] = "marks.counted"
    level: ClassVar[Level] = "debug"
    marked: int
    """Open marks about which nobody has been told yet."""
    told: int
    due: int
    untold: int
    held_out: int = 0
    exempt: int = 0


class MarksRefused(Event, frozen=True):
    """A brake refuses to mark any more notebooks."""

    name: ClassVar[str] = "marks.refused"
    level: ClassVar[Level] = "warning"
    brake: str
    message: str
