"""A sweep by a saved plan: its own survey and verdicts, narrowed to what that plan permits, and who is spared on record."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core import lifecycle
from nbsweep.core.brakes import Brakes
from nbsweep.core.errors import ConfigurationError
from nbsweep.core.events import RemovalFinished
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import MalformedRow, Notebook
from nbsweep.core.permission import Deciding, left_out_of_plan, permit
from nbsweep.core.plan import Circumstances, Plan, Survey, build_plan
from nbsweep.core.plan_events import PlanNarrowed
from nbsweep.core.plan_objections import expired, of_another_project
from nbsweep.core.policy import Reason
from nbsweep.core.ports import Ports
from nbsweep.core.saved_plan import SavedTarget, Spared


class Permit(Struct, frozen=True):
    """What a saved plan permits on one target."""

    source: str
    """Where the plan came from, for people."""
    plan_id: str
    expires_at: datetime
    saved: SavedTarget

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all that it permits."""
        return frozenset(item.id for item in self.saved.items)

    @property
    def never_stop(self) -> frozenset[str]:
        """Those that were at rest when it was made, and of which it does not say that they may be stopped."""
        return frozenset(item.id for item in self.saved.items if not item.stop_first)


class Limits(Struct, frozen=True):
    """What else binds on a plan."""

    brakes: Brakes
    circumstances: Circumstances


def narrowed_plan(
    survey: Survey, limits: Limits, permit_: Permit, sights: Mapping[str, Notebook | MalformedRow], deciding: Deciding
) -> tuple[Plan, PlanNarrowed]:
    """Plan what may go today and was permitted then; the brakes bind over what is left.

    Nobody is called spared where the plan is refused: then nothing goes at all, and what is missing may only be unseen.
    """
    items = permit_.saved.items
    permission = permit(survey, items, sights, deciding)
    plan = build_plan(permission.survey, limits.brakes, limits.circumstances)
    left_out = permission.survey.kept.get(Reason.NOT_IN_PLAN, 0)
    told = PlanNarrowed(permit_.plan_id, len(permission.survey.candidates), left_out, len(permission.spared))
    if plan.refusal:
        return plan, told
    planned = {item.notebook.id for item in plan.items}
    left = left_out_of_plan(items, permission, planned, plan.cooling)
    return replace(plan, spared=(*permission.spared, *left)), told


def require_valid(permit_: Permit, identity: TargetIdentity, now: datetime) -> None:
    """Go on only while the plan holds, for recovery and the survey may have taken long, and for its own project only.

    Raises:
        ConfigurationError: it has expired, or is another project's.
    """
    if problem := expired(permit_.expires_at, now) or of_another_project(permit_.saved, identity):
        raise ConfigurationError(permit_.source, (problem,))


async def record_spared(ports: Ports, run_id: str, plan: Plan) -> tuple[Removal, ...]:
    """Write down whom the saved plan had permitted to go and who is kept after all, each with its reason, and tell it.

    Raises:
        JournalError: that cannot be written; then nothing may be deleted either.
    """
    now = ports.clock.now()
    removals = tuple(lifecycle.spare(_planned(run_id, plan, spared), now, spared.why) for spared in plan.spared)
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
