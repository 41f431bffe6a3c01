"""What processes and the database have used so far, as the kernel and PostgreSQL count it."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from postgresql.conftest import Server

PUBLISHED_AFTER_S = 1.5
"""PostgreSQL 15 publishes the counts of a backend once in a second at most."""
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
OWN, WITH_CHILDREN = slice(11, 13), slice(11, 15)
"""The fields of /proc/PID/stat after the name: user and system time, and those of children that have ended."""

_COUNTED = """
SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS wal, pg_database_size(current_database()) AS size,
  (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,
  (SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables) AS inserted,
  (SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname LIKE 'procrastinate_fetch_job%') AS polls,
  (SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname LIKE 'procrastinate_finish_job%') AS jobs
"""
_ROWS = "SELECT relname, n_tup_ins - n_tup_del FROM pg_stat_user_tables WHERE n_tup_ins > 0 ORDER BY 2 DESC, 1"
_OPEN = """
SELECT (SELECT count(*) FROM due_sweeps WHERE ended_at IS NULL),
  (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())
"""


@dataclass(frozen=True, slots=True)
class DatabaseUse:
    """What the server has done for one database since it was made, and its size now."""

    cpu_s: float
    """User and system time of all processes of the server."""
    wal_bytes: int
    size_bytes: int
    commits: int
    inserted: int
    polls: int
    """How many times a worker has asked the queue for a job."""
    jobs: int
    """How many jobs have ended."""

    def since(self, before: "DatabaseUse") -> "DatabaseUse":
        """Return what was used since."""
        return DatabaseUse(*(getattr(self, name) - getattr(before, name) for name in DatabaseUse.__slots__))


def process_cpu_s(process: int, fields: slice = OWN) -> float:
    """Return the user and system time of a process so far."""
    found = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, found[fields])) / TICKS_PER_S


def resident_mb(process: int) -> float:
    """Return the memory that a process has now, in millions of bytes."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024 / 1e6


def server_cpu_s(server: Server) -> float:
    """Return the time that the server's processes have used, those that have ended included."""
    postmaster = (server.folder / "data" / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0]
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text(encoding="ascii").split()
    return process_cpu_s(int(postmaster), WITH_CHILDREN) + sum(_known_cpu_s(children))


def _known_cpu_s(processes: Iterable[str]) -> Iterable[float]:
    for process in processes:
        try:
            yield process_cpu_s(int(process))
        except FileNotFoundError:
            continue


class Watch:
    """Looks at one database of a server."""

    def __init__(self, server: Server, address: str) -> None:
        """Connect to the journal of this address, and let the server count the calls of functions in it."""
        self._server = server
        self._connection = psycopg.connect(address, autocommit=True)
        name = self._connection.info.dbname
        self._connection.execute(sql.SQL("ALTER DATABASE {} SET track_functions = 'all'").format(sql.Identifier(name)))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def use(self) -> DatabaseUse:
        """Return what was used so far. The server publishes its counts late, so it is waited for them."""
        time.sleep(PUBLISHED_AFTER_S)
        row = self._connection.execute(_COUNTED).fetchone()
        assert row is not None
        return DatabaseUse(server_cpu_s(self._server), *map(int, row))

    def open_sweeps(self) -> tuple[int, int]:
        """Return how many sweeps are open, and how many connections there are beside this one."""
        row = self._connection.execute(_OPEN).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has, the largest first."""
        return {str(name): int(rows) for name, rows in self._connection.execute(_ROWS).fetchall() if rows}
