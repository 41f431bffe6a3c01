"""Run nbsweep as ever, but kill it with SIGKILL at one chosen moment of its journal's life.

`killed.py MOMENT NUMBER ARGUMENT...`: MOMENT is `before-commit` or `after-commit`, of the NUMBER-th transaction that changes
the database, the one that makes the tables included; or `at-write`, when the NUMBER-th write is handed to the journal,
whatever others are waiting for their commit by then. Where there is no such moment, the command just comes to its end.
"""

import os
import signal
import sqlite3
import sys
from itertools import count
from typing import Any

import psycopg

from nbsweep.__main__ import main
from nbsweep.adapters.journal.transaction import AnyChange
from nbsweep.adapters.journal.writer import GroupWriter

numbers = count(1)
open_really, write_really, commit_really = sqlite3.connect, GroupWriter.write, psycopg.AsyncConnection.commit
chosen: list[tuple[str, int]] = []
"""The moment and its number."""


def passing(name: str) -> None:
    """Count the moments of the chosen kind, and die at the chosen one."""
    [(moment, last)] = chosen
    if name == moment and next(numbers) == last:
        os.kill(os.getpid(), signal.SIGKILL)


class Doomed(sqlite3.Connection):
    """A connection to SQLite that knows when it commits."""

    def commit(self) -> None:
        """Commit, as SQLAlchemy asks for it."""
        if not self.in_transaction:
            return super().commit()
        passing("before-commit")
        super().commit()
        return passing("after-commit")

    def __exit__(self, *raised: Any) -> Any:  # noqa: PYI036  # they are handed on to one who says no types
        """Commit, as `with connection` does; a failure is rolled back."""
        return self.commit() if raised[0] is None else super().__exit__(*raised)


def open_doomed(*arguments: Any, **options: Any) -> sqlite3.Connection:
    """Open a file of SQLite."""
    return open_really(*arguments, factory=Doomed, **options)


async def commit(connection: Any) -> None:
    """Commit on PostgreSQL."""
    passing("before-commit")
    await commit_really(connection)
    passing("after-commit")


async def write(writer: GroupWriter, change: AnyChange) -> None:
    """Hand a write to the journal."""
    passing("at-write")
    await write_really(writer, change)


def doom(moment: str, last: int) -> None:
    """Let this process be killed at that moment."""
    chosen[:] = [(moment, last)]
    sqlite3.connect = open_doomed  # type: ignore[assignment]
    psycopg.AsyncConnection.commit = commit  # type: ignore[assignment,method-assign]
    GroupWriter.write = write  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    doom(sys.argv.pop(1), int(sys.argv.pop(1)))
    main()
