"""What the page Fleet shows of a fleet of processes: its workers, its leader, the accounts, and what is due."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.due_sweeps.model import SCHEDULE, JobState
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
from nbsweep.core.reasons.statement import Statement
from nbsweep.service.web.messages import Message, message, plural
from nbsweep.service.web.pages.views.elements.texts import LONGEST_SENTENCE, name_or_id, short

SERVES: Mapping[ServeState, Message] = {
    ServeState.LEADING: message("starts what is due"),
    ServeState.STANDING_BY: message("stands by"),
    ServeState.LOST: message("lost: it reports nothing"),
    ServeState.STOPPED: message("stopped"),
}
WORKERS: Mapping[WorkerState, Message] = {
    WorkerState.RUNNING: message("running"),
    WorkerState.DRAINING: message("draining: it takes no more accounts"),
    WorkerState.STOPPED: message("stopped"),
    WorkerState.LOST: message("lost: it reports nothing"),
}
TONES: Mapping[str, str] = {
    ServeState.LEADING: "good",
    ServeState.STANDING_BY: "good",
    WorkerState.RUNNING: "good",
    WorkerState.DRAINING: "quiet",
    WorkerState.STOPPED: "quiet",
    WorkerState.LOST: "bad",
    DueState.SWEEPING: "busy",
    DueState.WORKER_SILENT: "bad",
    DueState.WAITING: "quiet",
    DueState.PUT_OFF: "bad",
}


class ServeView(Struct, frozen=True):
    """One `serve` process."""

    name: str
    state: Message
    tone: str
    since: datetime
    beat: timedelta
    """The age of its last beat."""
    version: str


class WorkerView(Struct, frozen=True):
    """One worker."""

    name: str
    state: Message
    tone: str
    since: datetime
    beat: timedelta
    """The age of its last beat."""
    version: str
    configuration: str
    differs: bool
    """Whether its configuration is not that of the service."""
    accounts_at_once: int
    sweeping: Sequence[str]


class AccountView(Struct, frozen=True):
    """One account that is held, or that waits."""

    account: str
    holder: Message | None
    """None if no process holds it."""
    waits: timedelta | None
    """For how long its job has waited for a worker; None if none waits."""
    learned: Sequence[tuple[str, float]]
    """The lanes that have learned a lower rate than the configured one, with calls a second."""


class DueView(Struct, frozen=True):
    """One due sweep."""

    target: str
    account: str
    state: Message
    tone: str
    due_at: datetime
    asked_by: Message
    again_at: datetime | None
    """When it is tried again; None unless it has to wait for that."""
    failures: Message | None
    problem: str


class ProcessesView(Struct, frozen=True):
    """The fleet."""

    problems: Sequence[Statement]
    """What needs an action, in English."""
    leader: Message | None
    """None if no process leads."""
    configuration: str
    jobs: Message
    serves: Sequence[ServeView]
    workers: Sequence[WorkerView]
    accounts: Sequence[AccountView]
    due: Sequence[DueView]


def build_processes(status: FleetStatus) -> ProcessesView:
    """Return what the page shows; accounts that are free and have nothing due are left out."""
    running, waiting = status.count_jobs(JobState.RUNNING), status.count_jobs(JobState.WAITING)
    return ProcessesView(
        problems=status.statements,
        leader=_holder(status.leader) if status.leader else None,
        configuration=status.config,
        jobs=message("%(running)s running, %(waiting)s waiting", running=running, waiting=waiting),
        serves=[_serve(serve) for serve in status.serves],
        workers=[_worker(worker) for worker in status.workers],
        accounts=[_account(each, status) for each in status.accounts if each.holder or each.targets or each.waiting_since],
        due=[_due(due) for due in status.due],
    )


def _holder(holder: FenceHolder) -> Message:
    return message(
        "process %(pid)s on host %(host)s, since %(since)s", pid=str(holder.pid), host=short(holder.host), since=holder.since
    )


def _serve(serve: ServeStatus) -> ServeView:
    record = serve.record
    return ServeView(
        name=f"{short(record.holder.host)}:{record.holder.pid}",
        state=SERVES[serve.state],
        tone=TONES[serve.state],
        since=record.stopped_at or record.started_at,
        beat=timedelta(seconds=serve.silent_s),
        version=record.version,
    )


def _worker(worker: WorkerStatus) -> WorkerView:
    record = worker.record
    return WorkerView(
        name=f"{short(record.holder.host)}:{record.holder.pid}",
        state=WORKERS[worker.state],
        tone=TONES[worker.state],
        since=record.stopped_at or record.started_at,
        beat=timedelta(seconds=worker.silent_s),
        version=record.version,
        configuration=record.config,
        differs=worker.is_present and not worker.same_configuration,
        accounts_at_once=record.accounts_at_once,
        sweeping=record.accounts if worker.is_present else (),
    )


def _account(account: AccountStatus, status: FleetStatus) -> AccountView:
    return AccountView(
        account=account.account,
        holder=_holder(account.holder) if account.holder else None,
        waits=max(status.now - account.waiting_since, timedelta(0)) if account.waiting_since else None,
        learned=[(lane, rate.calls_per_s) for lane, rate in account.learned.items()],
    )


def _due(due: DueStatus) -> DueView:
    sweep = due.sweep
    states = {
        DueState.SWEEPING: message("being swept"),
        DueState.WORKER_SILENT: message("its worker reports nothing"),
        DueState.WAITING: message("waits for a worker"),
        DueState.PUT_OFF: message("tried again later"),
    }
    return DueView(
        target=name_or_id(sweep.target, "–"),
        account=sweep.account,
        state=states[due.state],
        tone=TONES[due.state],
        due_at=sweep.due_at,
        asked_by=message("the schedule") if sweep.by == SCHEDULE else Message("%(by)s", {"by": short(sweep.by)}),
        again_at=sweep.not_before if due.state is DueState.PUT_OFF else None,
        failures=plural("%(count)s failed attempt", "%(count)s failed attempts", sweep.failures) if sweep.failures else None,
        problem=short(sweep.problem, LONGEST_SENTENCE),
    )
