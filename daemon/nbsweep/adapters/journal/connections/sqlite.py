"""Connections to SQLite: durable writes, waiting for locks, and safe cancellation."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Event
from urllib.parse import quote

import aiosqlite

from nbsweep.adapters.journal.sqlite.files import JournalFiles
from nbsweep.adapters.journal.transaction import AnyChange, Transaction, carry_out

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",  # readers do not wait for writers
    "PRAGMA synchronous=FULL",  # a commit survives a power failure
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-500",  # kB, instead of 2,000 for each connection; the system's own cache is behind it
)


class SqliteConnection(aiosqlite.Connection):
    """A connection whose thread can be stopped only once.

    A call that is cancelled twice, as cancel scopes do, makes SQLAlchemy stop it twice; the second stop would wait for ever for
    a thread that has ended with the first, and keep the program from ending.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection], files: JournalFiles) -> None:
        """Store the connector, which the connection's thread calls, and the files that must stay in place."""
        super().__init__(connector, iter_chunk_size=64)
        self._files = files
        self._end: asyncio.Future[None] | None = None
        # A hanging disk must not keep the program from exiting.
        self._thread.daemon = True

    def stop(self) -> asyncio.Future[None] | None:
        """Stop the thread after its current call; return None if it was stopped before."""
        if self._end is not None:
            return None
        self._end = super().stop()
        return self._end

    async def commit_all(self, changes: Sequence[AnyChange]) -> None:
        """Execute the changes in one transaction, all of them or none.

        One visit to the thread does all of it. Each visit costs as much as writing a row does, and through SQLAlchemy there
        would be four.
        """
        given_up = Event()
        try:
            await self._execute(self._commit_all, changes, given_up)  # type: ignore[no-untyped-call]  # aiosqlite says no types here
        except asyncio.CancelledError:
            given_up.set()
            raise

    def _commit_all(self, changes: Sequence[AnyChange], given_up: Event) -> None:
        with self._conn as connection:
            if any(change.reads_first for change in changes):
                # The driver would begin the transaction at the first write, but what is read before must not change until then.
                connection.execute("BEGIN IMMEDIATE")
            carry_out(
                changes,
                Transaction(
                    lambda sql, rows: connection.executemany(sql, rows).rowcount,
                    lambda sql, row: connection.execute(sql, row).fetchall(),
                ),
            )
            self._files.require_in_place()
            if given_up.is_set():
                # Roll back, because the cancelled caller assumes that nothing was written.
                connection.rollback()

    async def ended(self) -> None:
        """Wait for the end of the thread, which must have been stopped."""
        if self._end is not None:
            await self._end


async def connect(files: JournalFiles, busy_s: float) -> SqliteConnection:
    """Open the file, which must exist; a failure leaves nothing open."""

    def open_file() -> sqlite3.Connection:
        with ExitStack() as on_failure:
            files.require_in_place()
            # The driver begins a transaction before the first INSERT or UPDATE; IMMEDIATE takes the lock at once.
            existing = f"file:{quote(os.fsencode(files.path))}?mode=rw"
            connection = sqlite3.connect(existing, uri=True, timeout=busy_s, isolation_level="IMMEDIATE")
            on_failure.callback(connection.close)
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            on_failure.pop_all()
        return connection

    connection = SqliteConnection(open_file, files)
    try:
        await connection
    except BaseException:
        # The driver stops the thread without waiting for it, and the thread would then use a closed event loop.
        await connection.ended()
        raise
    return connection
