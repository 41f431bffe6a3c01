"""`fleet`, `fleet status` and `fleet drain`: the processes of a fleet, by the journal and its queue."""

from collections.abc import Iterable

from nbsweep.adapters.journal import open_journal
from nbsweep.bootstrap.fleet import make_fleet_reader, open_fleet_queue
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.processes import fleet_view
from nbsweep.core.errors import UsageError
from nbsweep.core.fleet_status.model import FleetStatus, WorkerStatus
from nbsweep.core.workers.model import BEAT_EVERY
from nbsweep.documents.fleet_status import fleet_status_document
from nbsweep.settings import Settings


async def fleet_command(session: Session, output: ReadFormat) -> Exit:
    """Show the workers, the leader, the accounts, and what is due."""
    status = await _read(session.settings)
    if output == "json":
        session.write_json(fleet_status_document(status))
    else:
        session.show_result(fleet_view(status))
    return Exit.DONE if status.well else Exit.UNEXPECTED


async def drain_command(session: Session, wanted: str) -> Exit:
    """Ask a worker to take no more jobs and to end."""
    worker = _find((await _read(session.settings)).workers, wanted)
    async with open_journal(session.settings.journal) as journal:
        await journal.workers.drain(worker.record.holder.owner)
    sweeping = ", ".join(worker.record.accounts)
    under_way = f"follows its accepted deletions of {sweeping} to their end, " if sweeping else ""
    session.write_result(
        f"Within {BEAT_EVERY.seconds} seconds, {worker.record} takes no more accounts, {under_way}and ends. "
        "Other workers continue what is due."
    )
    return Exit.DONE


async def _read(settings: Settings) -> FleetStatus:
    if not settings.service.fleet:
        raise UsageError(
            "there is no fleet: service.fleet is not true, so one process sweeps all targets; see `nbsweep status`"
        )
    async with open_journal(settings.journal) as journal:
        return await make_fleet_reader(settings, journal, await open_fleet_queue(settings, journal)).read()


def _find(workers: Iterable[WorkerStatus], wanted: str) -> WorkerStatus:
    """Return the worker that is meant by its host and process, its host, or the beginning of its id.

    Raises:
        UsageError: none or several are meant.
    """
    running = [worker for worker in workers if worker.is_present]
    meant = [worker for worker in running if wanted in (name_of(worker), worker.record.holder.host)]
    meant = meant or [worker for worker in running if worker.record.holder.owner.startswith(wanted)]
    names = ", ".join(map(name_of, meant or running))
    if not meant:
        raise UsageError(f"no running worker is called {wanted}; running: {names or 'none'}")
    if len(meant) > 1:
        raise UsageError(f"{wanted} may be any of these workers: {names}")
    return meant[0]


def name_of(worker: WorkerStatus) -> str:
    """Return how a worker is called on the command line."""
    return f"{worker.record.holder.host}:{worker.record.holder.pid}"
