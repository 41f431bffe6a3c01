"""`worker`: carries out the sweeps of a fleet."""

from datetime import datetime

from nbsweep.adapters.process import current_user
from nbsweep.bootstrap.worker import WorkerInputs, run_worker
from nbsweep.cli.exits import Exit
from nbsweep.cli.preload import load_for_sweeping
from nbsweep.cli.session import Session, check_templates
from nbsweep.documents.base import new_id
from nbsweep.engine.report import Run


async def worker_command(session: Session) -> Exit:
    """Run a worker until a signal stops it."""
    load_for_sweeping(tables=False)
    check_templates(session.settings)

    def new_run(now: datetime, dry_run: bool) -> Run:  # noqa: FBT001  # a field of the run
        return Run(new_id(now), f"{current_user()} (worker)", dry_run)

    await run_worker(session.settings, WorkerInputs(session.environment, session.telemetry, new_run, session.shutdown))
    return Exit.DONE
