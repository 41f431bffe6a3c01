"""`status`, `history` and `show`: what the journal knows."""

from typing import Literal

from nbsweep.adapters.journal import open_journal
from nbsweep.cli.documents import removal_document, removal_series, run_record_document
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session
from nbsweep.core.errors import NbsweepError
from nbsweep.core.lifecycle import Removal
from nbsweep.core.ports import Journal, RunRecord

ReadFormat = Literal["table", "json"]
STATUS_LOOKS_BACK = 200
"""How many sweeps `status` reads to find the last one of each target."""


async def history_command(session: Session, limit: int, output: ReadFormat) -> Exit:
    """Show the latest sweeps."""
    async with open_journal(session.settings.journal) as journal:
        records = await journal.runs(limit)
    if output == "json":
        session.write_json([run_record_document(record) for record in records])
    elif records:
        from nbsweep.cli.render import history_table

        session.show_result(history_table(records))
    else:
        session.write_result("The journal knows of no sweep yet.")
    return Exit.DONE


async def show_command(session: Session, run_id: str, output: ReadFormat) -> Exit:
    """Show one run, and what became of each notebook in it."""
    async with open_journal(session.settings.journal) as journal:
        records, removals = await journal.run(run_id), await journal.removals(run_id)
    if not records:
        message = f"the journal knows of no run {run_id}; `nbsweep history` lists the runs"
        raise NbsweepError(message)
    if output == "json":
        document = {
            "run_id": run_id,
            "targets": [run_record_document(record) for record in records],
            "results": removal_series(removals),
        }
        session.write_json(document)
    else:
        from nbsweep.cli.render import history_table, removal_table

        session.show_result(history_table(records))
        if removals:
            session.show_result(removal_table(removals))
    return Exit.DONE


async def status_command(session: Session, output: ReadFormat) -> Exit:
    """Say for each target how its last sweep ended, and what is still open."""
    async with open_journal(session.settings.journal) as journal:
        last = await _last_of_each(journal)
        open_removals = {target.name: await journal.unfinished(target.name) for target in session.settings.targets}
    if output == "json":
        session.write_json([_status(name, last.get(name), removals) for name, removals in open_removals.items()])
        return Exit.DONE
    for name, removals in open_removals.items():
        _tell_status(session, name, last.get(name), removals)
    return Exit.DONE


async def _last_of_each(journal: Journal) -> dict[str, RunRecord]:
    last: dict[str, RunRecord] = {}
    for record in await journal.runs(STATUS_LOOKS_BACK):
        last.setdefault(record.target, record)
    return last


def _status(target: str, record: RunRecord | None, removals: tuple[Removal, ...]) -> dict[str, object]:
    return {
        "target": target,
        "last_sweep": run_record_document(record) if record else None,
        "unfinished": [removal_document(removal) for removal in removals],
    }


def _tell_status(session: Session, target: str, record: RunRecord | None, removals: tuple[Removal, ...]) -> None:
    from nbsweep.cli.render import STYLES, cell, removal_table

    if record is None:
        session.show_result(cell(f"{target}: never swept with this journal."))
        return
    line = cell(f"{target}: last sweep {record.run_id} ")
    line.append(record.outcome, style=STYLES.get(record.outcome, "red"))
    if record.ended_at:
        line.append(f", {record.planned} of {record.fleet} notebooks planned")
    line.append(f", by {record.started_by} at {record.started_at:%Y-%m-%d %H:%M:%S}Z.")
    session.show_result(line)
    for lane in record.lanes or ():
        if lane.learned_limit is not None:
            text = f"  The gateway limits {lane.lane} to {lane.learned_limit}: it went at {lane.calls_per_s:g}/s at the end."
            session.show_result(cell(text, "yellow"))
    if record.problem:
        session.show_result(cell(f"  {record.problem}", "red"))
    if removals:
        text = f"  {len(removals)} removals have no end yet; the next run follows them first:"
        session.show_result(cell(text, "yellow"))
        session.show_result(removal_table(removals))
