"""`check`: checks what works, and advises on what does not."""

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
    """Check the configuration, the journal and the targets; `config` is the file of the command line."""
    configuration_check = make_configuration_check(
        session.settings, _source(session, config), session.environment, session.telemetry
    )
    checks: tuple[Check, ...] = ()
    async with session.until_shutdown():
        checks = await configuration_check.check()
    if session.shutdown.begun.is_set():
        return Exit.INTERRUPTED
    if output == "json":
        session.write_json(check_document(checks))
    else:
        session.show_result(check_view(checks))
    return exit_of_checks(checks)


def _source(session: Session, config: Path | None) -> str:
    """Return the path of the configuration file."""
    try:
        return str(find_config(config, session.environment))
    except ConfigurationError:
        return "the configuration"


def exit_of_checks(checks: Sequence[Check]) -> Exit:
    """Return the exit code of the most serious failure."""
    fallen = [check for check in checks if check.grade is Grade.FAILED]
    return worst(Exit.NOT_ALLOWED if check.not_allowed else Exit.UNEXPECTED for check in fallen)
