"""The report of one target's sweep."""

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from nbsweep.core.errors import NbsweepError
from nbsweep.core.lifecycle import Removal, State, outcome
from nbsweep.core.marks.shown import MarksWritten
from nbsweep.core.planning.cool_down import FailureCause, causes_of
from nbsweep.core.planning.plan import Plan
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.reasons.statement_wordings import describe_statement
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
        if self.error is not None:
            return str(self.error)
        return self._between.join(map(describe_statement, self.statements))

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The same, for each language to render; empty for an error, which has only its English message."""
        if self.plan is None or self.error is not None:
            return ()
        return tuple(refusal.statement for refusal in self.plan.refusals) if self._is_refused else self.plan.unseen

    @property
    def _is_refused(self) -> bool:
        return self.plan is not None and bool(self.plan.refusals) and self.outcome is Outcome.REFUSED

    @property
    def _between(self) -> str:
        return ". " if self._is_refused else "; "

    @property
    def causes(self) -> tuple[FailureCause, ...]:
        """Why removals have failed, the most frequent cause first."""
        return causes_of((*self.recovered, *self.removals))

    @property
    def reclaimed_gb(self) -> int:
        """The size of the deleted disks, in GB; a DEDICATED disk is not deleted."""
        return sum(removal.capacity_gb or 0 for removal in self.removals if removal.state is State.DELETED)
