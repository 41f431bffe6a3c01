"""`status` on one screen: whether all is well, then a few lines for each target."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from nbsweep.cli.views.results import STYLES, cell
from nbsweep.core.facts import format_age
from nbsweep.core.lease import describe_holder
from nbsweep.core.lifecycle import Removal
from nbsweep.core.runs import RunRecord
from nbsweep.core.status import TargetStatus

MOST_NAMES = 5


def status_view(standings: Sequence[TargetStatus], due: Mapping[str, datetime], now: datetime) -> RenderableType:
    """Return the view of all targets; `due` has the next due time of each."""
    return Group(_headline(standings), *(line for each in standings for line in _lines(each, due.get(each.target), now)))


def _headline(standings: Sequence[TargetStatus]) -> Text:
    unwell = [standing.target for standing in standings if not standing.well]
    if not unwell:
        return Text("All is well.", style="bold green")
    return cell(f"Not all is well: see {', '.join(unwell)}.", "bold red")


def _lines(standing: TargetStatus, due: datetime | None, now: datetime) -> Iterator[Text]:
    yield _target(standing, now)
    if standing.sweeping is not None:
        yield cell(f"  being swept now by {describe_holder(standing.sweeping)}", "cyan")
    for problem in standing.problems:
        yield cell(f"  {problem}", "red")
    if standing.unfinished:
        yield cell(f"  {_open(standing)}", "yellow")
    if standing.note:
        yield cell(f"  {standing.note}", "yellow")
    if standing.left_alone:
        yield cell(f"  nobody follows {_names(standing.left_alone)}", "yellow")
    for lane in (standing.last and standing.last.lanes) or ():
        if lane.learned_limit is not None:
            limit = f"  The gateway limits {lane.lane} to {lane.learned_limit}: it went at {lane.calls_per_s:g}/s at the end."
            yield cell(limit, "yellow")
    if due is not None:
        yield cell(f"  next sweep at {due:%Y-%m-%d %H:%M %Z}, in {format_age(due - now)}, where `nbsweep serve` runs", "dim")


def _target(standing: TargetStatus, now: datetime) -> Text:
    last = standing.last
    line = cell(f"{standing.target}: ", "bold")
    if last is None:
        return line.append("no sweep yet", style="red")
    line.append("last sweep ", style="not bold").append(last.outcome, style=f"not bold {STYLES.get(last.outcome, 'red')}")
    line.append_text(cell(f" {_when(last, now)} by {last.started_by} ({last.run_id})", "not bold"))
    if last.ended_at:
        line.append(f", {last.planned} of {last.fleet} notebooks planned", style="not bold")
    success = standing.last_success
    if success is not last:
        line.append(f"; last success {_when(success, now)}" if success else "; no success on record", style="not bold")
    return line


def _when(record: RunRecord, now: datetime) -> str:
    moment = record.ended_at or record.started_at
    return f"{moment:%Y-%m-%d %H:%M:%S}Z, {format_age(now - moment)} ago,"


def _open(standing: TargetStatus) -> str:
    overdue = {removal.notebook_id for removal in standing.overdue}
    removals = sorted(standing.unfinished, key=lambda removal: removal.notebook_id not in overdue)
    count = "1 removal has" if len(removals) == 1 else f"{len(removals)} removals have"
    return f"{count} no end yet; the next run follows them first: {_names(removals)}"


def _names(removals: Sequence[Removal]) -> str:
    shown = ", ".join(map(_name, removals[:MOST_NAMES]))
    return f"{shown} and {len(removals) - MOST_NAMES} more" if len(removals) > MOST_NAMES else shown


def _name(removal: Removal) -> str:
    return f"{removal.name} ({removal.state})"
