"""What a command imports is paid for by every start: each gets along with what it uses."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.journal.tables import NEWEST

LIBRARIES = {"sqlalchemy", "alembic", "aiohttp", "pydantic", "rich", "structlog", "anyio", "apscheduler"}
ONCE_OR_ELSEWHERE = {
    "alembic",
    "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql",
    "apscheduler",
    "prometheus_client",
    "aiohttp.web",
    "nbsweep.service.web",
    "nbsweep.adapters.metrics",
    "nbsweep.simulator",
}
"""What no ordinary command needs: for an old journal, another database, the service, the demo."""
FOR_PEOPLE = {"rich", "pygments", "structlog", "nbsweep.cli.render", "nbsweep.cli.progress"}
"""What no command needs whose result is for a program, and which has nothing to log."""

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


@pytest.mark.parametrize("name", ["planning", "sweeping", "checking"])
def test_planning_and_sweeping_import_what_they_use(address: str, name: str) -> None:
    """With a journal that is up to date: no migrations, no other database, no ORM, no service, nothing that draws or logs."""
    modules = imported(imports(["nbsweep.cli.session", f"nbsweep.cli.{name}"]), OPEN.format(address=address))
    assert {"sqlalchemy", "aiohttp"} <= modules
    assert modules & (ONCE_OR_ELSEWHERE | FOR_PEOPLE) == set()


def test_reading_the_journal_needs_no_http(config: Path) -> None:
    """A whole `history`, from the configuration to the last line."""
    modules = imported(command("--config", str(config), "history"))
    assert "sqlalchemy" in modules
    assert modules & (ONCE_OR_ELSEWHERE | {"aiohttp", "rich.progress", "structlog"}) == set()


def test_a_result_for_programs_needs_nothing_that_draws(config: Path) -> None:
    """The same `history` as JSON."""
    modules = imported(command("--config", str(config), "history", "--format", "json"))
    assert "sqlalchemy" in modules
    assert modules & FOR_PEOPLE == set()


def test_garbage_is_not_looked_for_among_what_is_imported(config: Path) -> None:
    """Not while it is being imported, and not later: it stays to the end."""
    told = """
import gc, sys
from nbsweep.__main__ import main
sys.argv[1:] = {arguments!r}
try:
    main()
except SystemExit:
    assert gc.get_stats()[2]["collections"] == 0
    assert gc.get_freeze_count() > 10_000
"""
    assert "sqlalchemy" in imported(told.format(arguments=["--config", str(config), "history", "--format", "json"]))


def test_the_schema_needs_neither_database_nor_http() -> None:
    """Only what reads the configuration."""
    assert imported(command("schema")) & (LIBRARIES | {"nbsweep.simulator"}) == {"pydantic"}


def test_the_simulator_alone_needs_no_journal() -> None:
    """It is a program of its own that happens to be started by ours."""
    modules = imported(imports(["nbsweep.cli.simulating"]))
    assert "nbsweep.simulator" in modules
    assert modules & {"sqlalchemy", "alembic", "nbsweep.engine", "nbsweep.adapters"} == set()


def test_neither_a_new_journal_nor_one_that_is_up_to_date_is_migrated(tmp_path: Path) -> None:
    """Alembic is for what an older version has made."""
    program = OPEN.format(address=f"sqlite:///{tmp_path}/journal.db")
    assert "alembic" not in imported(program)
    assert "alembic" not in imported(program)


def test_the_newest_revision_is_the_head_of_the_scripts() -> None:
    """Otherwise a journal would not be brought up to date, or every start would look for what is missing."""
    config = Config()
    config.set_main_option("script_location", "nbsweep.adapters.journal:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]
