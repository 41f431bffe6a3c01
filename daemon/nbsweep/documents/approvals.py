"""The JSON documents of plans that are approved and carried out."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from nbsweep.core.saved_plan.approval import ApprovedPlan
from nbsweep.documents.base import Count, Document, Time, moment_text

Digest = Annotated[str, Meta(description="The digest of the plan's document: what is approved is exactly this plan.")]


class DraftItemDocument(Document, frozen=True):
    """A notebook of a plan."""

    id: Annotated[str, Meta(description="The ID of the notebook.")]
    name: str
    owner: str
    status: str
    policy: str
    reason: Annotated[str, Meta(description="Why the policy matches, with facts and thresholds.")]


class DraftDocument(Document, frozen=True):
    """The last plan that was made of a target here, with one page of its notebooks."""

    target: str
    plan_id: str
    digest: Digest
    made_at: Time
    made_by: str
    expires_at: Annotated[Time, Meta(description="Until when it may be approved and carried out.")]
    fleet: Count
    planned: Count
    refusals: Annotated[Sequence[str], Meta(description="Why brakes refuse it; then it cannot be approved.")]
    excluded: Annotated[Sequence[str], Meta(description="The IDs of the notebooks that were excluded from it.")]
    items: Sequence[DraftItemDocument]
    next_offset: Annotated[Count | None, Meta(description="The offset of the next page; null on the last one.")]


class ApprovalDocument(Document, frozen=True):
    """The request to approve a plan."""

    digest: Annotated[Digest, Meta(max_length=100)]


class ExclusionDocument(Document, frozen=True):
    """The request to exclude notebooks from a plan, and from no other."""

    digest: Annotated[Digest, Meta(max_length=100)]
    notebook_ids: Annotated[Sequence[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=100)]


class ApprovedPlanDocument(Document, frozen=True):
    """An approved plan. It is carried out once."""

    plan_id: str
    target: str
    digest: Digest
    made_at: Time
    expires_at: Time
    notebooks: Annotated[Count, Meta(description="Number of notebooks that it permits to delete.")]
    approved_at: Time
    approved_by: str
    carried_out_at: Annotated[Time | None, Meta(description="When a sweep was about to delete by it.")]
    carried_out_by: str | None
    run_id: str | None


class ApprovedPlansDocument(Document, frozen=True):
    """The latest approved plans, the newest first."""

    plans: Sequence[ApprovedPlanDocument]


class ChangedNotebookDocument(Document, frozen=True):
    """A notebook that is new, or would be kept."""

    id: Annotated[str, Meta(description="The ID of the notebook.")]
    name: str
    owner: str
    reason: str


class PlanChangesDocument(Document, frozen=True):
    """What has changed since a plan was approved."""

    plan_id: str
    compared_at: Time
    still: Annotated[Count, Meta(description="Number of notebooks of the plan that would be deleted now.")]
    kept: Annotated[Sequence[ChangedNotebookDocument], Meta(description="Notebooks of the plan that would be kept now.")]
    new: Annotated[Sequence[ChangedNotebookDocument], Meta(description="Notebooks that only a plan of now has.")]
    refusals: Annotated[Sequence[str], Meta(description="Why brakes refuse a plan of now.")]


def approved_document(plan: ApprovedPlan) -> ApprovedPlanDocument:
    """Return the document of an approved plan."""
    return ApprovedPlanDocument(
        plan_id=plan.plan_id,
        target=plan.target,
        digest=plan.digest,
        made_at=moment_text(plan.created_at),
        expires_at=moment_text(plan.expires_at),
        notebooks=plan.notebooks,
        approved_at=moment_text(plan.approved_at),
        approved_by=plan.approved_by,
        carried_out_at=moment_text(plan.carried_out_at),
        carried_out_by=plan.carried_out_by or None,
        run_id=plan.run_id or None,
    )
