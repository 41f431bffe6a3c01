"""The view of `fleet`: a summary, then the workers, the accounts, and what is due."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from nbsweep.cli.views.results import cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.due_sweeps.model import JobState
from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.fleet_status.model import (
    AccountStatus,
    DueState,
    DueStatus,
    FleetStatus,
    ServeState,
    ServeStatus,
    WorkerState,
    WorkerStatus,
)

STYLES: Mapping[str, str] = {
    ServeState.LEADING: "green",
    ServeState.STANDING_BY: "green",
    WorkerState.RUNNING: "green",
    WorkerState.DRAINING: "yellow",
    WorkerState.STOPPED: "dim",
    WorkerState.LOST: "red",
    DueState.SWEEPING: "green",
    DueState.WORKER_SILENT: "red",
    DueState.WAITING: "yellow",
    DueState.PUT_OFF: "yellow",
}
WORKERS = (
    Column("WORKER", most=NAME),
    Column("STATE"),
    Column("SINCE", leaves=3),
    Column("BEAT", right=True, leaves=4),
    Column("VERSION", leaves=1),
    Column("CONFIGURATION", leaves=2),
    Column("AT ONCE", right=True),
    Column("SWEEPS NOW", folds=True),
)
SERVES = (
    Column("SERVE", most=NAME),
    Column("STATE"),
    Column("SINCE", leaves=3),
    Column("BEAT", right=True, leaves=4),
    Column("VERSION", leaves=1),
)
ACCOUNTS = (
    Column("ACCOUNT", most=NAME),
    Column("HELD BY", most=SHORT_NAME),
    Column("FOR", right=True),
    Column("BEAT", right=True, leaves=2),
    Column("JOB"),
    Column("LEARNED", folds=True, leaves=1),
)
DUE = (
    Column("TARGET", most=NAME),
    Column("STATE"),
    Column("DUE FOR", right=True),
    Column("ASKED BY", most=SHORT_NAME),
    Column("ACCOUNT", most=NAME, leaves=1),
    Column("FAILED", right=True, leaves=2),
    Column("PROBLEM", folds=True),
)


def fleet_view(status: FleetStatus) -> RenderableType:
    """Return the view of a fleet."""
    return Group(*_summary(status), *_tables(status))


def _summary(status: FleetStatus) -> Iterator[Text]:
    well = Text("All is well.", style="bold green")
    yield well if status.well else Text("Not all is well.", style="bold red")
    for problem in status.problems:
        yield cell(f"  {problem}", "red")
    counts = [(status.count(state), state) for state in WorkerState]
    workers = ", ".join(f"{count} {state}" for count, state in counts if count) or "none"
    jobs = f"{status.count_jobs(JobState.RUNNING)} running, {status.count_jobs(JobState.WAITING)} waiting"
    longest = f" (the longest for {format_age(status.longest_wait)})" if status.count_jobs(JobState.WAITING) else ""
    leader = f"{status.leader}, since {format_moment(status.leader.since)}" if status.leader else "none"
    yield cell(f"workers: {workers}; jobs: {jobs}{longest}")
    yield cell(f"leader: {leader}")
    yield cell(f"configuration of the file: {status.config}")


def _tables(status: FleetStatus) -> Iterator[RenderableType]:
    if status.serves:
        yield make_table(SERVES, lambda: (_serve(each, status) for each in status.serves))
    if status.workers:
        yield make_table(WORKERS, lambda: (_worker(each, status) for each in status.workers))
    if status.accounts:
        yield make_table(ACCOUNTS, lambda: (_account(each, status) for each in status.accounts))
    if status.due:
        yield make_table(DUE, lambda: (_due(each, status) for each in status.due))
    else:
        yield cell("Nothing is due.", "dim")


def _serve(serve: ServeStatus, status: FleetStatus) -> Row:
    record = serve.record
    return (
        cell(f"{record.holder.host}:{record.holder.pid}", "bold" if serve.is_present else "dim"),
        cell(serve.state, STYLES[serve.state]),
        cell(_age(record.stopped_at or record.started_at, status)),
        cell(_seconds(serve.silent_s)),
        cell(record.version),
    )


def _worker(worker: WorkerStatus, status: FleetStatus) -> Row:
    record = worker.record
    since = record.stopped_at or record.started_at
    return (
        cell(f"{record.holder.host}:{record.holder.pid}", "bold" if worker.is_present else "dim"),
        cell(worker.state, STYLES[worker.state]),
        cell(_age(since, status)),
        cell(_seconds(worker.silent_s)),
        cell(record.version),
        _configuration(worker),
        cell(record.accounts_at_once),
        cell(", ".join(record.accounts) if worker.is_present and record.accounts else "-"),
    )


def _configuration(worker: WorkerStatus) -> Text:
    differs = worker.is_present and not worker.same_configuration
    return cell(f"{worker.record.config} (differs)", "yellow") if differs else cell(worker.record.config)


def _account(account: AccountStatus, status: FleetStatus) -> Row:
    holder = account.holder
    learned = ", ".join(f"{lane} {rate.calls_per_s:.3g}/s" for lane, rate in account.learned.items())
    return (
        cell(account.account, "bold"),
        cell(f"{holder.host}:{holder.pid}" if holder else "-", "red" if holder and holder.is_silent else ""),
        cell(_age(holder.since, status) if holder else "-"),
        cell(_seconds(holder.silent_s) if holder else "-"),
        _job(account, status),
        cell(learned or "-"),
    )


def _job(account: AccountStatus, status: FleetStatus) -> Text:
    if account.waiting_since:
        return cell(f"waits for {_age(account.waiting_since, status)}", "yellow")
    running = any(job.account == account.account and job.state is JobState.RUNNING for job in status.jobs)
    return cell("running", "green") if running else cell("-")


def _due(due: DueStatus, status: FleetStatus) -> Row:
    sweep = due.sweep
    state = f"again in {format_age(sweep.not_before - status.now)}" if due.state is DueState.PUT_OFF else str(due.state)
    return (
        cell(sweep.target, "bold"),
        cell(state, STYLES[due.state]),
        cell(_age(sweep.due_at, status)),
        cell(sweep.by),
        cell(sweep.account),
        cell(sweep.failures or "-"),
        cell(sweep.problem or "-", "red" if sweep.failures else ""),
    )


def _age(moment: datetime, status: FleetStatus) -> str:
    return format_age(max(status.now - moment, timedelta(0)))


def _seconds(seconds: float) -> str:
    return format_age(timedelta(seconds=seconds))
