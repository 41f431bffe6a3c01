"""The results, for a terminal and as Markdown."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.figures import Figures
from bench.runs import Result
from bench.targets import Check

WIDTH_OFF_TERMINAL = 170
RESULT_COLUMNS = (
    "scenario",
    "program",
    "notebooks",
    "last DELETE / floor",
    "calls each",
    "throttled",
    "lag last / worst",
    "CPU each",
    "peak memory",
)
CHECK_COLUMNS = ("scenario", "target", "figure", "")
TEXT_COLUMNS = 2
"""So many columns from the left are words, the others figures."""


def console() -> Console:
    """Return the screen; where there is none, lines are wide enough for the table."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=WIDTH_OFF_TERMINAL)


def result_cells(result: Result) -> tuple[str, ...]:
    """Write one line of the table; an asterisk says that there is something to know about it."""
    found = result.figures
    return (
        result.scenario.name,
        result.program + ("*" if result.problem else ""),
        f"{result.scenario.notebooks:,}",
        _time_cell(result),
        f"{found.calls_per_notebook:.2f}",
        f"{found.throttled_share:.1%}",
        _lag_cell(found),
        f"{found.cpu_ms_per_notebook:.2f} ms",
        f"{found.peak_mb:.0f} MB",
    )


def check_cells(check: Check) -> tuple[str, ...]:
    """Write one target's line."""
    word = {True: "met", False: "NOT MET", None: "not measured"}[check.met]
    return (check.about, check.target, check.figure, word)


def show(screen: Console, results: Sequence[Result], checks: Sequence[Check]) -> None:
    """Draw both tables, and what there is to know."""
    if results:
        table = Table(*RESULT_COLUMNS)
        for column in table.columns[TEXT_COLUMNS:]:
            column.justify = "right"
        for result in results:
            table.add_row(*map(Text, result_cells(result)))
        screen.print(table)
        for line in notes(results):
            screen.print(Text(line), soft_wrap=True)
    table = Table(*CHECK_COLUMNS)
    for check in checks:
        table.add_row(*map(Text, check_cells(check)))
    screen.print(table)


def markdown(results: Sequence[Result], checks: Sequence[Check]) -> str:
    """Write the same as Markdown."""
    parts = []
    if results:
        right = TEXT_COLUMNS, len(RESULT_COLUMNS)
        parts.append(markdown_table(RESULT_COLUMNS, [result_cells(result) for result in results], range(*right)))
        parts.append("\n".join(f"- {line}" for line in notes(results)))
    parts.append(markdown_table(CHECK_COLUMNS, [check_cells(check) for check in checks], range(0)))
    return "\n\n".join(parts)


def notes(results: Sequence[Result]) -> list[str]:
    """Return what each scenario is, and what went wrong in it."""
    titles = {result.scenario.name: result.scenario for result in results}.values()
    delays = [
        f"{one.name}: {one.title}; {one.latency_s * 1000:g} ms latency, deletions of {one.deletion_s:g} s median"
        for one in titles
    ]
    several = [f"{one.name}: nbsweep's run with the least CPU of {one.runs}" for one in titles if one.runs > 1]
    troubles = [f"* {result.scenario.name}, {result.program}: {result.problem}" for result in results if result.problem]
    return delays + several + troubles


def _time_cell(result: Result) -> str:
    found = result.figures
    if not found.accepted:
        return "none accepted"
    # Not all were accepted: it would have taken longer still.
    longer = "> " if found.accepted < result.scenario.expected else ""
    if found.over_floor is None:
        return f"{longer}{found.to_last_s:.1f} s, no floor"
    return f"{longer}{found.to_last_s:.1f} s / {found.floor_s:.1f} s = {found.over_floor:.2f}"


def _lag_cell(found: Figures) -> str:
    if found.last_lag_s is None or found.worst_lag_s is None:
        return "-"
    return f"{found.last_lag_s:.1f} / {found.worst_lag_s:.1f} s"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: range) -> str:
    """Write a table as Markdown; `right` are the columns with figures."""
    rule = ["---:" if place in right else "---" for place in range(len(columns))]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (columns, rule, *rows))
