"""Who wants a sweep, and what it came to."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.cool_down import Cause, causes_of
from nbsweep.core.errors import NbsweepError
from nbsweep.core.lifecycle import Removal, State, outcome
from nbsweep.core.plan import Candidate, Plan
from nbsweep.core.ports import Ports
from nbsweep.core.runs import Outcome, RunRecord
from nbsweep.core.saved_plan.model import Spared

Approve = Callable[[Plan, Sequence[Spared]], Awaitable[bool]]
"""Asked once, with a plan that is not empty and that no brake refused, and with what a saved plan had permitted besides.

False ends the sweep before the first change.
"""


class Run(Struct, frozen=True):
    """Who wants a sweep, and in which run."""

    run_id: str
    started_by: str
    dry_run: bool


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


def planned_removal(run_id: str, plan: Plan, item: Candidate) -> Removal:
    """Begin the way of one planned notebook."""
    notebook = item.notebook
    return Removal(
        run_id=run_id,
        target=plan.target,
        notebook_id=notebook.id,
        name=notebook.label,
        owner=notebook.owner_label,
        workspace_id=item.scope.workspace_id,
        feature=item.scope.feature,
        policy=item.verdict.rule,
        reason=item.verdict.sentence,
        status_before=notebook.status,
        capacity_gb=notebook.volume.reclaimable_gb if notebook.volume else None,
        category=notebook.volume.category if notebook.volume else None,
        planned_at=plan.created_at,
        project=plan.project,
    )


def leading_error(error: NbsweepError | ExceptionGroup[Exception]) -> NbsweepError:
    """Find the error that ended a sweep among those that several tasks raised.

    Raises:
        ExceptionGroup: there is a bug among them.
    """
    found = list(_leaves(error))
    ours = [leaf for leaf in found if isinstance(leaf, NbsweepError)]
    if len(ours) < len(found):
        raise error
    return ours[0]


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def describe_bug(bug: Exception) -> str:
    """Say what kind of bug, or which several, a sweep has run into."""
    return "; ".join(f"{type(leaf).__name__}: {leaf}" for leaf in _leaves(bug))


def ended_record(record: RunRecord, report: Report, ports: Ports) -> RunRecord:
    """Give the record of a run as it is at its end."""
    plan = report.plan
    return replace(
        record,
        ended_at=ports.clock.now(),
        outcome=report.outcome,
        problem=report.problem,
        fleet=plan.fleet if plan else 0,
        planned=len(plan.items) if plan else 0,
        kept={reason.value: count for reason, count in plan.kept.items()} if plan else {},
        lanes=ports.cloud.lanes_state(),
    )
