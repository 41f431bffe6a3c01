"""The JSON documents of what a sweep does to marks, as parts of plans and reports."""

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from nbsweep.core.calendar.length import describe_length
from nbsweep.core.marks.shown import MarkTotals
from nbsweep.core.model import Status
from nbsweep.core.notices.deadlines import earliest_deadline
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.documents.base import Count, Document, Series, Time, moment_text


class ToMarkDocument(Document, frozen=True):
    """One notebook that the sweep marks, and whose owner is then told. It is not deleted yet."""

    target: str
    id: Annotated[str, Meta(description="The ID of the notebook.")]
    name: str | None
    status: Status
    owner: str
    workspace: str
    policy: str
    reason: Annotated[str, Meta(description="Why the policy matches, with facts and thresholds.")]
    grace: Annotated[str, Meta(description="The time between notice and deletion, such as 7d.")]
    surveys: Annotated[Count, Meta(description="Number of complete surveys in a row that must agree before anybody is told.")]
    tell: Annotated[Sequence[str], Meta(description="Who is told: `owner`, or names of channels.")]
    earliest_due_at: Annotated[Time, Meta(description="The earliest time of the deletion if the notice is accepted now.")]
    capacity_gb: Count | None
    created_at: Time | None
    idle_since: Time | None
    action: Literal["mark"] = "mark"


class MarkTotalsDocument(Document, frozen=True):
    """The number of open marks in each state."""

    marked: Annotated[Count, Meta(description="Marks about which nobody has been told yet.")]
    told: Count
    due: Count
    untold: Annotated[Count, Meta(description="Number of the marked whose owners could not be told.")]
    retried: Annotated[Count, Meta(description="Number of the untold for whom another attempt follows by itself.")]
    held_out: Annotated[Count, Meta(description="Marks whose deadline has passed, and which the holdout keeps.")]
    exempt: Annotated[Count, Meta(description="Marks whose notebooks were exempted, so that the next sweep clears them.")]
    next_due_at: Time | None


class MarkRefusalDocument(Document, frozen=True):
    """A brake that refuses new marks."""

    brake: Annotated[str, Meta(description="The configuration key of the brake, below `brakes`.")]
    message: str


class MarkingDocument(Document, frozen=True):
    """What the sweep of one target does to marks, and the marks that are open besides."""

    to_mark: Count
    to_clear: Count
    waiting: Annotated[Count, Meta(description="Notebooks that a limit or a brake leaves to a later sweep.")]
    open: MarkTotalsDocument
    refusals: Sequence[MarkRefusalDocument]


def to_mark_documents(plans: Sequence[Plan]) -> Collection[ToMarkDocument]:
    """Return the documents of the notebooks that the sweeps of these plans mark."""

    def documents() -> Iterator[ToMarkDocument]:
        for plan in plans:
            for item in plan.to_mark:
                yield to_mark_document(plan, item)

    return Series(documents)


def to_mark_document(plan: Plan, item: Candidate) -> ToMarkDocument:
    """Return the document of a notebook that a sweep marks."""
    notebook, grace = item.notebook, plan.marks.graces[item.verdict.rule]
    return ToMarkDocument(
        target=plan.target,
        id=notebook.id,
        name=notebook.name,
        status=notebook.status,
        owner=notebook.owner_label,
        workspace=item.scope.workspace_id,
        policy=item.verdict.rule,
        reason=item.verdict.sentence,
        grace=describe_length(grace.lasts),
        surveys=grace.surveys,
        tell=grace.tell,
        earliest_due_at=moment_text(earliest_deadline(grace, plan.created_at)),
        capacity_gb=notebook.volume.capacity_gb if notebook.volume else None,
        created_at=moment_text(notebook.created_at),
        idle_since=moment_text(item.idle_since),
    )


def marking_document(plan: Plan) -> MarkingDocument:
    """Return the document of what a sweep does to marks."""
    marks = plan.marks
    return MarkingDocument(
        to_mark=len(plan.to_mark),
        to_clear=marks.to_clear,
        waiting=marks.waiting,
        open=mark_totals_document(marks.totals),
        refusals=[MarkRefusalDocument(each.brake, each.message) for each in marks.refusals],
    )


def mark_totals_document(totals: MarkTotals) -> MarkTotalsDocument:
    """Return the document of the number of open marks."""
    return MarkTotalsDocument(
        marked=totals.marked,
        told=totals.told,
        due=totals.due,
        untold=totals.untold,
        retried=totals.retried,
        held_out=totals.held_out,
        exempt=totals.exempt,
        next_due_at=moment_text(totals.next_due),
    )
