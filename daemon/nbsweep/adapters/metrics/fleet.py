"""Shows the status of a fleet of processes as metrics."""

from nbsweep.adapters.metrics.instruments import Instruments
from nbsweep.core.due_sweeps.model import JobState
from nbsweep.core.fleet_status.model import FleetStatus, WorkerState

SHOWN = (WorkerState.RUNNING, WorkerState.DRAINING, WorkerState.LOST)
"""The states of workers that are counted: those that have stopped are no part of the fleet any more."""


class FleetMetrics:
    """The metrics of a fleet; without one they have no samples, or are 0."""

    def __init__(self, instruments: Instruments) -> None:
        """Take the metrics to update."""
        self._instruments = instruments

    def show(self, status: FleetStatus, owner: str) -> None:
        """Show a status, as the process with this unique id sees it."""
        self.clear()
        for state in SHOWN:
            self._instruments.workers.labels(state).set(status.count(state))
        for job in JobState:
            self._instruments.jobs.labels(job).set(status.count_jobs(job))
        for account in status.accounts:
            self._instruments.account_held.labels(account.account).set(account.is_held)
        outdated = sum(worker.is_present and not worker.same_configuration for worker in status.workers)
        self._instruments.workers_outdated.set(outdated)
        self._instruments.job_wait_s.set(status.longest_wait.total_seconds())
        self._instruments.jobs_refused.set(sum(len(refused.accounts) for refused in status.refused))
        self._instruments.led.set(status.leader is not None)
        self._instruments.leading.set(status.leader is not None and status.leader.owner == owner)

    def clear(self) -> None:
        """Show nothing: there is no fleet any more, or its status cannot be read."""
        for labelled in (self._instruments.workers, self._instruments.jobs, self._instruments.account_held):
            labelled.clear()
        for single in (
            self._instruments.workers_outdated,
            self._instruments.job_wait_s,
            self._instruments.jobs_refused,
            self._instruments.led,
            self._instruments.leading,
        ):
            single.set(0)
