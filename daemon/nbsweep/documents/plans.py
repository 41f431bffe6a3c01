"""The JSON documents of plans, for the command line and the HTTP API. No source record has a field for a secret."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from nbsweep.core.model import Status
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.documents.base import Count, Counts, Document, Series, Time, add_counts, moment_text
from nbsweep.documents.people.marking import MarkingDocument, ToMarkDocument, marking_document, to_mark_documents


class RefusalDocument(Document, frozen=True):
    """The brake that refused the plan of a target."""

    target: str
    brake: Annotated[str, Meta(description="The configuration key of the brake, below `brakes`.")]
    message: str


class ItemDocument(Document, frozen=True):
    """One planned notebook."""

    target: str
    id: Annotated[str, Meta(description="The ID of the notebook.")]
    name: str | None
    status: Status
    owner: str
    workspace: str
    policy: str
    reason: Annotated[str, Meta(description="Why the policy matches, with facts and thresholds.")]
    stop_first: Annotated[bool, Meta(description="Whether the notebook runs, and is stopped before it is deleted.")]
    feature: str | None
    flavor: str | None
    capacity_gb: Count | None
    category: str | None
    ownership: str | None
    created_at: Time | None
    idle_since: Time | None
    action: Literal["delete"] = "delete"


class UnlistedWorkspaceDocument(Document, frozen=True):
    """A workspace that could not be listed; none of its notebooks is planned."""

    workspace: str
    feature: str
    problem: str


class MalformedRowDocument(Document, frozen=True):
    """A row of the listing that could not be read; its notebook is kept."""

    id: str | None
    name: str | None
    problem: str


class ExcludedDocument(Document, frozen=True):
    """A notebook that was excluded from the plan."""

    id: str
    name: str | None
    by: Annotated[str, Meta(description="The person who excluded it.")]


class RuleMatchDocument(Document, frozen=True):
    """How many notebooks one rule matches, whichever rule decides."""

    kind: Literal["policy", "protection"]
    name: str
    notebooks: Count


class TargetPlanDocument(Document, frozen=True, kw_only=True):
    """The plan of one target. If the target could not be planned, only `target` and `error` are present."""

    target: str
    fleet: Annotated[Count | UnsetType, Meta(description="Number of notebooks in the survey.")] = UNSET
    planned: Count | UnsetType = UNSET
    refusal: RefusalDocument | UnsetType | None = UNSET
    trimmed: Annotated[str | UnsetType | None, Meta(description="What the brakes have cut from the plan.")] = UNSET
    kept: Annotated[Counts | UnsetType, Meta(description="Number of kept notebooks, by reason.")] = UNSET
    workspaces_refused: Sequence[UnlistedWorkspaceDocument] | UnsetType = UNSET
    malformed: Sequence[MalformedRowDocument] | UnsetType = UNSET
    excluded: Sequence[ExcludedDocument] | UnsetType = UNSET
    policies: Annotated[
        Sequence[str] | UnsetType, Meta(description="The policies that the plan is restricted to; empty for all.")
    ] = UNSET
    rules: Annotated[
        Sequence[RuleMatchDocument] | UnsetType,
        Meta(description="How many notebooks each rule matches; absent if that was not counted."),
    ] = UNSET
    next_window: Annotated[
        Time | UnsetType | None, Meta(description="When the next window opens, of notebooks that wait for one.")
    ] = UNSET
    marks: Annotated[
        MarkingDocument | UnsetType, Meta(description="What the sweep does to marks, and how many are open besides.")
    ] = UNSET
    error: str | None


class PlanDocument(Document, frozen=True):
    """A plan, for all targets together and for each target."""

    plan_id: str
    created_at: Time
    refusal: Annotated[RefusalDocument | None, Meta(description="The first refusal.")]
    refusals: Annotated[Sequence[RefusalDocument], Meta(description="All refusals, of all targets.")]
    items: Collection[ItemDocument]
    to_mark: Annotated[
        Collection[ToMarkDocument], Meta(description="The notebooks that are marked, and whose owners are then told.")
    ]
    kept: Annotated[Counts, Meta(description="Number of kept notebooks, by reason.")]
    targets: Sequence[TargetPlanDocument]


def plan_document(plan_id: str, created_at: datetime, plans: Sequence[Plan], errors: Mapping[str, str]) -> PlanDocument:
    """Return the document of a plan, for all targets together and for each target."""
    return PlanDocument(
        plan_id=plan_id,
        created_at=moment_text(created_at),
        refusal=next(filter(None, map(refusal_document, plans)), None),
        refusals=refusal_documents(plans),
        items=Series(lambda: (item_document(plan.target, item) for plan in plans for item in plan.items)),
        to_mark=to_mark_documents(plans),
        kept=add_counts(plan.kept for plan in plans),
        targets=[
            *map(_target_plan, plans),
            *(TargetPlanDocument(target=target, error=message) for target, message in errors.items()),
        ],
    )


def item_document(target: str, item: Candidate) -> ItemDocument:
    """Return the document of one planned notebook."""
    notebook = item.notebook
    volume = notebook.volume
    return ItemDocument(
        target=target,
        id=notebook.id,
        name=notebook.name,
        status=notebook.status,
        owner=notebook.owner_label,
        workspace=item.scope.workspace_id,
        policy=item.verdict.rule,
        reason=item.verdict.sentence,
        stop_first=item.verdict.stop_first,
        feature=notebook.feature,
        flavor=notebook.flavor,
        capacity_gb=volume.capacity_gb if volume else None,
        category=volume.category if volume else None,
        ownership=volume.ownership if volume else None,
        created_at=moment_text(notebook.created_at),
        idle_since=moment_text(item.idle_since),
    )


def refusal_document(plan: Plan) -> RefusalDocument | None:
    """Return the document of the first brake that refused a plan, or None."""
    return next(iter(refusal_documents([plan])), None)


def refusal_documents(plans: Iterable[Plan]) -> list[RefusalDocument]:
    """Return the documents of all brakes that refused one of these plans."""
    return [RefusalDocument(plan.target, each.brake, each.message) for plan in plans for each in plan.refusals]


def unlisted_workspaces(plan: Plan) -> list[UnlistedWorkspaceDocument]:
    """Return the documents of the workspaces that could not be listed."""
    return [UnlistedWorkspaceDocument(gap.scope.workspace_id, gap.scope.feature, gap.problem) for gap in plan.refused]


def _target_plan(plan: Plan) -> TargetPlanDocument:
    return TargetPlanDocument(
        target=plan.target,
        fleet=plan.fleet,
        planned=len(plan.items),
        refusal=refusal_document(plan),
        trimmed=plan.trimmed or None,
        kept=add_counts([plan.kept]),
        workspaces_refused=unlisted_workspaces(plan),
        malformed=[MalformedRowDocument(row.id, row.name, row.problem) for row in plan.malformed],
        excluded=[ExcludedDocument(each.id, each.name, each.by) for each in plan.excluded],
        policies=plan.policies,
        rules=[RuleMatchDocument(each.kind, each.name, each.notebooks) for each in plan.matched] or UNSET,
        next_window=moment_text(plan.opens_at),
        marks=marking_document(plan),
        error=None,
    )
