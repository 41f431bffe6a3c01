"""Builds a saved plan from a plan."""

from nbsweep.core.identity import TargetIdentity
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.core.saved_plan.evidence import evidence_of
from nbsweep.core.saved_plan.model import SavedItem, SavedTarget


def saved_target(plan: Plan, identity: TargetIdentity) -> SavedTarget:
    """Return one target's plan as a saved one, with the evidence for each verdict."""
    refusals = [refusal.sentence for refusal in plan.refusals]
    return SavedTarget(
        target=plan.target,
        identity=identity,
        fleet=plan.fleet,
        refusal=". ".join(refusals) or None,
        kept={reason.value: count for reason, count in plan.kept.items()},
        items=tuple(_item(candidate) for candidate in plan.items),
        project=plan.project,
        excluded=plan.excluded,
        policies=plan.policies,
    )


def _item(candidate: Candidate) -> SavedItem:
    notebook, verdict = candidate.notebook, candidate.verdict
    return SavedItem(
        id=notebook.id,
        name=notebook.name,
        status=notebook.status.value,
        owner=notebook.owner_label,
        workspace=candidate.scope.workspace_id,
        feature=candidate.scope.feature,
        policy=verdict.rule,
        reason=verdict.sentence,
        stop_first=verdict.stop_first,
        evidence=evidence_of(notebook, verdict, candidate.idle_since),
    )
