"""The differences between two sets of policies, as a table of a report."""

from nbsweep.documents.past.backtest import ComparisonDocument, NamedCountsDocument
from nbsweep.reports.model import CountsTable
from nbsweep.reports.rows import counts_rows
from nbsweep.reports.words import counted, rate, tried


def comparison_table(comparison: ComparisonDocument) -> CountsTable:
    """Return who would have deleted what: only these policies, only the others, or both."""
    other = tried(comparison.policies)
    named = (
        ("only by these policies", comparison.only_here),
        (f"only by {other}", comparison.only_there),
        ("by both, as in these policies", comparison.both_here),
        (f"by both, as in {other}", comparison.both_there),
    )
    rows = counts_rows([NamedCountsDocument(name, counts) for name, counts in named])
    note = f"All of {other}: {counted(comparison.total.deletions, 'deletion')}; regret: {rate(comparison.total)}."
    return CountsTable(f"Compared with {other}", "deleted", rows, note)
