"""The audit trail as a table."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType

from nbsweep.cli.views.results import STYLES, cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.lookup import short_ids
from nbsweep.documents.audit import VerifiedTrail, moment_or_none

WHAT_STYLES: Mapping[str, str] = {
    **STYLES,
    AuditStep.DECIDED: "cyan",
    AuditStep.REQUESTED: "bold",
    AuditStep.WITHDRAWN: "yellow",
    AuditStep.DELETE_FAILED: "red",
    AuditStep.MARKED: "cyan",
    AuditStep.TOLD: "bold",
    AuditStep.CLEARED: "green",
    AuditStep.EXEMPTED: "green",
    AuditStep.REVOKED: "yellow",
    AuditStep.PAUSED: "yellow",
    AuditStep.RESUMED: "green",
    AuditStep.SWEEP_REQUESTED: "cyan",
}


COLUMNS = (
    Column("ENTRY", right=True),
    Column("TIME", leaves=5),
    Column("WHAT"),
    Column("ID", leaves=6),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME, leaves=3),
    Column("POLICY", most=SHORT_NAME, leaves=2),
    Column("RUN", leaves=4),
    Column("STARTED BY", most=SHORT_NAME, leaves=1),
    Column("WHY", folds=True),
)


def audit_view(entries: Sequence[AuditEntry], coverage: AuditCoverage) -> RenderableType:
    """Return the view of entries, with a note on removals that the trail does not cover."""
    ids = short_ids(entry.notebook_id for entry in entries)
    table = make_table(COLUMNS, lambda: (_row(entry, ids) for entry in entries))
    older = about_older(coverage)
    return Group(table, cell(older, "dim")) if older else table


def _row(entry: AuditEntry, ids: Mapping[str, str]) -> Row:
    moment = moment_or_none(entry)
    return (
        cell(entry.sequence),
        cell(f"{moment:%Y-%m-%d %H:%M:%S}Z" if moment else "?"),
        cell(entry.what, WHAT_STYLES.get(entry.what, "")),
        cell(ids[entry.notebook_id]),
        cell(entry.name),
        cell(entry.owner),
        cell(entry.policy),
        cell(entry.run_id),
        cell(entry.started_by),
        cell(entry.reason or entry.request_id, "dim"),
    )


def verification_lines(verified: VerifiedTrail) -> list[str]:
    """Return the lines of the result of `audit verify`."""
    head, broken = verified.head, verified.broken
    if broken:
        return [f"The audit trail is broken ({broken.flaw}): {broken.problem}.", f"It is unbroken up to entry {head.sequence}."]
    if not head.sequence:
        return [f"The audit trail has no entry yet.{about_older(verified.coverage)}"]
    count = "1 entry" if head.sequence == 1 else f"{head.sequence} entries"
    noted = f" Entry {verified.noted.sequence} is as it was noted." if verified.noted and verified.noted.sequence else ""
    return [
        f"The audit trail is unbroken: {count}.{noted}{about_older(verified.coverage)}",
        f"Its head is {head}",
        "Note it where writers of the journal cannot change it: `nbsweep audit verify --head` then finds any later change.",
    ]


def about_older(coverage: AuditCoverage) -> str:
    """Return a sentence on the removals that are older than the trail."""
    if not coverage.older:
        return ""
    count = "1 removal of the journal is" if coverage.older == 1 else f"{coverage.older} removals of the journal are"
    return f" {count} older than the trail; their decisions are not in it."
