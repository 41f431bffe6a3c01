"""Tables for people. Without a terminal they are plain text: no colours, no control characters, and no cut lines."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice

from rich.console import Console, Group, RenderableType
from rich.text import Text

from nbsweep.cli.text import printable
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, LongTable, Row, make_table
from nbsweep.core.facts import format_age
from nbsweep.core.lifecycle import Removal, outcome
from nbsweep.core.lookup import short_ids
from nbsweep.core.planning.brakes import Refusal
from nbsweep.core.planning.cool_down import FailureCause
from nbsweep.core.planning.matches import RuleMatch, describe_matches
from nbsweep.core.planning.plan import Candidate, Plan, describe_malformed
from nbsweep.core.report import Report
from nbsweep.core.runs import TRIED, Outcome
from nbsweep.core.saved_plan.model import Spared

WIDTH_OFF_TERMINAL = 200
WIDTH_WITHOUT_LIMIT = 100_000
"""Cells; no table is wider."""
A_FEW_MINUTES_S = 120
MALFORMED_SHOWN = 20
"""Number of malformed rows that are shown one by one."""
STYLES: Mapping[str, str] = {
    "deleted": "green",
    "spared": "cyan",
    "failed": "red",
    "timed_out": "yellow",
    "unfinished": "yellow",
    "finished": "green",
    "dry-run": "cyan",
    "refused": "red",
    "interrupted": "yellow",
    "declined": "yellow",
    "running": "yellow",
    "pass": "green",
    "fail": "red",
    "unknown": "yellow",
    "keep": "cyan",
    "delete": "red",
}


def make_console(*, stderr: bool = False, wide: bool = False) -> Console:
    """Build a console for stdout or stderr; a wide one leaves it to the terminal to wrap long lines."""
    stream = sys.stderr if stderr else sys.stdout
    width = WIDTH_WITHOUT_LIMIT if wide else None if stream.isatty() else WIDTH_OFF_TERMINAL
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def plain_text(console: Console, view: RenderableType) -> str:
    """Render a view for a console; without a terminal, without the blanks at the ends of lines."""
    with console.capture() as capture:
        console.print(view)
    text = capture.get()
    if console.is_terminal:
        return text
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def text_pieces(console: Console, view: RenderableType) -> Iterator[str]:
    """Yield a view as `plain_text` renders it, a long table line by line, so that it is never in memory at once."""
    parts = view.renderables if isinstance(view, Group) else [view]
    if not any(isinstance(part, LongTable) for part in parts):
        yield plain_text(console, view)
        return
    for part in parts:
        if isinstance(part, LongTable):
            yield from (f"{line}\n" for line in part.lines(console.width))
        else:
            yield plain_text(console, part)


def cell(text: object, style: str = "") -> Text:
    """Return a table cell of foreign text, in which markup has no effect."""
    return Text(printable(text), style=style)


def plan_view(plan: Plan, spared: Sequence[Spared] = (), *, most: int | None = None, wide: bool = False) -> RenderableType:
    """Return the view of a plan: which notebooks would be deleted, why, and which are kept."""
    parts: list[RenderableType] = []
    if plan.items:
        parts.append(_plan_table(plan, most, wide=wide))
    parts.append(_plan_summary(plan))
    parts += _matches(plan.matched)
    parts += [
        cell(f"  spared, although it is in the saved plan: {each.item.name or each.item.id}: {each.why}") for each in spared
    ]
    parts += [
        cell(f"  kept, because its row is malformed: {row.name or row.id or 'a row without an ID'}: {row.problem}")
        for row in plan.malformed[:MALFORMED_SHOWN]
    ]
    parts += [cell(f"  excluded by {each.by}: {each.name or each.id} ({each.id})") for each in plan.excluded]
    if plan.policies:
        parts.append(cell(f"  only policy {', '.join(plan.policies)}: notebooks that other policies match are kept"))
    if len(plan.malformed) > MALFORMED_SHOWN or describe_malformed(plan.malformed, plan.fleet):
        parts.append(cell(f"  {len(plan.malformed)} of {plan.fleet} notebooks cannot be read, and are kept", "bold yellow"))
    parts += [cell(f"  not looked at: {gap}", "bold yellow") for gap in plan.refused]
    if plan.trimmed:
        parts.append(cell(f"Trimmed: {plan.trimmed}.", "bold yellow"))
    parts += map(refusal_line, plan.refusals)
    return Group(*parts)


def _matches(matches: Sequence[RuleMatch]) -> Iterator[Text]:
    """Yield how many notebooks each policy and each protection matches, and which rules match none."""
    for kind, title in (("policy", "policies"), ("protection", "protections")):
        found = [match for match in matches if match.kind == kind and match.notebooks]
        if found:
            yield cell(f"  matched by {title}: {describe_matches(found)}", "dim")
    if none := [f"{match.kind} {match.name}" for match in matches if not match.notebooks]:
        yield cell(f"  matched nothing: {'; '.join(none)}", "yellow")


def refusal_line(refusal: Refusal) -> Text:
    """Return the line about a brake that refuses a plan."""
    return Text(f"Refused ({refusal.brake}): {printable(refusal.message)}.", style="bold red")


PLAN_COLUMNS = (
    Column("ID", leaves=5),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME, leaves=4),
    Column("STATUS", leaves=2),
    Column("IDLE", right=True, leaves=1),
    Column("GB", right=True),
    Column("POLICY", most=SHORT_NAME, leaves=3),
    Column("WHY", folds=True),
)


def _plan_table(plan: Plan, most: int | None, *, wide: bool) -> RenderableType:
    left_out = max(0, len(plan.items) - most) if most is not None else 0
    ids = short_ids(item.notebook.id for item in plan.items)

    def rows() -> Iterator[Row]:
        for item in islice(plan.items, len(plan.items) - left_out):
            yield (cell(ids[item.notebook.id]), *_plan_row(plan, item, wide=wide))
        if left_out:
            yield (Text(), Text(f"... and {left_out} more", style="dim"), *(Text() for _ in PLAN_COLUMNS[2:]))

    return make_table(PLAN_COLUMNS, rows)


def _plan_row(plan: Plan, item: Candidate, *, wide: bool) -> Row:
    notebook = item.notebook
    idle = format_age(max(plan.created_at - item.idle_since, timedelta(0))) if item.idle_since else "?"
    volume = notebook.volume
    # A dedicated disk stays, so it does not count in the total either.
    capacity = "-" if volume and volume.is_dedicated else volume.capacity_gb if volume else None
    return (
        cell(notebook.label),
        cell(notebook.owner_label),
        cell(notebook.status),
        cell(idle),
        cell("?" if capacity is None else capacity),
        cell(item.verdict.rule),
        cell(_why(item, wide=wide), "dim"),
    )


def _why(item: Candidate, *, wide: bool) -> str:
    """Return the facts behind a verdict, in few words unless the table may be wide."""
    findings = item.verdict.findings
    facts = "; ".join(map(str, findings)) if wide else ", ".join(finding.brief for finding in findings)
    if not item.verdict.stop_first:
        return facts
    return f"stop, then delete: {facts}" if wide else f"stop first: {facts}"


def _plan_summary(plan: Plan) -> Text:
    capacity_gb = sum(item.notebook.volume.reclaimable_gb or 0 for item in plan.items if item.notebook.volume)
    share = f" ({len(plan.items) / plan.fleet:.0%})" if plan.fleet else ""
    kept = ", ".join(f"{count} {reason}" for reason, count in sorted(plan.kept.items(), key=lambda pair: -pair[1]))
    line = Text.assemble(
        (printable(plan.target), "bold"),
        f": {plan.fleet} notebooks; ",
        (f"{len(plan.items)} to delete{share}, {capacity_gb} GB", "bold red" if plan.items else "bold green"),
        f"; {sum(plan.kept.values())} kept" + (f": {kept}" if kept else ""),
    )
    line.append(".")
    return line


def report_view(report: Report) -> RenderableType:
    """Return the view of a report: deleted notebooks are counted, spared ones named, and failures grouped by cause."""
    parts: list[RenderableType] = []
    if report.recovered:
        parts.append(cell(f"{report.target}: {len(report.recovered)} removals of an earlier run were finished."))
    causes = report.causes
    others = [removal for removal in report.removals if removal.state not in TRIED]
    ids = short_ids(removal.notebook_id for removal in (*others, *(cause.example for cause in causes)))
    if causes or others:
        parts.append(make_table(REMOVAL_COLUMNS, lambda: _result_rows(others, causes, ids)))
    if report.removals and report.plan:
        parts += map(refusal_line, report.plan.refusals)
    if report.plan:
        parts += [cell(f"  not looked at: {gap}", "bold yellow") for gap in report.plan.refused]
    parts.append(_report_summary(report))
    if report.error:
        parts.append(cell(f"{report.target}: {report.error}", "bold red"))
    return Group(*parts)


def _result_rows(others: Iterable[Removal], causes: Iterable[FailureCause], ids: Mapping[str, str]) -> Iterator[Row]:
    yield from ((cell(ids[removal.notebook_id]), *_removal_row(removal)) for removal in others)
    yield from ((cell(ids[cause.example.notebook_id]), *_cause_row(cause)) for cause in causes)


def _report_summary(report: Report) -> Text:
    line = Text.assemble(
        (printable(report.target), "bold"),
        ": ",
        (report.outcome, STYLES.get(report.outcome, "red")),
        f" in {format_seconds(report.duration_s)}",
    )
    if report.removals:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()))
        line.append(f"; {counts}; {report.reclaimed_gb} GB reclaimed")
    elif report.outcome is Outcome.FINISHED:
        trimmed = report.plan.trimmed if report.plan else ""
        line.append(f"; nothing to delete: {printable(trimmed)}" if trimmed else "; nothing to delete")
    return line.append(".")


def format_seconds(seconds: float) -> str:
    """Return a duration in readable form."""
    return f"{seconds:.1f} s" if seconds < A_FEW_MINUTES_S else f"{seconds / 60:.1f} min"


REMOVAL_COLUMNS = (
    Column("ID", leaves=3),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME, leaves=2),
    Column("POLICY", most=SHORT_NAME, leaves=1),
    Column("OUTCOME"),
    Column("REASON", folds=True),
)


def _removal_row(removal: Removal) -> Row:
    end = outcome(removal)
    return (
        cell(removal.name),
        cell(removal.owner),
        cell(removal.policy),
        cell(end, STYLES[end]),
        cell(removal.end_reason or removal.reason, "dim"),
    )


def _cause_row(cause: FailureCause) -> Row:
    """Return the row of all removals that failed for one cause."""
    example, others = cause.example, len(cause.removals) - 1
    end = outcome(example)
    return (
        cell(f"{example.name} and {others} more" if others else example.name),
        cell(example.owner),
        cell(example.policy),
        cell(end, STYLES[end]),
        cell(cause.cause if others else example.end_reason, "dim"),
    )
