"""The view of `journal prune`: what would go, by month and table."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import asdict
from rich.console import Group, RenderableType

from nbsweep.cli.views.results import cell
from nbsweep.cli.views.tables import Column, Row, make_table
from nbsweep.core.retention.model import Pruned

KINDS: Mapping[str, tuple[str, str]] = {
    "runs": ("sweep", "sweeps"),
    "removals": ("removal", "removals"),
    "marks": ("mark", "marks"),
    "messages": ("message", "messages"),
    "exemptions": ("exemption", "exemptions"),
}
"""What one and what several are called; sweeps are those of one target."""
COLUMNS = (Column("MONTH"), *(Column(several.upper(), right=True) for _, several in KINDS.values()))


def prune_view(months: Mapping[str, Pruned], before: datetime) -> RenderableType:
    """Return the table of the months in which records ended that would go, and how many they are."""
    total = sum(months.values(), Pruned())
    return Group(
        make_table(COLUMNS, lambda: (_row(month, counts) for month, counts in months.items())),
        cell(f"{counts_text(total)} that ended before {before:%Y-%m-%d}; nothing is deleted yet.", "bold"),
    )


def counts_text(counts: Pruned) -> str:
    """Return the numbers of what is not 0, such as "3 sweeps and 1 mark"."""
    parts = [f"{number} {KINDS[kind][number != 1]}" for kind, number in asdict(counts).items() if number]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "nothing"


def _row(month: str, counts: Pruned) -> Row:
    return (cell(month), *(cell(number) for number in asdict(counts).values()))
