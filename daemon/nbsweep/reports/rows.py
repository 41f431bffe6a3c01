"""Rows of counts, each with a bar in the scale of its table."""

from collections.abc import Sequence

from markupsafe import Markup

from nbsweep.documents.past.backtest import LabelCountsDocument, NamedCountsDocument
from nbsweep.reports.figures import counts_strip
from nbsweep.reports.model import CountsRow
from nbsweep.reports.words import interval, percent


def counts_rows(groups: Sequence[NamedCountsDocument]) -> list[CountsRow]:
    """Return the rows of a table."""
    largest = max((group.counts.deletions for group in groups), default=0)
    return [_row(group.name, group.counts, largest) for group in groups]


def _row(name: str, counts: LabelCountsDocument, largest: int) -> CountsRow:
    judged = counts.regret is not None
    return CountsRow(
        name=name,
        bar=Markup(counts_strip(counts, largest)),  # noqa: S704  # made by `charts`, and without a text
        deletions=counts.deletions,
        came_back=counts.came_back,
        regret=percent(counts.regret) if counts.regret is not None else "-",
        interval=interval(counts) if judged else "-",
        removed=counts.removed_by_owner,
        idle=counts.still_idle,
        censored=counts.censored,
        capacity_gb=counts.capacity_gb,
    )
