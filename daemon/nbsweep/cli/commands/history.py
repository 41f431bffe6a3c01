"""`history`: the latest sweeps."""

from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.results import history_table
from nbsweep.documents.runs import run_document


async def history_command(session: Session, limit: int, output: ReadFormat) -> Exit:
    """Show the latest sweeps."""
    async with open_journal(session.settings.journal) as journal:
        records = await journal.runs(limit)
    if output == "json":
        session.write_json([run_document(record) for record in records])
    elif records:
        session.show_result(history_table(records))
    else:
        session.write_result("The journal has no sweep yet.")
    return Exit.DONE
