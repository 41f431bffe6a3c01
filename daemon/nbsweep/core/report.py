"""What a sweep of one target came to."""

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from nbsweep.core.cool_down import Cause, causes_of
from nbsweep.core.errors import NbsweepError
from nbsweep.core.lifecycle import Removal, State, outcome
from nbsweep.core.plan import Plan
from nbsweep.core.runs import Outcome
from nbsweep.core.saved_plan.model import Spared


class Report(Struct, frozen=True):
    """What a sweep of one target came to."""

    target: str
    outcome: Outcome
    plan: Plan | None = None
    removals: tuple[Removal, ...] = ()
    recovered: tuple[Removal, ...] = ()
    """What an earlier run had left, and this one brought to its end first."""
    spared: tuple[Spared, ...] = ()
    """What a saved plan, to which this one was narrowed, had permitted to go, and is kept after all."""
    error: NbsweepError | None = None
    """What ended it, when it failed."""
    duration_s: float = 0.0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many removals came to which outcome."""
        return Counter(outcome(removal) for removal in self.removals)

    @property
    def problem(self) -> str:
        """Say what kept it from being finished; empty when nothing did."""
        if self.plan is None or self.error is not None:
            return str(self.error or "")
        if self.plan.refusal and self.outcome is Outcome.REFUSED:
            return self.plan.refusal.message
        return self.plan.unseen

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Why removals have failed, the most frequent cause first."""
        return causes_of((*self.recovered, *self.removals))

    @property
    def reclaimed_gb(self) -> int:
        """The size of the disks that are gone; a DEDICATED one stays."""
        return sum(removal.capacity_gb or 0 for removal in self.removals if removal.state is State.DELETED)
