"""Concludes from the records of a fleet what it does, and what needs an action. Pure."""

from collections.abc import Iterator
from datetime import datetime

from nbsweep.core.control.services import ServiceRecord
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.fences.model import LANES, Fence
from nbsweep.core.fleet_status.due import due_statuses, problems_of_sweeps
from nbsweep.core.fleet_status.losses import losses
from nbsweep.core.fleet_status.model import (
    AccountStatus,
    FenceHolder,
    FleetInputs,
    FleetStatus,
    RefusedJobs,
    ServeState,
    ServeStatus,
    WorkerState,
    WorkerStatus,
)
from nbsweep.core.reasons.sentences.fleets import FleetCode
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.workers.model import FORGOTTEN_AFTER, WorkerRecord

STATES = (WorkerState.RUNNING, WorkerState.DRAINING, WorkerState.LOST, WorkerState.STOPPED)
"""The states of workers in the order in which workers are listed."""
SERVE_STATES = tuple(ServeState)
"""The states of `serve` processes in the order in which they are listed."""


def judge_fleet(known: FleetInputs) -> FleetStatus:
    """Return the status of a fleet. Without the jobs of the queue, it says nothing about jobs."""
    leader = _holder(known.leader, known) if known.leader else None
    workers = tuple(sorted((_worker(record, known) for record in known.workers), key=_place))
    refused = tuple(_refused(known.jobs, workers))
    due = due_statuses(known)
    return FleetStatus(
        now=known.now,
        config=known.config,
        leader=None if leader is None or leader.is_silent else leader,
        serves=tuple(_serves(leader, known)),
        workers=workers,
        accounts=tuple(_accounts(known)),
        due=due,
        jobs=known.jobs,
        refused=refused,
        about_processes=(
            *_problems_of_leader(leader),
            *_problems_of_serves(leader, known),
            *_problems_of_workers(workers, known),
            *_problems_of_jobs(refused, workers),
        ),
        about_sweeps=tuple(problems_of_sweeps(due)),
    )


# ---- workers


def _worker(record: WorkerRecord, known: FleetInputs) -> WorkerStatus:
    if record.stopped_at is not None:
        state = WorkerState.STOPPED
    elif record.is_lost(known.now):
        state = WorkerState.LOST
    else:
        state = WorkerState.DRAINING if record.draining else WorkerState.RUNNING
    return WorkerStatus(record, state, record.config == known.config, _silent_s(record, known))


def _silent_s(record: WorkerRecord | ServiceRecord, known: FleetInputs) -> float:
    return max(0.0, (known.now - record.beat_at).total_seconds())


def _place(worker: WorkerStatus) -> tuple[int, datetime]:
    """Return the place of a worker in the list: those that run come first, and among them those that were started first."""
    return STATES.index(worker.state), worker.record.started_at


def _problems_of_workers(workers: tuple[WorkerStatus, ...], known: FleetInputs) -> Iterator[Statement]:
    if not any(worker.state is WorkerState.RUNNING for worker in workers):
        is_draining = any(worker.is_present for worker in workers)
        yield Statement(FleetCode.ONLY_DRAINING if is_draining else FleetCode.NO_WORKER)
    for lost in losses(known.workers, known.now):
        yield _lost(FleetCode.WORKER_LOST, lost)


def _lost(code: FleetCode, lost: WorkerRecord | ServiceRecord) -> Statement:
    host, pid = lost.holder.host, lost.holder.pid
    return Statement(code, {"host": host, "pid": pid, "minute": lost.beat_at.isoformat()})


# ---- serve processes


def _serves(leader: FenceHolder | None, known: FleetInputs) -> Iterator[ServeStatus]:
    """Yield the `serve` processes of the last day: those that run come first, and among them those that were started first."""
    recent = [each for each in known.services if known.now - each.beat_at < FORGOTTEN_AFTER]
    found = [ServeStatus(each, _serve_state(each, leader, known), _silent_s(each, known)) for each in recent]
    yield from sorted(found, key=lambda each: (SERVE_STATES.index(each.state), each.record.started_at))


def _serve_state(record: ServiceRecord, leader: FenceHolder | None, known: FleetInputs) -> ServeState:
    if record.stopped_at is not None:
        return ServeState.STOPPED
    if record.is_lost(known.now):
        return ServeState.LOST
    leads = leader is not None and not leader.is_silent and leader.owner == record.holder.owner
    return ServeState.LEADING if leads else ServeState.STANDING_BY


def _problems_of_serves(leader: FenceHolder | None, known: FleetInputs) -> Iterator[Statement]:
    for lost in losses(known.services, known.now):
        if leader is None or not leader.is_silent or leader.owner != lost.holder.owner:
            yield _lost(FleetCode.SERVE_LOST, lost)


# ---- fences


def _holder(fence: Fence, known: FleetInputs) -> FenceHolder | None:
    if not fence.held:
        return None
    process, silent = fence.holder, fence.is_silent(known.lasts.total_seconds())
    return FenceHolder(process.owner, process.host, process.pid, fence.taken_at, max(0.0, fence.age_s), silent)


def _problems_of_leader(leader: FenceHolder | None) -> Iterator[Statement]:
    if leader is None:
        yield Statement(FleetCode.NO_LEADER)
    elif leader.is_silent:
        silent_s = round(leader.silent_s)
        yield Statement(FleetCode.LEADER_SILENT, {"pid": leader.pid, "host": leader.host, "silent_s": silent_s})


def _accounts(known: FleetInputs) -> Iterator[AccountStatus]:
    """Yield the accounts that were ever swept, or have a job or a due sweep, sorted by name."""
    fences = {fence.name.removeprefix(LANES): fence for fence in known.fences}
    for account in sorted({*fences, *(sweep.account for sweep in known.due), *(job.account for job in known.jobs)}):
        fence = fences.get(account)
        waiting = (job.since for job in known.jobs if job.account == account and job.state is JobState.WAITING)
        yield AccountStatus(
            account=account,
            holder=_holder(fence, known) if fence else None,
            targets=tuple(sorted({sweep.target for sweep in known.due if sweep.account == account})),
            waiting_since=min(waiting, default=None),
            learned=known.learned.get(account, {}),
        )


# ---- jobs


def _refused(jobs: tuple[Job, ...], workers: tuple[WorkerStatus, ...]) -> Iterator[RefusedJobs]:
    """Yield the waiting jobs whose configuration no running worker has, by configuration."""
    known = {worker.record.config for worker in workers if worker.state is WorkerState.RUNNING}
    waiting = [job for job in jobs if job.state is JobState.WAITING and job.config not in known]
    for config in sorted({job.config for job in waiting}):
        yield RefusedJobs(config, tuple(job.account for job in waiting if job.config == config))


def _problems_of_jobs(refused: tuple[RefusedJobs, ...], workers: tuple[WorkerStatus, ...]) -> Iterator[Statement]:
    theirs = ", ".join(sorted({worker.record.config for worker in workers if worker.state is WorkerState.RUNNING}))
    for each in refused:
        if theirs:
            jobs = len(each.accounts)
            yield Statement(FleetCode.JOBS_REFUSED, {"jobs": jobs, "config": each.config, "theirs": theirs})
