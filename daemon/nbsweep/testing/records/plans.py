"""The approved plans in memory."""

import asyncio
from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.audit.acts import Act, entry_of_act
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.model import require_aware
from nbsweep.core.saved_plan.approval import ApprovedPlan
from nbsweep.testing.records.trail import InMemoryTrail


class InMemoryPlans:
    """The `PlanRecords` port."""

    def __init__(self, trail: InMemoryTrail) -> None:
        """Begin without plans; `trail` gets their entries."""
        self._trail = trail
        self._plans: dict[str, tuple[ApprovedPlan, bytes]] = {}

    async def approve(self, plan: ApprovedPlan, document: bytes) -> bool:
        """Record an approval and its document."""
        await asyncio.sleep(0)
        for moment in (plan.created_at, plan.expires_at, plan.approved_at):
            require_aware(moment)
        if plan.plan_id in self._plans:
            return False
        self._note(AuditStep.APPROVED, plan, plan.approved_at, plan.approved_by)
        self._plans[plan.plan_id] = plan, document
        return True

    async def plans(self, limit: int, target: str | None = None) -> tuple[ApprovedPlan, ...]:
        """List the latest approved plans, the newest first."""
        await asyncio.sleep(0)
        found = [plan for plan, _ in self._plans.values() if target in (None, plan.target)]
        return tuple(sorted(found, key=lambda plan: (plan.approved_at, plan.plan_id), reverse=True)[:limit])

    async def find(self, plan_id: str) -> ApprovedPlan | None:
        """Return an approved plan."""
        await asyncio.sleep(0)
        return self._plans[plan_id][0] if plan_id in self._plans else None

    async def document(self, plan_id: str) -> bytes | None:
        """Return the document of an approved plan."""
        await asyncio.sleep(0)
        return self._plans[plan_id][1] if plan_id in self._plans else None

    async def begin(self, plan_id: str, at: datetime, by: str, run_id: str) -> bool:
        """Record that a plan is about to be carried out."""
        await asyncio.sleep(0)
        plan, document = self._plans.get(plan_id, (None, b""))
        if plan is None or not plan.is_open(require_aware(at)):
            return False
        begun = replace(plan, carried_out_at=at, carried_out_by=by, run_id=run_id)
        self._note(AuditStep.CARRIED_OUT, begun, at, by)
        self._plans[plan_id] = begun, document
        return True

    async def forget(self, before: datetime) -> None:
        """Remove the plans that expired before a moment."""
        self._plans = {key: each for key, each in self._plans.items() if each[0].expires_at >= require_aware(before)}
        await asyncio.sleep(0)

    def _note(self, step: AuditStep, plan: ApprovedPlan, at: datetime, by: str) -> None:
        act = Act(step, plan.target, at, by, str(plan), plan.run_id)
        self._trail.extend([entry_of_act(act, 0)])
