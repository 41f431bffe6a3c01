"""The report of one target's sweep."""

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from nbsweep.core.errors import NbsweepError
from nbsweep.core.lifecycle import Removal, State, outcome
from nbsweep.core.marks.shown import MarksWritten
from nbsweep.core.planning.cool_down import FailureCause, causes_of
from nbsweep.core.planning.plan import Plan
from nbsweep.core.runs import Outcome
from nbsweep.core.saved_plan.model import Spared


class Report(Struct, frozen=True):
    """The result of one target's sweep."""

    target: str
    outcome: Outcome
    plan: Plan | None = None
    removals: tuple[Removal, ...] = ()
    recovered: tuple[Removal, ...] = ()
    """Removals that an earlier run left unfinished, and this run brought to their ends first."""
    spared: tuple[Spared, ...] = ()
    """Notebooks that the saved plan permits to delete, and that are kept."""
    marks: MarksWritten | None = None
    """What was done to marks; None if they were left as they are, as in a dry run."""
    error: NbsweepError | None = None
    """The error that ended the sweep, if it failed."""
    duration_s: float = 0.0

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of removals by outcome."""
        return Counter(outcome(removal) for removal in self.removals)

    @property
    def problem(self) -> str:
        """Why the sweep is not a success; empty if it is one."""
        if self.plan is None or self.error is not None:
            return str(self.error or "")
        if self.plan.refusals and self.outcome is Outcome.REFUSED:
            return ". ".join(refusal.message for refusal in self.plan.refusals)
        return self.plan.unseen

    @property
    def causes(self) -> tuple[FailureCause, ...]:
        """Why removals have failed, the most frequent cause first."""
        return causes_of((*self.recovered, *self.removals))

    @property
    def reclaimed_gb(self) -> int:
        """The size of the deleted disks, in GB; a DEDICATED disk is not deleted."""
        return sum(removal.capacity_gb or 0 for removal in self.removals if removal.state is State.DELETED)
