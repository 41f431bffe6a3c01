"""The view of `status`: a summary, then a few lines for each target."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from nbsweep.cli.views.results import STYLES, cell
from nbsweep.core.control.services import Life
from nbsweep.core.facts import format_age
from nbsweep.core.lease import describe_holder
from nbsweep.core.lifecycle import Removal
from nbsweep.core.runs import RunRecord
from nbsweep.core.status import TargetStatus

MOST_NAMES = 5


def status_view(statuses: Sequence[TargetStatus], due: Mapping[str, datetime], now: datetime) -> RenderableType:
    """Return the view of all targets; `due` has the next due time of each."""
    return Group(_headline(statuses), *(line for each in statuses for line in _lines(each, due.get(each.target), now)))


def _headline(statuses: Sequence[TargetStatus]) -> Text:
    unwell = [status.target for status in statuses if not status.well]
    if not unwell:
        return Text("All is well.", style="bold green")
    return cell(f"Not all is well: see {', '.join(unwell)}.", "bold red")


def _lines(status: TargetStatus, due: datetime | None, now: datetime) -> Iterator[Text]:
    yield _target(status, now)
    if status.sweeping is not None:
        yield cell(f"  being swept now by {describe_holder(status.sweeping)}", "cyan")
    if status.pause is not None:
        yield cell(f"  {status.pause}", "yellow")
    for problem in status.problems:
        yield cell(f"  {problem}", "red")
    yield from _removal_lines(status)
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


def _removal_lines(status: TargetStatus) -> Iterator[Text]:
    if status.unfinished:
        yield cell(f"  {_open(status)}", "yellow")
    if status.note:
        yield cell(f"  {status.note}", "yellow")
    if status.left_alone:
        yield cell(f"  no target follows {_names(status.left_alone)}", "yellow")


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
