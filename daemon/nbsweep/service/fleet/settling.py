"""What becomes of a due sweep after an attempt."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from nbsweep.core.due_sweeps.model import DueSweep
from nbsweep.core.report import Report
from nbsweep.core.runs import SETTLED, Outcome
from nbsweep.service.targets.runner_options import wait_s


def settled(sweep: DueSweep, report: Report, now: datetime, held_for: timedelta) -> DueSweep | None:
    """Return a due sweep as it is after an attempt with this report; None if it has ended.

    An interrupted one begins again at once, so that the next worker continues. After a failure, a sweep is tried again, later
    each time; one by an approved plan has ended then, because somebody waits for it, who is told, and decides.
    """
    if report.outcome in SETTLED or (sweep.plan_id and report.outcome is not Outcome.INTERRUPTED):
        return None
    waiting = replace(sweep, begun_at=None, problem=str(report.error or ""))
    if report.outcome is Outcome.FAILED:
        failures = sweep.failures + 1
        return replace(waiting, failures=failures, not_before=now + timedelta(seconds=wait_s(failures)))
    if report.outcome is Outcome.HELD_ELSEWHERE:
        return replace(waiting, not_before=now + held_for)
    return replace(waiting, not_before=now)
