"""A sweep by a saved plan: narrows its own survey and verdicts to the plan, and records the notebooks that are spared."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from nbsweep.core import lifecycle
from nbsweep.core.errors import ConfigurationError
from nbsweep.core.events.removal import RemovalFinished
from nbsweep.core.events.sweep import PlanNarrowed
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.lifecycle import Removal
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Ports
from nbsweep.core.reasons.keeping import encode_cause
from nbsweep.core.saved_plan.model import SavedTarget, Spared
from nbsweep.core.saved_plan.narrow import Permission, left_out_of_plan
from nbsweep.core.saved_plan.validate import expired, of_another_project


class PlanConstraint(Struct, frozen=True):
    """What a saved plan permits on one target."""

    source: str
    """Where the plan came from, for messages."""
    plan_id: str
    expires_at: datetime
    saved: SavedTarget

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the notebooks that the plan permits to delete."""
        return frozenset(item.id for item in self.saved.items)

    @property
    def never_stop(self) -> frozenset[str]:
        """The ids of the notebooks that the plan does not permit to stop: they were at rest when it was made."""
        return frozenset(item.id for item in self.saved.items if not item.stop_first)


def describe_narrowing(constraint: PlanConstraint, permission: Permission) -> PlanNarrowed:
    """Return the event for what a saved plan leaves of the current survey, before the brakes."""
    survey = permission.survey
    not_in_plan = survey.kept.get(Reason.NOT_IN_PLAN, 0)
    return PlanNarrowed(constraint.plan_id, len(survey.candidates), not_in_plan, len(permission.spared))


def spared_of(constraint: PlanConstraint, permission: Permission, plan: Plan) -> tuple[Spared, ...]:
    """Return the notebooks that the saved plan permits to delete and the current plan keeps.

    If the current plan is refused, the result is empty: nothing is deleted, and a missing notebook may only be unseen.
    """
    if plan.refusal:
        return ()
    planned = {item.notebook.id for item in plan.items}
    return (*permission.spared, *left_out_of_plan(constraint.saved.items, permission, planned, plan.cooling))


def require_valid(constraint: PlanConstraint, identity: TargetIdentity, now: datetime) -> None:
    """Check that the plan has not expired during recovery and survey, and that it is about this project.

    Raises:
        ConfigurationError: the plan has expired, or is about another project.
    """
    if problem := expired(constraint.expires_at, now) or of_another_project(constraint.saved, identity):
        raise ConfigurationError(constraint.source, (problem,))


async def record_spared(ports: Ports, run_id: str, plan: Plan, spared: Iterable[Spared]) -> tuple[Removal, ...]:
    """Write the spared notebooks to the journal, each with its reason, and emit their events.

    Raises:
        JournalError: the journal cannot be written; nothing may be deleted then.
    """
    now = ports.clock.now()
    removals = tuple(lifecycle.spare(_planned(run_id, plan, each), now, each.why, encode_cause(each.cause)) for each in spared)
    if removals:
        await ports.journal.write(removals)
    for removal in removals:
        with ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
            ports.telemetry.emit(RemovalFinished.of(removal))
    return removals


def _planned(run_id: str, plan: Plan, spared: Spared) -> Removal:
    item = spared.item
    volume = item.evidence.volume
    return Removal(
        run_id=run_id,
        target=plan.target,
        notebook_id=item.id,
        name=item.name or item.id,
        owner=item.owner,
        workspace_id=item.workspace,
        feature=item.feature,
        policy=item.policy,
        reason=item.reason,
        status_before=item.evidence.status,
        capacity_gb=volume.reclaimable_gb if volume else None,
        category=volume.category if volume else None,
        planned_at=plan.created_at,
        project=plan.project,
    )
