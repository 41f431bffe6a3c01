"""The view of `status`: a summary, then a few lines for each target."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from nbsweep.cli.views.marks import describe_totals
from nbsweep.cli.views.results import STYLES, cell
from nbsweep.core.control.services import Life
from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.fleet_status.model import DueState, DueStatus, FleetStatus, WorkerState
from nbsweep.core.lease import describe_holder
from nbsweep.core.lifecycle import Removal
from nbsweep.core.notices.health import OutboxHealth, TargetMarks
from nbsweep.core.runs import RunRecord
from nbsweep.core.status import TargetStatus

MOST_NAMES = 5
MOST_OWNERS = 3


def status_view(
    statuses: Sequence[TargetStatus],
    outbox: OutboxHealth,
    due: Mapping[str, datetime],
    now: datetime,
    fleet: FleetStatus | None = None,
) -> RenderableType:
    """Return the view of all targets, the outbox and the fleet; `due` has the next due time of each target."""
    lines = (line for each in statuses for line in _lines(each, due.get(each.target), now))
    return Group(
        _headline(statuses, outbox, now, fleet),
        *lines,
        *_outbox_lines(outbox, now),
        *(_fleet_lines(fleet) if fleet else ()),
    )


def _headline(statuses: Sequence[TargetStatus], outbox: OutboxHealth, now: datetime, fleet: FleetStatus | None) -> Text:
    unwell = [status.target for status in statuses if not status.well]
    unwell += ["messages"] if outbox.problems(now) else []
    unwell += ["the fleet"] if fleet and fleet.problems_of_processes else []
    if not unwell:
        return Text("All is well.", style="bold green")
    return cell(f"Not all is well: see {', '.join(unwell)}.", "bold red")


def _lines(status: TargetStatus, due: datetime | None, now: datetime) -> Iterator[Text]:
    yield _target(status, now)
    # A sweep that was begun and is due still has lost its worker, which may hold the lease of the target for a while.
    if status.sweeping is not None and not (status.due and status.due.sweep.begun_at):
        yield cell(f"  being swept now by {describe_holder(status.sweeping)}", "cyan")
    if status.due is not None:
        yield cell(f"  {_waiting(status.due)}", "yellow")
    if status.pause is not None:
        yield cell(f"  {status.pause}", "yellow")
    for problem in status.problems:
        yield cell(f"  {problem}", "red")
    yield from _removal_lines(status)
    yield from _mark_lines(status.marks, now)
    for lane in (status.last and status.last.lanes) or ():
        if lane.learned_limit is not None:
            limit = f"  The gateway limits {lane.lane} to {lane.learned_limit}: the last rate was {lane.calls_per_s:g}/s."
            yield cell(limit, "yellow")
    if status.service is not None:
        yield from (cell(f"  {line}", "dim") for line in status.service.describe(status.target, now))
    if due is not None:
        running = status.service is not None and status.service.life is Life.RUNNING
        condition = "" if running else ", if `nbsweep serve` runs"
        yield cell(f"  next sweep at {due:%Y-%m-%d %H:%M %Z}, in {format_age(due - now)}{condition}", "dim")


def _waiting(due: DueStatus) -> str:
    sweep = due.sweep
    begin = f"a sweep, due since {format_moment(sweep.due_at)} by {sweep.by},"
    if due.state is DueState.WORKER_SILENT:
        return f"{begin} was begun by a worker that reports nothing: if it has died, another worker goes on"
    if sweep.failures:
        times = "once" if sweep.failures == 1 else f"{sweep.failures} times in a row"
        return f"{begin} failed {times}, and a worker tries it again at {format_moment(sweep.not_before)}: {sweep.problem}"
    return f"{begin} waits for a worker{f': {sweep.problem}' if sweep.problem else ''}"


def _fleet_lines(fleet: FleetStatus) -> Iterator[Text]:
    counts = [(fleet.count(state), state) for state in WorkerState]
    workers = ", ".join(f"{count} {state}" for count, state in counts if count) or "none"
    leader = str(fleet.leader) if fleet.leader else "none"
    yield cell("fleet: ", "bold").append(f"workers: {workers}; leader: {leader}; `nbsweep fleet` shows more", style="not bold")
    for problem in fleet.problems_of_processes:
        yield cell(f"  {problem}", "red")


def _removal_lines(status: TargetStatus) -> Iterator[Text]:
    if status.unfinished:
        yield cell(f"  {_open(status)}", "yellow")
    if status.note:
        yield cell(f"  {status.note}", "yellow")
    if status.left_alone:
        yield cell(f"  no target follows {_names(status.left_alone)}", "yellow")


def _mark_lines(marks: TargetMarks, now: datetime) -> Iterator[Text]:
    if marks.totals.open:
        yield cell(f"  marks: {describe_totals(marks.totals, now)}", "bold" if marks.totals.due else "")
    for each in marks.untold[:MOST_OWNERS]:
        notebooks = "1 notebook" if each.notebooks == 1 else f"{each.notebooks} notebooks"
        state = "not told yet, tried again" if each.retried else "not told"
        yield cell(f"  {state}: {each.owner} ({notebooks}): {each.why}", "yellow")
    if len(marks.untold) > MOST_OWNERS:
        yield cell(f"  ... and {len(marks.untold) - MOST_OWNERS} more: `nbsweep marks --untold` shows all", "yellow")


def _outbox_lines(outbox: OutboxHealth, now: datetime) -> Iterator[Text]:
    if not (outbox.counts or outbox.failed or outbox.pause or outbox.waiting.count):
        return
    line = cell("messages: ", "bold").append(f"{outbox.pending} unsent", style="not bold")
    if outbox.oldest_at:
        by_channel = ", ".join(f"{count.pending} by {count.channel}" for count in outbox.counts)
        line.append_text(cell(f" ({by_channel}), the oldest for {format_age(now - outbox.oldest_at)}", "not bold"))
    if outbox.failed:
        line.append(f", {len(outbox.failed)} failed", style="not bold")
    yield line
    if outbox.waiting.oldest_at:
        items = (
            "1 item that no message lists"
            if outbox.waiting.count == 1
            else f"{outbox.waiting.count} items that no message lists"
        )
        yield cell(f"  {items} yet, the oldest for {format_age(now - outbox.waiting.oldest_at)}")
    if outbox.pause:
        yield cell(f"  sending is {outbox.pause}", "yellow")
    for problem in outbox.problems(now):
        yield cell(f"  {problem}", "red")


def _target(status: TargetStatus, now: datetime) -> Text:
    last = status.last
    line = cell(f"{status.target}: ", "bold")
    if last is None:
        return line.append("no sweep yet", style="red")
    line.append("last sweep ", style="not bold").append(last.outcome, style=f"not bold {STYLES.get(last.outcome, 'red')}")
    line.append_text(cell(f" {_when(last, now)}, by {last.started_by} ({last.run_id})", "not bold"))
    if last.ended_at:
        # The fleet of a sweep that crashed is not on record.
        planned = f"{last.planned} of {last.fleet}" if last.fleet or not last.planned else f"{last.planned}"
        line.append(f", {planned} notebooks planned", style="not bold")
    success = status.last_success
    if success is not last:
        line.append(f"; last success {_when(success, now)}" if success else "; no success on record", style="not bold")
    return line


def _when(record: RunRecord, now: datetime) -> str:
    moment = record.ended_at or record.started_at
    return f"{moment:%Y-%m-%d %H:%M:%S}Z, {format_age(now - moment)} ago"


def _open(status: TargetStatus) -> str:
    overdue = {removal.notebook_id for removal in status.overdue}
    removals = sorted(status.unfinished, key=lambda removal: removal.notebook_id not in overdue)
    count = "1 removal has" if len(removals) == 1 else f"{len(removals)} removals have"
    return f"{count} no end yet; the next run follows them first: {_names(removals)}"


def _names(removals: Sequence[Removal]) -> str:
    shown = ", ".join(map(_name, removals[:MOST_NAMES]))
    return f"{shown} and {len(removals) - MOST_NAMES} more" if len(removals) > MOST_NAMES else shown


def _name(removal: Removal) -> str:
    return f"{removal.name} ({removal.state})"
