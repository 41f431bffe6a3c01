"""The audit trail as a table."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table

from nbsweep.cli.auditing import about_older, moment_or_none
from nbsweep.cli.render import STYLES, cell
from nbsweep.core.audit import Coverage, Entry
from nbsweep.core.audit_steps import What

WHAT_STYLES: Mapping[str, str] = {
    **STYLES,
    What.DECIDED: "cyan",
    What.REQUESTED: "bold",
    What.WITHDRAWN: "yellow",
    What.DELETE_FAILED: "red",
}


def audit_view(entries: Sequence[Entry], coverage: Coverage) -> RenderableType:
    """Show entries, and say what the trail has none of."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("ENTRY", justify="right", no_wrap=True)
    for heading in ("TIME", "WHAT", "NOTEBOOK", "OWNER", "POLICY", "RUN", "STARTED BY"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", max_width=36)
    table.add_column("WHY", overflow="fold")
    for entry in entries:
        moment = moment_or_none(entry)
        table.add_row(
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
    older = about_older(coverage)
    return Group(table, cell(older, "dim")) if older else table
