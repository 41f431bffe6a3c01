"""What all sweeps of the service have in common: their plans are approved by the mode, and a failure is a report."""

from collections.abc import Awaitable, Callable, Sequence

from nbsweep.core.errors import NbsweepError
from nbsweep.core.planning.plan import Plan
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.core.saved_plan.model import Spared
from nbsweep.engine.report import Run, describe_bug
from nbsweep.service.targets.runner_options import RunnerOptions


async def approve_every_plan(_plan: Plan, _spared: Sequence[Spared]) -> bool:
    """Approve every plan that no brake refused, as `mode: enforce` says."""
    return True


async def reported(work: Callable[[Run], Awaitable[Report]], target: str, options: RunnerOptions) -> Report:
    """Return the report of a new run, also of one that could not read the journal, or that met a bug."""
    run = options.new_run(options.dry_run)
    try:
        report = await work(run)
        if not run.dry_run:
            await options.on_report(report, run.run_id)
    except NbsweepError as error:
        return Report(target, Outcome.FAILED, error=error)
    except Exception as bug:  # noqa: BLE001  # one target's bug is not to end the others' sweeps
        return Report(target, Outcome.FAILED, error=NbsweepError(f"a bug in nbsweep: {describe_bug(bug)}"))
    return report
