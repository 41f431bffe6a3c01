"""The JSON document of `list`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from nbsweep.core.fleet import FleetRow
from nbsweep.core.judging.verdict import Decision, Reason
from nbsweep.core.marks.shown import ShownState
from nbsweep.core.model import MalformedRow, Notebook, Status
from nbsweep.core.planning.plan import Plan
from nbsweep.documents.base import Count, Document, Series, Time, moment_text
from nbsweep.documents.plans import RefusalDocument, refusal_documents


class FleetNotebookDocument(Document, frozen=True):
    """One notebook of the fleet. A row that cannot be read has only an ID and a name."""

    target: str
    id: str | None
    name: str | None
    status: Status | None
    owner: str | None
    workspace: str | None
    verdict: Decision
    because: Annotated[Reason, Meta(description="The reason of the verdict, in one word.")]
    policy: Annotated[str | None, Meta(description="The policy that decided.")]
    reason: Annotated[str, Meta(description="The reason of the verdict, with facts and thresholds.")]
    feature: str | None
    flavor: str | None
    capacity_gb: Count | None
    created_at: Time | None
    idle_since: Time | None
    mark: Annotated[ShownState | None, Meta(description="The state of its open mark.")]
    marked_at: Time | None
    due_at: Annotated[Time | None, Meta(description="The earliest time of the deletion; null until its owner is told.")]
    exempt_until: Annotated[Time | None, Meta(description="The end of the exemption that keeps it.")]
    goes_at: Annotated[
        Time | UnsetType | None, Meta(description="When the rules would let it go at the earliest. Only with `--within`.")
    ] = UNSET


class FleetTargetDocument(Document, frozen=True):
    """The survey of one target. A target that could not be surveyed has no fleet."""

    target: str
    fleet: Annotated[Count | None, Meta(description="Number of notebooks in the survey.")]
    listed: Annotated[Count, Meta(description="Number of notebooks that pass the filters.")]
    error: str | None


class FleetDocument(Document, frozen=True):
    """All notebooks that pass the filters of `list`."""

    created_at: Time
    notebooks: Collection[FleetNotebookDocument]
    refusals: Annotated[Sequence[RefusalDocument], Meta(description="The brakes that would refuse a sweep.")]
    targets: Sequence[FleetTargetDocument]


def fleet_document(
    created_at: datetime, plans: Sequence[Plan], rows: Sequence[FleetRow], errors: Mapping[str, str], *, timed: bool
) -> FleetDocument:
    """Return the document of a list; `timed` says whether the rows say when they go."""
    return FleetDocument(
        created_at=moment_text(created_at),
        notebooks=Series(lambda: (notebook_document(row, created_at, timed=timed) for row in rows)),
        refusals=refusal_documents(plans),
        targets=[
            *(
                FleetTargetDocument(plan.target, plan.fleet, sum(row.target == plan.target for row in rows), None)
                for plan in plans
            ),
            *(FleetTargetDocument(target, None, 0, message) for target, message in errors.items()),
        ],
    )


def notebook_document(row: FleetRow, now: datetime, *, timed: bool) -> FleetNotebookDocument:
    """Return the document of one notebook at a moment."""
    notebook, verdict = row.notebook, row.verdict
    seen = notebook if isinstance(notebook, Notebook) else None
    return FleetNotebookDocument(
        target=row.target,
        id=notebook.id,
        name=notebook.name,
        status=seen.status if seen else None,
        owner=seen.owner_label if seen else None,
        workspace=seen.workspace_id if seen else None,
        verdict=verdict.decision,
        because=verdict.reason,
        policy=row.policy,
        reason=notebook.problem if isinstance(notebook, MalformedRow) else verdict.sentence,
        feature=seen.feature if seen else None,
        flavor=seen.flavor if seen else None,
        capacity_gb=seen.volume.capacity_gb if seen and seen.volume else None,
        created_at=moment_text(seen.created_at) if seen else None,
        idle_since=moment_text(row.idle_since),
        mark=row.state(now),
        marked_at=moment_text(row.mark.marked_at) if row.mark else None,
        due_at=moment_text(row.due_at),
        exempt_until=moment_text(verdict.until) if verdict.reason is Reason.EXEMPT else None,
        goes_at=moment_text(row.goes_at) if timed else UNSET,
    )
