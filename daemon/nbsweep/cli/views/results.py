"""Tables for people. Without a terminal they are plain text: no colours, no control characters, and no cut lines."""

import sys
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console, Group, RenderableType
from rich.text import Text

from nbsweep.cli.text import printable
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, LongTable, Row, make_table
from nbsweep.core.lifecycle import Removal, outcome
from nbsweep.core.lookup import short_ids
from nbsweep.core.planning.brakes import Refusal
from nbsweep.core.planning.cool_down import FailureCause
from nbsweep.core.report import Report
from nbsweep.core.runs import TRIED, Outcome

WIDTH_OFF_TERMINAL = 200
WIDTH_WITHOUT_LIMIT = 100_000
"""Cells; no table is wider."""
A_FEW_MINUTES_S = 120
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


def refusal_line(refusal: Refusal) -> Text:
    """Return the line about a brake that refuses a plan."""
    return Text(f"Refused ({refusal.brake}): {printable(refusal.message)}.", style="bold red")


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
    if report.marks:
        done = ((report.marks.made, "marked"), (report.marks.cleared, "no longer marked"))
        line.append("".join(f"; {count} {words}" for count, words in done if count))
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
