"""Concludes what becomes of the due sweeps of a fleet, and which of them have failed. Pure."""

from collections.abc import Iterator

from nbsweep.core.due_sweeps.model import DueSweep
from nbsweep.core.facts import format_moment
from nbsweep.core.fences.model import lanes_fence
from nbsweep.core.fleet_status.model import DueState, DueStatus, FleetInputs

LATE_AFTER = 1 / 2
"""The share of the time that a fence lasts after which a beat is late: the holder sends one in every third of that time."""


def due_statuses(known: FleetInputs) -> tuple[DueStatus, ...]:
    """Return the due sweeps, each with its state."""
    return tuple(DueStatus(sweep, _state(sweep, known)) for sweep in known.due)


def problems_of_sweeps(due: tuple[DueStatus, ...]) -> Iterator[str]:
    """Yield a sentence for each due sweep that has failed."""
    again = {
        DueState.SWEEPING: "it is tried again now",
        DueState.WORKER_SILENT: "it was tried again by a worker that reports nothing",
        DueState.WAITING: "a worker tries it again as soon as one is free",
    }
    for sweep, state in ((each.sweep, each.state) for each in due):
        if sweep.failures:
            failed = "its sweep failed" if sweep.failures == 1 else f"its last {sweep.failures} sweeps failed"
            later = f"it is tried again at {format_moment(sweep.not_before)}"
            yield f"{sweep.target}: {failed}: {sweep.problem}; {again.get(state, later)}"


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
