"""What a command imports is paid for by every start: each gets along with what it uses."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from nbsweep.adapters.journal import open_journal

LIBRARIES = {"sqlalchemy", "alembic", "aiohttp", "pydantic", "rich", "structlog", "anyio", "apscheduler", "jinja2"}
OF_OTHERS = {
    "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql",
    "apscheduler",
    "jinja2",
    "prometheus_client",
    "aiohttp.web",
    "nbsweep.service.web",
    "nbsweep.adapters.metrics",
    "nbsweep.simulator",
    "nbsweep.adapters.channels",
    "aiosmtplib",
    "standardwebhooks",
    "apprise",
}
"""What no command needs that is not the service or the demo."""
COMMAND = """
from nbsweep.cli.main import app
try:
    app({arguments!r}, prog_name="nbsweep")
except SystemExit as end:
    assert end.code == {code}, end.code
"""

OPEN = """
import asyncio
from nbsweep.adapters.journal import open_journal

async def main():
    async with open_journal({address!r}) as journal:
        await journal.runs(1)

asyncio.run(main())
"""

CONFIGURATION = """
journal: {address}
targets:
  - name: research
    endpoint: http://127.0.0.1:9
    project_id: 0123456789abcdef0123456789abcdef
    credentials: {{access_key: ACCESSKEY, secret_key: secretKey}}
policies:
  - {{name: failed, match: {{status: ERROR, age_over: 1d}}}}
"""


def imported(*programs: str) -> set[str]:
    """Run programs in one fresh interpreter, and name all modules that it has at the end, with the packages they are in."""
    tell = "import sys; print('modules:', *sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", "\n".join([*programs, tell])], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stderr.splitlines()[-1].removeprefix("modules: ").split())


def command(*arguments: str, code: int = 0) -> str:
    """Write a program that runs a command to this exit code."""
    return COMMAND.format(arguments=list(arguments), code=code)


def imports(modules: Iterable[str]) -> str:
    """Write a program that imports these."""
    return "\n".join(f"import {module}" for module in modules)


@pytest.fixture
async def address(tmp_path: Path) -> str:
    """Name a journal that is there already."""
    address = f"sqlite:///{tmp_path}/journal.db"
    async with open_journal(address):
        return address


@pytest.fixture
def config(address: str, tmp_path: Path) -> Path:
    """Write a configuration that names that journal."""
    path = tmp_path / "nbsweep.yaml"
    path.write_text(CONFIGURATION.format(address=address))
    return path


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_need_no_library_but_typer(option: str) -> None:
    """They are there at once."""
    modules = imported(command(option))
    assert modules & (LIBRARIES | {"nbsweep.simulator"}) == set()
    assert "typer" in modules


@pytest.mark.parametrize("name", ["plan", "run", "check"])
def test_planning_and_sweeping_import_what_they_use(address: str, name: str) -> None:
    """No ORM, no service, no simulator."""
    modules = imported(imports(["nbsweep.cli.session", f"nbsweep.cli.commands.{name}"]), OPEN.format(address=address))
    assert {"sqlalchemy", "aiohttp"} <= modules
    assert modules & (OF_OTHERS) == set()


def test_the_simulator_alone_needs_no_journal() -> None:
    """It is a program of its own that happens to be started by ours."""
    modules = imported(imports(["nbsweep.cli.commands.simulator"]))
    assert "nbsweep.simulator" in modules
    assert modules & {"sqlalchemy", "alembic", "nbsweep.engine", "nbsweep.adapters"} == set()
