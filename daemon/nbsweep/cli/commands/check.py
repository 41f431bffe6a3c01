"""`check`: what works and what does not, and what to do about it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from nbsweep.bootstrap.check import make_configuration_check
from nbsweep.cli.exits import Exit, worst
from nbsweep.cli.session import Session
from nbsweep.cli.views.check import check_view
from nbsweep.core.checks import Check, Grade
from nbsweep.core.errors import ConfigurationError
from nbsweep.documents.check import check_document
from nbsweep.loading.file import find_config

CheckFormat = Literal["table", "json"]


async def check_command(session: Session, output: CheckFormat, config: Path | None = None) -> Exit:
    """Check everything that the configuration names; `config` is the file that the command line names."""
    checkup = make_configuration_check(session.settings, _source(session, config), session.environment, session.telemetry)
    checks: tuple[Check, ...] = ()
    async with session.until_shutdown():
        checks = await checkup.check()
    if session.shutdown.begun.is_set():
        return Exit.INTERRUPTED
    if output == "json":
        session.write_json(check_document(checks))
    else:
        session.show_result(check_view(checks))
    return exit_of_checks(checks)


def _source(session: Session, config: Path | None) -> str:
    """Name the file that the settings are from."""
    try:
        return str(find_config(config, session.environment))
    except ConfigurationError:
        return "the configuration"


def exit_of_checks(checks: Sequence[Check]) -> Exit:
    """Give the one code that says most."""
    fallen = [check for check in checks if check.grade is Grade.FAILED]
    return worst(Exit.NOT_ALLOWED if check.not_allowed else Exit.UNEXPECTED for check in fallen)
