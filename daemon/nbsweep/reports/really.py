"""What really came of notebooks, as a section of a report."""

from nbsweep.documents.past.backtest import NamedCountsDocument, RealityDocument, RecreatedDocument
from nbsweep.reports.model import RealitySection, RecreatedRow
from nbsweep.reports.rows import counts_rows
from nbsweep.reports.words import minute, more, really_deleted, really_held

MOST_RECREATED = 200


def reality_section(reality: RealityDocument) -> RealitySection:
    """Return which deleted notebooks were created again, and what became of those that were held out."""
    held, found = reality.held_out, reality.recreated
    return RealitySection(
        deleted=really_deleted(reality.deleted, len(found)) if reality.deleted else "",
        recreated=[_recreated_row(each) for each in found[:MOST_RECREATED]],
        recreated_note=more(len(found) - MOST_RECREATED, "notebook"),
        held=really_held(held) if held.deletions else "",
        held_rows=counts_rows([NamedCountsDocument("held out", held)]) if held.deletions else [],
    )


def _recreated_row(found: RecreatedDocument) -> RecreatedRow:
    return RecreatedRow(
        name=found.name or "-",
        id=found.id,
        owner=found.owner,
        policy=found.policy,
        deleted=minute(found.deleted_at),
        new=found.new_name or found.new_id,
        created=minute(found.created_at),
        same=found.by,
    )
