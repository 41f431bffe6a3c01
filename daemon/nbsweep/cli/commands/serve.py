"""`serve`: runs the service, or requests a reload of it."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from nbsweep.adapters.process import current_user
from nbsweep.adapters.telemetry import Listener
from nbsweep.bootstrap.service import Service, ServiceInputs
from nbsweep.cli.exits import Exit
from nbsweep.cli.preload import load_for_sweeping
from nbsweep.cli.session import Session, check_templates, make_telemetry, report_error
from nbsweep.core.errors import NbsweepError
from nbsweep.core.ports import Telemetry
from nbsweep.documents.base import new_id
from nbsweep.engine.report import Run
from nbsweep.loading.file import find_config, load_settings
from nbsweep.service.reload import ask_reload
from nbsweep.service.systemd import Systemd
from nbsweep.settings import Settings


async def serve_command(session: Session, config: Path | None) -> Exit:
    """Run the service until a signal stops it."""
    load_for_sweeping(tables=False)

    def read_settings() -> Settings:
        settings = load_settings(find_config(config, session.environment), session.environment)
        check_templates(settings)
        return settings

    def telemetry_of(settings: Settings, listener: Listener) -> Telemetry:
        return make_telemetry(settings.logging, session.screen, (listener,))

    def new_run(now: datetime, dry_run: bool) -> Run:  # noqa: FBT001  # a field of the run
        return Run(new_id(now), f"{current_user()} (service)", dry_run)

    inputs = ServiceInputs(session.environment, read_settings, telemetry_of, new_run, session.shutdown)
    await Service(inputs, Systemd.of(session.environment)).run(session.settings)
    return Exit.DONE


def reload_command(environment: Mapping[str, str]) -> Exit:
    """Request a reload from the running service, and report its answer."""
    try:
        answer = ask_reload(environment)
    except NbsweepError as error:
        report_error(error)
        return Exit.UNEXPECTED
    if answer.problem:
        report_error(NbsweepError(f"the new configuration was refused, and the old one stays: {answer.problem}"))
        return Exit.USAGE
    return Exit.DONE
