"""`history`: the latest sweeps."""

from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.history import history_view
from nbsweep.documents.runs import run_documents


async def history_command(session: Session, limit: int, output: ReadFormat) -> Exit:
    """Show the latest sweeps, and how many notebooks each has deleted."""
    async with open_journal(session.settings.journal) as journal:
        records = await journal.runs(limit)
        counts = await journal.run_counts([record.run_id for record in records])
    if output == "json":
        session.write_json(run_documents(records, counts))
    elif records:
        session.show_result(history_view(records, counts))
    else:
        session.write_result("The journal has no sweep yet.")
    return Exit.DONE
