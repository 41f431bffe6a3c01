"""A run's identity, and the report of one target's sweep."""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.errors import NbsweepError
from nbsweep.core.lifecycle import Removal
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.core.ports import Ports
from nbsweep.core.reasons.statement_wordings import with_sentence
from nbsweep.core.report import Report
from nbsweep.core.runs import RunRecord
from nbsweep.core.saved_plan.model import Spared

Approve = Callable[[Plan, Sequence[Spared]], Awaitable[bool]]
"""Called once with a plan that is not empty and not refused, and with what a saved plan permits besides.

False ends the sweep before the first change.
"""


class Run(Struct, frozen=True):
    """The identity of a run: its id, who or what started it, and whether it is a dry run."""

    run_id: str
    started_by: str
    dry_run: bool
    overrides: str = ""
    """The options by which the run sets aside `mode` or a pause; empty if it sets nothing aside."""


def planned_removal(run_id: str, plan: Plan, item: Candidate) -> Removal:
    """Return the removal of a planned notebook, in its first state."""
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
    """Return the error that ended a sweep, of those that several tasks raised.

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
    """Return the kinds and messages of the bugs in an exception."""
    return "; ".join(f"{type(leaf).__name__}: {leaf}" for leaf in _leaves(bug))


def ended_record(record: RunRecord, report: Report, ports: Ports) -> RunRecord:
    """Return the record of a run at its end."""
    plan = report.plan
    return replace(
        record,
        ended_at=ports.clock.now(),
        outcome=report.outcome,
        problem=report.problem,
        statements=tuple(map(with_sentence, report.statements)) or None,
        fleet=plan.fleet if plan else 0,
        planned=plan.planned if plan else 0,
        kept={reason.value: count for reason, count in plan.kept.items()} if plan else {},
        lanes=ports.cloud.lanes_state(),
    )
