"""The audit trail as a table."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType

from nbsweep.cli.auditing import about_older, moment_or_none
from nbsweep.cli.render import STYLES, cell
from nbsweep.cli.tables import WIDEST, Column, Row, make_table
from nbsweep.core.audit.entries import Coverage, Entry
from nbsweep.core.audit.steps import AuditStep

WHAT_STYLES: Mapping[str, str] = {
    **STYLES,
    AuditStep.DECIDED: "cyan",
    AuditStep.REQUESTED: "bold",
    AuditStep.WITHDRAWN: "yellow",
    AuditStep.DELETE_FAILED: "red",
}


COLUMNS = (
    Column("ENTRY", right=True),
    *(Column(heading, most=WIDEST) for heading in ("TIME", "WHAT", "NOTEBOOK", "OWNER", "POLICY", "RUN", "STARTED BY")),
    Column("WHY", folds=True),
)


def audit_view(entries: Sequence[Entry], coverage: Coverage) -> RenderableType:
    """Show entries, and say what the trail has none of."""
    table = make_table(COLUMNS, lambda: map(_row, entries))
    older = about_older(coverage)
    return Group(table, cell(older, "dim")) if older else table


def _row(entry: Entry) -> Row:
    moment = moment_or_none(entry)
    return (
        cell(entry.sequence),
        cell(f"{moment:%Y-%m-%d %H:%M:%S}Z" if moment else "?"),
        cell(entry.what, WHAT_STYLES.get(entry.what, "")),
        cell(entry.name),
        cell(entry.owner),
        cell(entry.policy),
        cell(entry.run_id),
        cell(entry.started_by),
        cell(entry.reason or entry.request_id, "dim"),
    )
