"""A PostgreSQL server for these tests alone, on a socket in a folder of its own; it ends with them."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from acceptance.conftest import desk, simulate
from contract.conftest import Opener
from nbsweep.adapters.journal import open_journal

__all__ = ["desk", "simulate"]

NOBODY = "nobody"
"""Who runs the server where the tests are root's, for it refuses to."""
PATIENCE_S = "60"


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    folder: Path
    user: str

    def new_database(self) -> str:
        """Make an empty database, and give the journal's address there."""
        name = f"journal_{uuid4().hex}"
        with psycopg.connect(f"dbname=postgres host={self.folder} user={self.user}", autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql://{self.user}@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run the server while there are tests."""
    with tempfile.TemporaryDirectory(prefix="nbsweep-postgresql-") as name:
        folder = Path(name)
        user = NOBODY if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(folder, user)
        data = folder / "data"
        call(user, "initdb", "--pgdata", str(data), "--auth=trust", f"--username={user}", "--no-sync", "--encoding=UTF8")
        with running(user, data, folder):
            yield Server(folder, user)


@contextmanager
def running(user: str, data: Path, folder: Path) -> Iterator[None]:
    """Start it, listening on no port at all, and stop it in the end."""
    settings = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    log = str(folder / "log")
    call(user, "pg_ctl", "start", "--pgdata", str(data), "--wait", "-t", PATIENCE_S, "--log", log, "--options", settings)
    try:
        yield
    finally:
        call(user, "pg_ctl", "stop", "--pgdata", str(data), "--wait", "-t", PATIENCE_S, "--mode", "immediate")


def call(user: str, program: str, *arguments: str) -> None:
    """Run one of the server's programs, as somebody who may."""
    places = [str(path.parent) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)]
    found = shutil.which(program, path=os.pathsep.join([*places, os.environ["PATH"]]))
    assert found, f"{program} is missing: `make test-postgresql` brings it"
    as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    ended = subprocess.run(  # type: ignore[call-overload]  # what is in the dictionary depends on who runs this
        [found, *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        timeout=120,
        **as_user,
    )
    assert ended.returncode == 0, ended.stdout


@pytest.fixture
def address(server: Server) -> str:
    """Give the address of a new, empty journal."""
    return server.new_database()


@pytest.fixture
def opener(address: str) -> Opener:
    """Give this implementation, empty."""
    return lambda: open_journal(address)
