"""The JSON document of `fleet`, and of GET /api/v1/fleet."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta

from nbsweep.core.due_sweeps.model import DueSweep, Job, JobState
from nbsweep.core.fleet_status.model import (
    AccountStatus,
    DueState,
    DueStatus,
    FenceHolder,
    FleetStatus,
    ServeState,
    ServeStatus,
    WorkerState,
    WorkerStatus,
)
from nbsweep.documents.base import Count, Document, Time, moment_text

Seconds = Annotated[float, Meta(ge=0)]


class FenceHolderDocument(Document, frozen=True):
    """The process that leads the fleet, or that may call the API of an account."""

    host: str
    pid: int
    since: Time
    last_beat_s: Annotated[Seconds, Meta(description="The seconds since its last beat, by the clock of the database.")]
    silent: Annotated[bool, Meta(description="Whether its last beat is so old that another process may take its place.")]


class ServeDocument(Document, frozen=True):
    """A `serve` process, by its own report in the journal."""

    host: str
    pid: int
    state: ServeState
    version: str
    started_at: Time
    last_beat_s: Annotated[Seconds, Meta(description="The seconds since its last beat, by the clock of the database.")]
    stopped_at: Time | None


class WorkerDocument(Document, frozen=True):
    """A worker, by its own report in the journal."""

    host: str
    pid: int
    state: WorkerState
    version: str
    started_at: Time
    last_beat_s: Annotated[Seconds, Meta(description="The seconds since its last beat, by the clock of the database.")]
    stopped_at: Time | None
    configuration: Annotated[str, Meta(description="The digest of its configuration. It takes jobs of this one only.")]
    same_configuration: Annotated[
        bool, Meta(description="Whether that is the configuration of the process that writes this document.")
    ]
    can_sweep: Annotated[Count, Meta(description="The number of accounts of its configuration that it can sweep.")]
    accounts_at_once: Count
    sweeping: Annotated[Sequence[str], Meta(description="The accounts of the jobs that it carries out.")]
    refused: Annotated[
        Mapping[str, Count], Meta(description="The number of jobs that wait for another configuration, by its digest.")
    ]


class FleetAccountDocument(Document, frozen=True):
    """An account that was swept by the fleet, or that has something due."""

    account: str
    held: bool
    holder: FenceHolderDocument | None
    due_targets: Annotated[Sequence[str], Meta(description="The targets of the account that have something due.")]
    waiting_since: Annotated[Time | None, Meta(description="Since when its job waits for a worker; null if none waits.")]
    learned_calls_per_s: Annotated[
        Mapping[str, float], Meta(description="The rates below the configured ones that its lanes have learned, by lane.")
    ]


class DueSweepDocument(Document, frozen=True):
    """A sweep that is due."""

    target: str
    account: str
    state: DueState
    due_at: Annotated[Time, Meta(description="The due time of the schedule, or the time of the request.")]
    asked_by: Annotated[str, Meta(description="Who or what asked for it.")]
    not_before: Annotated[Time, Meta(description="When a worker may begin it: later than `due_at` after a failure.")]
    begun_at: Time | None
    plan_id: Annotated[str | None, Meta(description="The approved plan that it carries out; null for a sweep by the policies.")]
    failures: Annotated[Count, Meta(description="Number of failed attempts in a row.")]
    problem: str | None


class JobDocument(Document, frozen=True):
    """A job of the queue: a sweep of what is due on one account."""

    account: str
    state: JobState
    configuration: Annotated[str, Meta(description="The digest of the configuration that a worker must have for it.")]
    since: Annotated[Time, Meta(description="When it was deferred or, if it is running, when it was taken.")]


class RefusedJobsDocument(Document, frozen=True):
    """Jobs that no running worker may take, because their configuration is another one."""

    configuration: str
    accounts: Sequence[str]


class FleetStatusDocument(Document, frozen=True):
    """The status of a fleet of processes. All times are those of the database of the journal."""

    well: bool
    problems: Sequence[str]
    read_at: Time
    configuration: Annotated[str, Meta(description="The digest of the configuration of the process that writes this.")]
    leader: Annotated[
        FenceHolderDocument | None, Meta(description="The `serve` process that starts what is due; null if no process does.")
    ]
    serves: Annotated[Sequence[ServeDocument], Meta(description="The `serve` processes of the last day.")]
    workers: Sequence[WorkerDocument]
    accounts: Sequence[FleetAccountDocument]
    due: Sequence[DueSweepDocument]
    jobs: Sequence[JobDocument]
    refused: Sequence[RefusedJobsDocument]


def fleet_status_document(status: FleetStatus) -> FleetStatusDocument:
    """Return the document of the status of a fleet."""
    return FleetStatusDocument(
        well=status.well,
        problems=status.problems,
        read_at=moment_text(status.now),
        configuration=status.config,
        leader=_holder(status.leader) if status.leader else None,
        serves=[_serve(serve) for serve in status.serves],
        workers=[_worker(worker) for worker in status.workers],
        accounts=[_account(account) for account in status.accounts],
        due=[_due(due) for due in status.due],
        jobs=[_job(job) for job in status.jobs],
        refused=[RefusedJobsDocument(each.config, each.accounts) for each in status.refused],
    )


def due_sweep_document(sweep: DueSweep, state: DueState) -> DueSweepDocument:
    """Return the document of a due sweep."""
    return DueSweepDocument(
        target=sweep.target,
        account=sweep.account,
        state=state,
        due_at=moment_text(sweep.due_at),
        asked_by=sweep.by,
        not_before=moment_text(sweep.not_before),
        begun_at=moment_text(sweep.begun_at),
        plan_id=sweep.plan_id or None,
        failures=sweep.failures,
        problem=sweep.problem or None,
    )


def _holder(holder: FenceHolder) -> FenceHolderDocument:
    return FenceHolderDocument(
        holder.host, holder.pid, moment_text(holder.since), round(holder.silent_s, 1), silent=holder.is_silent
    )


def _serve(serve: ServeStatus) -> ServeDocument:
    record = serve.record
    return ServeDocument(
        host=record.holder.host,
        pid=record.holder.pid,
        state=serve.state,
        version=record.version,
        started_at=moment_text(record.started_at),
        last_beat_s=round(serve.silent_s, 1),
        stopped_at=moment_text(record.stopped_at),
    )


def _worker(worker: WorkerStatus) -> WorkerDocument:
    record = worker.record
    return WorkerDocument(
        host=record.holder.host,
        pid=record.holder.pid,
        state=worker.state,
        version=record.version,
        started_at=moment_text(record.started_at),
        last_beat_s=round(worker.silent_s, 1),
        stopped_at=moment_text(record.stopped_at),
        configuration=record.config,
        same_configuration=worker.same_configuration,
        can_sweep=record.can_sweep,
        accounts_at_once=record.accounts_at_once,
        sweeping=record.accounts,
        refused=record.refused,
    )


def _account(account: AccountStatus) -> FleetAccountDocument:
    return FleetAccountDocument(
        account=account.account,
        held=account.is_held,
        holder=_holder(account.holder) if account.holder else None,
        due_targets=account.targets,
        waiting_since=moment_text(account.waiting_since),
        learned_calls_per_s={lane: round(rate.calls_per_s, 3) for lane, rate in account.learned.items()},
    )


def _due(due: DueStatus) -> DueSweepDocument:
    return due_sweep_document(due.sweep, due.state)


def _job(job: Job) -> JobDocument:
    return JobDocument(job.account, job.state, job.config, moment_text(job.since))
