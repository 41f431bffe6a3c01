"""The differences between two sets of policies, as a table of a report."""

from nbsweep.documents.backtest import ComparisonDocument, NamedCountsDocument
from nbsweep.reports.model import CountsTable
from nbsweep.reports.rows import counts_rows
from nbsweep.reports.words import counted, rate


def comparison_table(comparison: ComparisonDocument) -> CountsTable:
    """Return who would have deleted what: only these policies, only the others, or both."""
    other = comparison.policies
    named = (
        ("only by these policies", comparison.only_here),
        (f"only by {other}", comparison.only_there),
        ("by both, as these do it", comparison.both_here),
        (f"by both, as {other} does it", comparison.both_there),
    )
    rows = counts_rows([NamedCountsDocument(name, counts) for name, counts in named])
    note = f"{other}: {counted(comparison.total.deletions, 'deletion')} in all, {rate(comparison.total)}."
    return CountsTable(f"Compared with {other}", "deleted", rows, note)
