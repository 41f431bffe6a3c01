"""The JSON documents of `run` and `run --dry-run`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from nbsweep.core.planning.cool_down import FailureCause
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.core.saved_plan.model import Spared
from nbsweep.documents.base import Count, Counts, Document, Series, Time, add_counts
from nbsweep.documents.people.marking import ToMarkDocument
from nbsweep.documents.plans import (
    ItemDocument,
    RefusalDocument,
    TargetPlanDocument,
    UnlistedWorkspaceDocument,
    plan_document,
    refusal_document,
    refusal_documents,
    unlisted_workspaces,
)
from nbsweep.documents.runs import RemovalDocument, removal_series


class FailureDocument(Document, frozen=True):
    """A cause of failed removals, with one of the notebooks as an example."""

    target: str
    cause: str
    notebooks: Count
    example: str


class TargetReportDocument(Document, frozen=True):
    """The result of one target's sweep. A target without a survey has no fleet."""

    target: str
    outcome: Outcome
    fleet: Count | None
    planned: Count | None
    counts: Counts
    kept: Counts
    refusal: RefusalDocument | None
    workspaces_refused: Sequence[UnlistedWorkspaceDocument]
    trimmed: str | None
    reclaimed_gb: Count
    marked: Annotated[Count | None, Meta(description="Number of new marks; null if marks were left as they are.")]
    cleared: Annotated[Count | None, Meta(description="Number of cleared marks; null if marks were left as they are.")]
    error: str | None


class MessagesDocument(Document, frozen=True):
    """What was sent at the end of a run."""

    told: Annotated[Count, Meta(description="Number of marked notebooks whose owners were told.")]
    sent: Annotated[Count, Meta(description="Number of messages that a channel has accepted.")]
    not_accepted: Annotated[Count, Meta(description="Number of attempts that were not accepted; `nbsweep outbox` lists them.")]


class ReportDocument(Document, frozen=True):
    """The result of every planned notebook, and of the removals that an earlier run left."""

    run_id: str
    counts: Counts
    results: Collection[RemovalDocument]
    recovered: Collection[RemovalDocument]
    failures: Sequence[FailureDocument]
    refusal: RefusalDocument | None
    refusals: Sequence[RefusalDocument]
    kept: Counts
    targets: Sequence[TargetReportDocument]
    messages: Annotated[
        MessagesDocument | UnsetType, Meta(description="What was sent; absent if the configuration has no channels.")
    ] = UNSET
    saved_plan: str | UnsetType = UNSET


class SparedDocument(Document, frozen=True):
    """A notebook that a saved plan permits to delete and that a run would keep."""

    target: str
    id: str
    name: str | None
    outcome: Literal["spared"]
    reason: str
    policy: str
    planned_because: str
    owner: str
    workspace: str


class DryRunDocument(Document, frozen=True):
    """The keys of a run without results, and those of a plan."""

    run_id: str
    dry_run: Literal[True]
    counts: Counts
    results: Sequence[RemovalDocument]
    spared: Collection[SparedDocument]
    plan_id: str
    created_at: Time
    refusal: RefusalDocument | None
    refusals: Sequence[RefusalDocument]
    items: Collection[ItemDocument]
    to_mark: Collection[ToMarkDocument]
    kept: Counts
    targets: Sequence[TargetPlanDocument]
    saved_plan: str | UnsetType = UNSET


def report_document(
    run_id: str, reports: Sequence[Report], saved_plan: str | None = None, messages: MessagesDocument | None = None
) -> ReportDocument:
    """Return the document of a run, which may carry out a saved plan."""
    plans = [report.plan for report in reports if report.plan]
    return ReportDocument(
        run_id=run_id,
        counts=add_counts(report.counts for report in reports),
        results=removal_series(*(report.removals for report in reports)),
        recovered=removal_series(*(report.recovered for report in reports)),
        failures=[_failure(report.target, cause) for report in reports for cause in report.causes],
        refusal=next(filter(None, map(refusal_document, plans)), None),
        refusals=refusal_documents(plans),
        kept=add_counts(plan.kept for plan in plans),
        targets=[_target_report(report) for report in reports],
        messages=messages or UNSET,
        saved_plan=saved_plan or UNSET,
    )


def dry_run_document(
    run_id: str, created_at: datetime, reports: Sequence[Report], saved_plan: str | None = None
) -> DryRunDocument:
    """Return the document of a dry run, which may be of a saved plan."""
    plans = [report.plan for report in reports if report.plan]
    plan = plan_document(run_id, created_at, plans, {report.target: str(report.error) for report in reports if report.error})
    return DryRunDocument(
        run_id=run_id,
        dry_run=True,
        counts={"planned": sum(len(each.items) for each in plans)},
        results=(),
        spared=Series(lambda: (spared_document(report.target, each) for report in reports for each in report.spared)),
        plan_id=plan.plan_id,
        created_at=plan.created_at,
        refusal=plan.refusal,
        refusals=plan.refusals,
        items=plan.items,
        to_mark=plan.to_mark,
        kept=plan.kept,
        targets=plan.targets,
        saved_plan=saved_plan or UNSET,
    )


def spared_document(target: str, spared: Spared) -> SparedDocument:
    """Return the document of a notebook that a saved plan permits to delete and that a run would keep."""
    item = spared.item
    return SparedDocument(
        target=target,
        id=item.id,
        name=item.name,
        outcome="spared",
        reason=spared.why,
        policy=item.policy,
        planned_because=item.reason,
        owner=item.owner,
        workspace=item.workspace,
    )


def _failure(target: str, cause: FailureCause) -> FailureDocument:
    return FailureDocument(target, cause.cause, len(cause.removals), cause.example.notebook_id)


def _target_report(report: Report) -> TargetReportDocument:
    plan = report.plan
    return TargetReportDocument(
        target=report.target,
        outcome=report.outcome,
        fleet=plan.fleet if plan else None,
        planned=plan.planned if plan else None,
        counts=dict(report.counts),
        kept=add_counts([plan.kept]) if plan else {},
        refusal=refusal_document(plan) if plan else None,
        workspaces_refused=unlisted_workspaces(plan) if plan else (),
        trimmed=(plan.trimmed or None) if plan else None,
        reclaimed_gb=report.reclaimed_gb,
        marked=report.marks.made if report.marks else None,
        cleared=report.marks.cleared if report.marks else None,
        error=str(report.error) if report.error else None,
    )
