"""`show`: one run and the result of each notebook."""

from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.results import history_table, removal_table
from nbsweep.core.errors import NbsweepError
from nbsweep.documents.runs import show_document


async def show_command(session: Session, run_id: str, output: ReadFormat) -> Exit:
    """Show one run and the result of each notebook."""
    async with open_journal(session.settings.journal) as journal:
        records, removals = await journal.run(run_id), await journal.removals(run_id)
    if not records:
        message = f"the journal has no run {run_id}; `nbsweep history` lists the runs"
        raise NbsweepError(message)
    if output == "json":
        session.write_json(show_document(run_id, records, removals))
    else:
        session.show_result(history_table(records))
        if removals:
            session.show_result(removal_table(removals))
    return Exit.DONE
