"""The table of `check`, for people."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from nbsweep.cli.views.results import cell
from nbsweep.core.checks import Check, Grade

STYLES: Mapping[Grade, str] = {
    Grade.OK: "green",
    Grade.WARNING: "yellow",
    Grade.FAILED: "bold red",
    Grade.NOT_TRIED: "dim",
}


def check_view(checks: Sequence[Check]) -> RenderableType:
    """Return the view of all checks: the findings, a summary, and the advice."""
    targets = list(dict.fromkeys(check.target for check in checks))
    parts: list[RenderableType] = [_table(target, [check for check in checks if check.target == target]) for target in targets]
    return Group(*parts, _summary(checks), *_advice(checks))


def _table(target: str | None, checks: Sequence[Check]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column(cell(target or "nbsweep"), no_wrap=True, min_width=16)
    table.add_column("STATUS", no_wrap=True, min_width=9)
    table.add_column("FINDING", overflow="fold")
    for check in checks:
        table.add_row(cell(check.name), cell(check.grade, STYLES[check.grade]), cell(check.finding))
    return table


def _summary(checks: Sequence[Check]) -> Text:
    counts = {grade: sum(check.grade is grade for check in checks) for grade in Grade}
    if counts[Grade.OK] == len(checks):
        return Text(f"All {len(checks)} checks are ok.", style="bold green")
    words = {Grade.OK: "ok", Grade.FAILED: "failed", Grade.NOT_TRIED: "not tried"}
    words[Grade.WARNING] = "warning" if counts[Grade.WARNING] == 1 else "warnings"
    counted = ", ".join(f"{count} {words[grade]}" for grade, count in counts.items() if count)
    return Text(f"{counted}.", style="bold red" if counts[Grade.FAILED] else "bold yellow")


def _advice(checks: Sequence[Check]) -> list[Text]:
    """Return the advice: on failures first, then on warnings."""
    to_do = [
        _line(check) for grade in (Grade.FAILED, Grade.WARNING) for check in checks if check.grade is grade and check.advice
    ]
    hints = [_line(check) for check in checks if check.grade is Grade.OK and check.advice]
    shown = [Text("What to do:", style="bold"), *to_do] if to_do else []
    return [*shown, Text("Worth a thought:", style="bold"), *hints] if hints else shown


def _line(check: Check) -> Text:
    place = f"{check.target}, {check.name}" if check.target else str(check.name)
    return cell(f"  {place}: {check.advice}", STYLES[check.grade])
