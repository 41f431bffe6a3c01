"""Opens the journal: creates or migrates it, checks that it can be written, and locks its path against other files."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from nbsweep.adapters.journal.address import JournalAddress, make_file, make_folder, parse_address
from nbsweep.adapters.journal.connections.blockers import describe_holders, is_locked_out, limit_wait
from nbsweep.adapters.journal.connections.outage import is_coming_up, outlasting
from nbsweep.adapters.journal.connections.tasks import connected, spawned
from nbsweep.adapters.journal.dialects import (
    DEFAULT_TIMEOUTS,
    Timeouts,
    begin_exclusively,
    forget_old_markers,
    opened_engine,
    upsert,
)
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.journal import SqlJournal
from nbsweep.adapters.journal.sqlite.files import JournalFiles
from nbsweep.adapters.journal.sqlite.path_lock import path_lock
from nbsweep.adapters.journal.tables import META, METADATA, NEWEST, REVISION
from nbsweep.adapters.journal.writer import GroupWriter
from nbsweep.core.errors import JournalError


@asynccontextmanager
async def open_journal(url: str, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> AsyncIterator[SqlJournal]:
    """Open the journal at `url`, after creating or migrating it; on exit, write what is queued and close it.

    That it can be written is proven here, before anything is deleted.

    Raises:
        JournalError: it cannot be opened, or not be written; says why, and what to do.
    """
    address = parse_address(url)
    async with _files(address, timeouts) as files, opened_engine(address, files, timeouts) as engine:
        with journal_errors(address):
            await outlasting(partial(_prepared, engine, address.place, timeouts), timeouts.patience_s, is_coming_up)
            if files:
                files.remember()
        async with GroupWriter(engine, address, timeouts) as writer:
            yield SqlJournal(engine, writer, address, files, timeouts.patience_s)


@asynccontextmanager
async def _files(address: JournalAddress, timeouts: Timeouts) -> AsyncIterator[JournalFiles | None]:
    """Create the file of an SQLite journal, and lock its path against other files meanwhile."""
    path = address.path
    if path is None:
        yield None
        return
    async with AsyncExitStack() as stack:
        with journal_errors(address):
            make_folder(path)
            await stack.enter_async_context(path_lock(path, partial(make_file, path), timeouts.busy_s))
            files = JournalFiles(path)
        yield files


async def _prepared(engine: Engine, place: str, timeouts: Timeouts) -> None:
    async with connected(engine) as connection:
        if engine.dialect.name == "sqlite":
            await spawned(_prepare, connection, place)
        else:
            await spawned(_prepare_within, connection, place, max(timeouts.patience_s, timeouts.busy_s))


def _prepare_within(connection: Connection, place: str, wait_s: float) -> None:
    """Prepare the database, and wait for each lock no longer than that; SQLite waits for `busy_s` by itself.

    Raises:
        JournalError: another session keeps a lock for longer.
    """
    try:
        _prepare(connection, place, wait_s)
    except DBAPIError as error:
        if not is_locked_out(error):
            raise
        holders = describe_holders(connection) or "a session that has let go meanwhile"
        message = (
            f"The journal {place} is locked: for {wait_s:g} s, its tables could not be used, because of {holders}. Wait for "
            "what that session does, or end it with pg_terminate_backend; then try again."
        )
        raise JournalError(message) from error


def _prepare(connection: Connection, place: str, wait_s: float | None = None) -> None:
    opening = {"key": "opened_at", "value": datetime.now(UTC).isoformat()}
    with connection.begin():
        if wait_s is not None:
            limit_wait(connection, wait_s)
        begin_exclusively(connection)
        _bring_up_to_date(connection, place)
        connection.execute(upsert(connection.dialect.name, META), [opening])
        forget_old_markers(connection)


def _bring_up_to_date(connection: Connection, place: str) -> None:
    # A query of a missing table would end the transaction on PostgreSQL.
    exists = inspect(connection).has_table
    if exists(REVISION.name):
        if connection.execute(select(REVISION.c.version_num)).scalars().all() == [NEWEST]:
            return
    elif not any(map(exists, METADATA.tables)):
        make_tables(connection)
        return
    # Alembic takes a tenth of the program's memory and start-up time, and is needed only once for each new version.
    from nbsweep.adapters.journal.migrations.run import upgrade  # noqa: PLC0415

    upgrade(connection, place)


def make_tables(connection: Connection) -> None:
    """Create all tables in an empty database, in the state of the newest revision."""
    METADATA.create_all(connection, checkfirst=False)
    REVISION.create(connection, checkfirst=False)
    connection.execute(insert(REVISION), [{"version_num": NEWEST}])
