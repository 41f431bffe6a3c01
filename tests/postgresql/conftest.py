"""A PostgreSQL server for these tests alone, on a socket in a folder of its own; it ends with them."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from acceptance.conftest import desk, simulate, told
from acceptance.support import eventually
from contract.conftest import Opener
from nbsweep.adapters.journal import open_journal

__all__ = ["desk", "simulate", "told"]

NOBODY = "nobody"
"""Who runs the server where the tests are root's, for it refuses to."""
PATIENCE_S = "60"
BOUNCER_PORT = 6432
"""Part of the name of a socket in a folder; nothing listens on the port."""


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    folder: Path
    user: str

    def restart(self, *, before: Callable[[], object] = lambda: None) -> None:
        """Restart it, as an upgrade does, which ends all connections; do something while it is down."""
        data = str(self.folder / "data")
        call(self.user, "pg_ctl", "stop", "--pgdata", data, "--wait", "-t", PATIENCE_S, "--mode", "fast")
        try:
            before()
        finally:
            start(self.user, self.folder / "data", self.folder)

    def end_connections(self) -> None:
        """End all connections of others, as an administrator does."""
        with self.connected() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
            )

    def connected(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect to the database that every server has."""
        return psycopg.connect(f"dbname=postgres host={self.folder} user={self.user}", autocommit=True)

    def new_database(self) -> str:
        """Make an empty database, and give the journal's address there."""
        name = f"journal_{uuid4().hex}"
        with self.connected() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql://{self.user}@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run the server while there are tests."""
    with running_server() as found:
        yield found


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[Server]:
    """Run a server of its own; `durable` waits for the disk at each commit, as a server that is no test does."""
    with tempfile.TemporaryDirectory(prefix="nbsweep-postgresql-") as name:
        folder = Path(name)
        user = NOBODY if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(folder, user)
        data = folder / "data"
        call(user, "initdb", "--pgdata", str(data), "--auth=trust", f"--username={user}", "--no-sync", "--encoding=UTF8")
        if not durable:
            with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
                file.write("fsync = off\n")
        with running(user, data, folder):
            yield Server(folder, user)


@contextmanager
def running(user: str, data: Path, folder: Path) -> Iterator[None]:
    """Start it, and stop it in the end."""
    start(user, data, folder)
    try:
        yield
    finally:
        call(user, "pg_ctl", "stop", "--pgdata", str(data), "--wait", "-t", PATIENCE_S, "--mode", "immediate")


def start(user: str, data: Path, folder: Path) -> None:
    """Start it, listening on no port at all."""
    settings = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
    log = str(folder / "log")
    call(user, "pg_ctl", "start", "--pgdata", str(data), "--wait", "-t", PATIENCE_S, "--log", log, "--options", settings)


def as_user(user: str) -> dict[str, Any]:
    """Return how a process is started as somebody else, where this is root's."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def call(user: str, program: str, *arguments: str) -> None:
    """Run one of the server's programs, as somebody who may."""
    places = [str(path.parent) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)]
    found = shutil.which(program, path=os.pathsep.join([*places, os.environ["PATH"]]))
    assert found, f"{program} is missing: `make test-postgresql` brings it"
    ended = subprocess.run(
        [found, *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        timeout=120,
        **as_user(user),
    )
    assert ended.returncode == 0, ended.stdout


@pytest.fixture(scope="session")
def bouncer(server: Server) -> Iterator[Path]:
    """Run PgBouncer in transaction mode before the server, on a socket in a folder of its own; give that folder."""
    folder = server.folder / "bouncer"
    folder.mkdir()
    lines = [
        "[databases]",
        f"* = host={server.folder} user={server.user}",
        "[pgbouncer]",
        f"listen_port = {BOUNCER_PORT}",
        "listen_addr =",
        f"unix_socket_dir = {folder}",
        "auth_type = any",
        "pool_mode = transaction",
        "default_pool_size = 2",
    ]
    (folder / "pgbouncer.ini").write_text("\n".join(lines), encoding="utf-8")
    if os.geteuid() == 0:
        shutil.chown(folder, server.user)
    found = shutil.which("pgbouncer", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    assert found, "pgbouncer is missing: `make test-postgresql` brings it"
    command = [found, "-q", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **as_user(server.user))
    try:
        eventually((folder / f".s.PGSQL.{BOUNCER_PORT}").exists, "PgBouncer listens")
        yield folder
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def address(server: Server) -> str:
    """Return the address of a new, empty journal."""
    return server.new_database()


@pytest.fixture
def opener(address: str) -> Opener:
    """Return this implementation, empty."""
    return lambda: open_journal(address)
