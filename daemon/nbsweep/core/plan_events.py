"""What happens to a plan that was saved, see `saved_plan` and `events`."""

from typing import ClassVar

from nbsweep.core.events import Event, Level


class PlanNarrowed(Event, frozen=True):
    """Today's survey was held against a saved plan, which leaves so much of it."""

    name: ClassVar[str] = "plan.narrowed"
    plan_id: str
    permitted: int
    """Of today's candidates, before the brakes."""
    not_in_plan: int
    """Candidates of today that the plan does not permit."""
    spared: int
    """Of the plan's notebooks, before the brakes."""


class PlanTargetLeftAlone(Event, frozen=True):
    """The configuration has a target that the saved plan has not; nothing is done on it."""

    name: ClassVar[str] = "plan.target_left_alone"
    level: ClassVar[Level] = "warning"
    plan_id: str
