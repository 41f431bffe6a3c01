"""What the brakes have to say beyond a refused plan, and what has failed and why; see `events`."""

from typing import ClassVar

from nbsweep.core.cool_down import Cause
from nbsweep.core.events import Event, Level


class PlanTrimmed(Event, frozen=True):
    """Brakes that trim have cut the plan, perhaps to nothing."""

    name: ClassVar[str] = "plan.trimmed"
    level: ClassVar[Level] = "warning"
    items: int
    """How many are left."""
    message: str


class SweepBraked(Event, frozen=True):
    """A brake has stopped a sweep under way: it begins no more removals, and follows what it has begun to its end."""

    name: ClassVar[str] = "sweep.braked"
    level: ClassVar[Level] = "error"
    brake: str
    message: str


class SweepFailure(Event, frozen=True):
    """Removals of this sweep have failed, or of an earlier one that it brought to their end; one line for each cause."""

    name: ClassVar[str] = "sweep.failure"
    level: ClassVar[Level] = "warning"
    cause: str
    notebooks: int
    example: str
    """The id of one of them."""
    example_name: str

    @classmethod
    def of(cls, cause: Cause) -> "SweepFailure":
        """Tell of a cause, the number of notebooks and the first of them."""
        return cls(cause.cause, len(cause.removals), cause.example.notebook_id, cause.example.name)
