"""`history` and `show`: the sweeps of the past, and what became of each notebook."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from nbsweep.cli.views.results import STYLES, cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.facts import format_age
from nbsweep.core.lifecycle import Removal, outcome
from nbsweep.core.lookup import short_ids
from nbsweep.core.matching.conditions import shorten
from nbsweep.core.runs import RunCounts, RunRecord

HISTORY_COLUMNS = (
    Column("RUN"),
    Column("TARGET", most=SHORT_NAME, leaves=7),
    Column("STARTED", leaves=2),
    Column("BY", most=SHORT_NAME, leaves=1),
    Column("TOOK", right=True, leaves=4),
    Column("OUTCOME"),
    Column("FLEET", right=True, leaves=3),
    Column("PLANNED", right=True, leaves=5),
    Column("DELETED", right=True),
    Column("FAILED", right=True, leaves=8),
    Column("SPARED", right=True, leaves=6),
    Column("GB", right=True),
)
REMOVAL_COLUMNS = (
    Column("ID", leaves=2),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME, leaves=1),
    Column("POLICY", most=SHORT_NAME),
    Column("GB", right=True),
    Column("WHY", folds=True),
    Column("OUTCOME"),
    Column("END", folds=True),
)


def history_view(records: Sequence[RunRecord], counts: Iterable[RunCounts]) -> RenderableType:
    """Return the table of sweeps, the newest first, and below it the problem of each sweep that has one."""
    known = {(each.run_id, each.target): each for each in counts}
    rows = [_history_row(record, known.get((record.run_id, record.target))) for record in records]
    return Group(make_table(HISTORY_COLUMNS, lambda: rows), *(_problem(record) for record in records if record.problem))


def _history_row(record: RunRecord, counts: RunCounts | None) -> Row:
    took = format_age(record.ended_at - record.started_at) if record.ended_at else ""
    return (
        cell(record.run_id),
        cell(record.target),
        cell(f"{record.started_at:%Y-%m-%d %H:%M:%S}Z"),
        cell(record.started_by),
        cell(took),
        cell(record.outcome, STYLES.get(record.outcome, "red")),
        cell(record.fleet),
        cell(record.planned),
        *_counts(counts),
    )


def _counts(counts: RunCounts | None) -> Row:
    """Return how many were deleted, failed or timed out, and were spared, and the GB of the deleted disks."""
    if counts is None:
        return (cell("-", "dim"),) * 4
    ends = counts.ends
    failed = ends.get("failed", 0) + ends.get("timed_out", 0)
    return (
        cell(ends.get("deleted", 0)),
        cell(failed, "red" if failed else ""),
        cell(ends.get("spared", 0)),
        cell(counts.reclaimed_gb),
    )


def _problem(record: RunRecord) -> Text:
    return cell(f"{record.run_id}, {record.target}: {record.problem}", "dim")


def removal_table(removals: Sequence[Removal], *, wide: bool) -> RenderableType:
    """Return the table of removals: why each notebook was planned, and how its removal ended."""
    ids = short_ids(removal.notebook_id for removal in removals)
    return make_table(
        REMOVAL_COLUMNS, lambda: ((cell(ids[each.notebook_id]), *_removal_row(each, wide=wide)) for each in removals)
    )


def _removal_row(removal: Removal, *, wide: bool) -> Row:
    end = outcome(removal)
    # The policy has a column of its own.
    reason = removal.reason.removeprefix(f"policy {removal.policy}: ")
    return (
        cell(removal.name),
        cell(removal.owner),
        cell(removal.policy),
        cell("-" if removal.capacity_gb is None else removal.capacity_gb),
        cell(reason if wide else shorten(reason), "dim"),
        cell(end, STYLES[end]),
        cell(removal.end_reason, "dim"),
    )
