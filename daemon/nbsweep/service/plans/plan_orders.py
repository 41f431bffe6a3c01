"""An order to carry out an approved plan: a sweep of one target, narrowed to the plan, at most once."""

import dataclasses
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.planning.plan import Plan
from nbsweep.core.report import Report
from nbsweep.core.saved_plan.model import Spared
from nbsweep.engine.report import Run
from nbsweep.engine.saved_plan import PlanConstraint
from nbsweep.engine.sweep import Sweeper


class PlanOrder(Struct, frozen=True):
    """An order of somebody."""

    constraint: PlanConstraint
    by: str
    """Who carries the plan out, and by which way."""

    async def sweep(self, sweeper: Sweeper, run: Run) -> Report:
        """Sweep by the plan; the errors are in the report.

        The plan is used up at the last moment before the first change: not by a dry run, a refusal, or a failed survey.
        """
        narrowed = dataclasses.replace(sweeper, permit=self.constraint)
        narrowed.known = sweeper.known
        run = replace(run, started_by=self.by)

        async def approve(_plan: Plan, _spared: Sequence[Spared]) -> bool:
            ports = sweeper.ports
            return await ports.journal.plans.begin(self.constraint.plan_id, ports.clock.now(), self.by, run.run_id)

        return await narrowed.sweep(run, approve)
