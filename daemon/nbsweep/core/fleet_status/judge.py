"""Concludes from the records of a fleet what it does, and what needs an action. Pure."""

from collections.abc import Iterator
from datetime import datetime

from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.fences.model import LANES, Fence
from nbsweep.core.fleet_status.due import due_statuses, problems_of_sweeps
from nbsweep.core.fleet_status.losses import problems_of_losses
from nbsweep.core.fleet_status.model import (
    AccountStatus,
    FenceHolder,
    FleetInputs,
    FleetStatus,
    RefusedJobs,
    WorkerState,
    WorkerStatus,
)
from nbsweep.core.workers.model import WorkerRecord

NO_LEADER = "no `nbsweep serve` leads the fleet, so nothing becomes due by the schedule: start one"
NO_WORKER = "no worker is running, so nothing is swept: start `nbsweep worker`"
STATES = (WorkerState.RUNNING, WorkerState.DRAINING, WorkerState.LOST, WorkerState.STOPPED)
"""The states of workers in the order in which workers are listed."""
ONLY_DRAINING = "all workers are draining, so nothing more is swept: start `nbsweep worker`"


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
        workers=workers,
        accounts=tuple(_accounts(known)),
        due=due,
        jobs=known.jobs,
        refused=refused,
        problems_of_processes=(
            *_problems_of_leader(leader),
            *_problems_of_workers(workers, known),
            *_problems_of_jobs(refused, workers),
        ),
        problems_of_sweeps=tuple(problems_of_sweeps(due)),
    )


# ---- workers


def _worker(record: WorkerRecord, known: FleetInputs) -> WorkerStatus:
    if record.stopped_at is not None:
        state = WorkerState.STOPPED
    elif record.is_lost(known.now):
        state = WorkerState.LOST
    else:
        state = WorkerState.DRAINING if record.draining else WorkerState.RUNNING
    silent_s = max(0.0, (known.now - record.beat_at).total_seconds())
    return WorkerStatus(record, state, record.config == known.config, silent_s)


def _place(worker: WorkerStatus) -> tuple[int, datetime]:
    """Return the place of a worker in the list: those that run come first, and among them those that were started first."""
    return STATES.index(worker.state), worker.record.started_at


def _problems_of_workers(workers: tuple[WorkerStatus, ...], known: FleetInputs) -> Iterator[str]:
    if not any(worker.state is WorkerState.RUNNING for worker in workers):
        yield ONLY_DRAINING if any(worker.is_present for worker in workers) else NO_WORKER
    yield from problems_of_losses(known.workers, known.now)


# ---- fences


def _holder(fence: Fence, known: FleetInputs) -> FenceHolder | None:
    if not fence.held:
        return None
    process, silent = fence.holder, fence.is_silent(known.lasts.total_seconds())
    return FenceHolder(process.owner, process.host, process.pid, fence.taken_at, max(0.0, fence.age_s), silent)


def _problems_of_leader(leader: FenceHolder | None) -> Iterator[str]:
    if leader is None:
        yield NO_LEADER
    elif leader.is_silent:
        yield f"{leader} led the fleet, and has sent no beat for {leader.silent_s:.0f}s: start `nbsweep serve`"


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


def _problems_of_jobs(refused: tuple[RefusedJobs, ...], workers: tuple[WorkerStatus, ...]) -> Iterator[str]:
    theirs = ", ".join(sorted({worker.record.config for worker in workers if worker.state is WorkerState.RUNNING}))
    for each in refused:
        if theirs:
            jobs = "1 job waits" if len(each.accounts) == 1 else f"{len(each.accounts)} jobs wait"
            yield (
                f"{jobs} for a worker with the configuration {each.config}, and the running workers have {theirs}: start the "
                "workers anew with the configuration of `nbsweep serve`"
            )
