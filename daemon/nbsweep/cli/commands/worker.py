"""`worker`: carries out the sweeps of a fleet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.responses import KNOWN_CODES
from nbsweep.adapters.metrics import Metrics
from nbsweep.adapters.process import current_user
from nbsweep.bootstrap.probes import Probes
from nbsweep.bootstrap.worker import WorkerInputs, run_worker
from nbsweep.cli.exits import Exit
from nbsweep.cli.preload import load_for_sweeping
from nbsweep.cli.screen import Screen
from nbsweep.cli.session import Session, check_templates, make_session
from nbsweep.core.events.base import Event
from nbsweep.core.events.marks import MarksMade
from nbsweep.documents.base import new_id
from nbsweep.engine.report import Run
from nbsweep.settings import Settings


def make_probes(listen: str | None) -> Probes | None:
    """Return where the health and the metrics are served, and the metrics; None if they are not."""
    return Probes(listen, Metrics(SystemClock(), KNOWN_CODES)) if listen else None


def make_worker_session(settings: Settings, screen: Screen, probes: Probes | None) -> Session:
    """Build a session whose events the metrics count.

    The open marks are shown by `serve`: a worker would show those of its own last survey, however long ago that was.
    """
    if probes is None:
        return make_session(settings, screen)
    metrics = probes.metrics

    def count(event: Event, context: Mapping[str, Any]) -> None:
        if not isinstance(event, MarksMade):
            metrics(event, context)

    return make_session(settings, screen, (count,))


async def worker_command(session: Session, probes: Probes | None) -> Exit:
    """Run a worker until a signal stops it."""
    load_for_sweeping(tables=False)
    check_templates(session.settings)

    def new_run(now: datetime, dry_run: bool) -> Run:  # noqa: FBT001  # a field of the run
        return Run(new_id(now), f"{current_user()} (worker)", dry_run)

    inputs = WorkerInputs(session.environment, session.telemetry, new_run, session.shutdown, probes)
    await run_worker(session.settings, inputs)
    return Exit.DONE
