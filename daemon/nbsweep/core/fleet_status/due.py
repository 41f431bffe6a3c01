"""Concludes what becomes of the due sweeps of a fleet, and which of them have failed. Pure."""

from collections.abc import Iterator, Mapping

from nbsweep.core.due_sweeps.model import DueSweep
from nbsweep.core.fences.model import lanes_fence
from nbsweep.core.fleet_status.model import DueState, DueStatus, FleetInputs
from nbsweep.core.reasons.sentences.fleets import FleetCode
from nbsweep.core.reasons.statement import Statement

LATE_AFTER = 1 / 2
"""The share of the time that a fence lasts after which a beat is late: the holder sends one in every third of that time."""


def due_statuses(known: FleetInputs) -> tuple[DueStatus, ...]:
    """Return the due sweeps, each with its state."""
    return tuple(DueStatus(sweep, _state(sweep, known)) for sweep in known.due)


AGAIN: Mapping[DueState, Statement] = {
    DueState.SWEEPING: Statement(FleetCode.TRIED_NOW),
    DueState.WORKER_SILENT: Statement(FleetCode.TRIED_BY_SILENT_WORKER),
    DueState.WAITING: Statement(FleetCode.TRIED_WHEN_FREE),
}
"""What follows when a due sweep has failed; in the other states, when it is tried again."""


def problems_of_sweeps(due: tuple[DueStatus, ...]) -> Iterator[Statement]:
    """Yield a statement for each due sweep that has failed."""
    for sweep, state in ((each.sweep, each.state) for each in due):
        if sweep.failures:
            later = Statement(FleetCode.TRIED_LATER, {"minute": sweep.not_before.isoformat()})
            name, failures = sweep.target, sweep.failures
            yield Statement(
                FleetCode.SWEEP_FAILED,
                {"target": name, "failures": failures, "problem": sweep.problem},
                (AGAIN.get(state, later),),
            )


def _state(sweep: DueSweep, known: FleetInputs) -> DueState:
    if sweep.begun_at is not None:
        return _state_of_begun(sweep, known)
    return DueState.PUT_OFF if sweep.not_before > known.now else DueState.WAITING


def _state_of_begun(sweep: DueSweep, known: FleetInputs) -> DueState:
    """Return the state of a sweep that a worker has begun, which may have died since.

    The worker holds the fence of the account until then. A fence that was taken later is that of another worker, which has
    not begun the sweep.
    """
    fence = next((fence for fence in known.fences if fence.name == lanes_fence(sweep.account)), None)
    if fence is None:
        return _state_without_fence(sweep, known)
    lasts_s = known.lasts.total_seconds()
    if not fence.held or fence.is_silent(lasts_s) or (sweep.begun_at and fence.taken_at > sweep.begun_at):
        return DueState.WAITING
    return DueState.WORKER_SILENT if fence.is_silent(lasts_s * LATE_AFTER) else DueState.SWEEPING


def _state_without_fence(sweep: DueSweep, known: FleetInputs) -> DueState:
    """Return the state of a sweep whose worker calls the account by another name, so that the name of the fence is unknown."""
    at_work = any(sweep.account in worker.accounts and worker.is_present(known.now) for worker in known.workers)
    return DueState.SWEEPING if at_work else DueState.WAITING
