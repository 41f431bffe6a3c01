"""The status of a fleet of processes: its workers, its leader, its accounts, and what is due."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.control.services import ServiceRecord
from nbsweep.core.due_sweeps.model import DueSweep, Job, JobState
from nbsweep.core.fences.model import Fence
from nbsweep.core.pacing import LearnedRate
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.reasons.statement_wordings import describe_statement
from nbsweep.core.workers.model import WorkerRecord


class WorkerState(StrEnum):
    """What a worker does, by its own report."""

    RUNNING = "running"
    DRAINING = "draining"
    """It takes no more jobs, and ends after the sweeps under way."""
    STOPPED = "stopped"
    """It stopped normally."""
    LOST = "lost"
    """It has sent no beat for too long."""


class ServeState(StrEnum):
    """What a `serve` process of a fleet does, by its own report."""

    LEADING = "leading"
    """It starts what is due."""
    STANDING_BY = "standing-by"
    """It serves the pages and the HTTP API, and leads as soon as no other process does."""
    LOST = "lost"
    """It has sent no beat for too long."""
    STOPPED = "stopped"
    """It stopped normally."""


class DueState(StrEnum):
    """What becomes of a due sweep."""

    SWEEPING = "sweeping"
    """A worker has begun it, and sends beats."""
    WORKER_SILENT = "worker-silent"
    """The worker that has begun it sends no beats: it may have died, and other workers wait for the end of its hold."""
    WAITING = "waiting"
    """It waits for a worker, or for the worker that has its account."""
    PUT_OFF = "put-off"
    """It is tried again at a later time."""


class FleetInputs(Struct, frozen=True):
    """What the journal and the queue know of a fleet; all times are those of the journal's database."""

    now: datetime
    config: str
    """The digest of the configuration that was read here."""
    lasts: timedelta
    """How long a fence lasts without a beat."""
    workers: tuple[WorkerRecord, ...]
    leader: Fence | None
    """The fence of the process that starts what is due; None if there never was one."""
    fences: tuple[Fence, ...] = ()
    """The fences of accounts."""
    due: tuple[DueSweep, ...] = ()
    jobs: tuple[Job, ...] = ()
    learned: Mapping[str, Mapping[str, LearnedRate]] = {}
    """The rates that lanes have learned, by account and lane."""
    services: tuple[ServiceRecord, ...] = ()
    """The records of `serve` processes."""


class WorkerStatus(Struct, frozen=True):
    """A worker."""

    record: WorkerRecord
    state: WorkerState
    same_configuration: bool
    """Whether its configuration is the one that was read here."""
    silent_s: float
    """The seconds since its last beat."""

    @property
    def is_present(self) -> bool:
        """Whether its process runs."""
        return self.state in (WorkerState.RUNNING, WorkerState.DRAINING)


class ServeStatus(Struct, frozen=True):
    """A `serve` process."""

    record: ServiceRecord
    state: ServeState
    silent_s: float
    """The seconds since its last beat."""

    @property
    def is_present(self) -> bool:
        """Whether its process runs."""
        return self.state in (ServeState.LEADING, ServeState.STANDING_BY)


class FenceHolder(Struct, frozen=True):
    """The process that holds a fence."""

    owner: str
    host: str
    pid: int
    since: datetime
    silent_s: float
    """The seconds since its last beat, by the database's clock."""
    is_silent: bool
    """Whether the last beat is so long ago that another process may take the fence."""

    def __str__(self) -> str:
        """Describe the process."""
        return f"process {self.pid} on host {self.host}"


class AccountStatus(Struct, frozen=True):
    """An account."""

    account: str
    holder: FenceHolder | None
    """The process that may call its API; None if no process holds the account."""
    targets: tuple[str, ...]
    """The targets that have something due."""
    waiting_since: datetime | None
    """Since when a job of the account waits for a worker; None if none waits."""
    learned: Mapping[str, LearnedRate]
    """The rates below the configured ones that its lanes have learned, by lane."""

    @property
    def is_held(self) -> bool:
        """Whether a process holds it, and sends beats."""
        return self.holder is not None and not self.holder.is_silent


class DueStatus(Struct, frozen=True):
    """A due sweep."""

    sweep: DueSweep
    state: DueState


class RefusedJobs(Struct, frozen=True):
    """Jobs that wait for a configuration that no running worker has."""

    config: str
    accounts: tuple[str, ...]


class FleetStatus(Struct, frozen=True):
    """The status of a fleet."""

    now: datetime
    """When it was read, by the clock of the journal's database, like all times in it."""
    config: str
    """The digest of the configuration that was read here."""
    leader: FenceHolder | None
    """The `serve` process that starts what is due; None if no process leads."""
    serves: tuple[ServeStatus, ...]
    workers: tuple[WorkerStatus, ...]
    accounts: tuple[AccountStatus, ...]
    due: tuple[DueStatus, ...]
    jobs: tuple[Job, ...]
    refused: tuple[RefusedJobs, ...]
    about_processes: tuple[Statement, ...]
    """What needs an action about workers, the leader, and jobs that nobody takes."""
    about_sweeps: tuple[Statement, ...]
    """The due sweeps that have failed."""

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Return everything that needs an action."""
        return (*self.about_processes, *self.about_sweeps)

    @property
    def problems(self) -> tuple[str, ...]:
        """The same in English."""
        return tuple(map(describe_statement, self.statements))

    @property
    def problems_of_processes(self) -> tuple[str, ...]:
        """What needs an action about processes and jobs, in English."""
        return tuple(map(describe_statement, self.about_processes))

    @property
    def well(self) -> bool:
        """Whether no action is needed."""
        return not self.statements

    def count(self, state: WorkerState) -> int:
        """Return how many workers are in a state."""
        return sum(worker.state is state for worker in self.workers)

    def count_jobs(self, state: JobState) -> int:
        """Return how many jobs are in a state."""
        return sum(job.state is state for job in self.jobs)

    @property
    def longest_wait(self) -> timedelta:
        """How long the job has waited that waits longest; 0 if none waits."""
        waits = [self.now - job.since for job in self.jobs if job.state is JobState.WAITING]
        return max((*waits, timedelta(0)))
