"""`history --chart`: how many removals ended on each day, and how."""

from collections.abc import Sequence
from datetime import date

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from nbsweep.cli.views.past.charts import Legend, Part, StackedBar
from nbsweep.cli.views.results import STYLES, cell
from nbsweep.core.lifecycle import RemovalOutcome
from nbsweep.core.statistics.model import PeriodCounts
from nbsweep.core.statistics.periods import Span, Step, total_of

ENDS: tuple[RemovalOutcome, ...] = ("deleted", "failed", "timed_out")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Of the command line, which speaks English whatever the locale."""
PARTS = (
    Part("deleted", STYLES["deleted"], "█", "#"),
    Part("failed", STYLES["failed"], "▒", "x"),
    Part("timed out", STYLES["timed_out"], "░", "."),
)


def history_chart(periods: Sequence[PeriodCounts], span: Span) -> RenderableType:
    """Return a bar for each day, week or month since the first one with a removal, with its figures, and the sum of all.

    At least one period has a removal.
    """
    empty = next(place for place, period in enumerate(periods) if period.ends)
    shown = periods[empty:]
    largest = max(sum(_values(period)) for period in shown)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    table.add_column(span.step.upper(), no_wrap=True)
    table.add_column("")
    for name in (*(part.name.upper() for part in PARTS), "GB"):
        table.add_column(name, justify="right", no_wrap=True)
    for period in shown:
        values = _values(period)
        figures = (*values, period.reclaimed_gb)
        bar = StackedBar(PARTS, values, largest)
        table.add_row(cell(_label(period.begins, span.step)), bar, *(cell(each, "" if each else "dim") for each in figures))
    return Group(_heading(span), Legend(PARTS), table, _sum(shown, earlier=bool(empty)))


def _values(period: PeriodCounts) -> list[int]:
    return [period.ends.get(end, 0) for end in ENDS]


def _label(begins: date, step: Step) -> str:
    if step is Step.MONTH:
        return f"{begins:%Y-%m}"
    return f"{WEEKDAYS[begins.weekday()]} {begins}" if step is Step.DAY else f"{begins}"


def _heading(span: Span) -> Text:
    return cell(f"Removals by {span.step}, {span.first} to {span.last} ({span.zone.key})", "bold")


def _sum(periods: Sequence[PeriodCounts], *, earlier: bool) -> Text:
    total = total_of(periods)
    counts = ", ".join(f"{value} {part.name}" for value, part in zip(_values(total), PARTS, strict=True))
    none = f" None ended before {periods[0].begins}." if earlier else ""
    return cell(f"In all: {counts}; {total.reclaimed_gb} GB reclaimed.{none}")
