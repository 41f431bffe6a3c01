"""`show`: one run and the result of each notebook."""

from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.past.history import history_view, removal_table
from nbsweep.core.errors import NbsweepError
from nbsweep.core.ports import Journal
from nbsweep.documents.runs import show_document
from nbsweep.engine.inspection.lookup import find_run

LAST = "last"
"""Names the latest run."""


async def show_command(session: Session, run_id: str, output: ReadFormat) -> Exit:
    """Show one run and the result of each notebook."""
    async with open_journal(session.settings.journal) as journal:
        run_id = await _last(journal) if run_id == LAST else await find_run(journal, run_id) or run_id
        records, removals = await journal.run(run_id), await journal.removals(run_id)
        counts = await journal.run_counts([run_id])
    if not records:
        message = f"the journal has no run {run_id}; `nbsweep history` lists the runs"
        raise NbsweepError(message)
    if output == "json":
        session.write_json(show_document(records, counts, removals))
    else:
        session.show_result(history_view(records, counts))
        if removals:
            session.show_result(removal_table(removals, wide=session.screen.wide))
    return Exit.DONE


async def _last(journal: Journal) -> str:
    for record in await journal.runs(1):
        return record.run_id
    message = "the journal has no run yet"
    raise NbsweepError(message)
