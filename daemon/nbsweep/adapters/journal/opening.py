"""Opens the journal: creates or migrates it, checks that it can be written, and locks its path against other files."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection, Engine, insert, inspect, select

from nbsweep.adapters.journal.address import JournalAddress, make_file, make_folder, parse_address
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
from nbsweep.adapters.journal.files import JournalFiles
from nbsweep.adapters.journal.journal import SqlJournal
from nbsweep.adapters.journal.path_lock import path_lock
from nbsweep.adapters.journal.tables import META, METADATA, NEWEST, REVISION
from nbsweep.adapters.journal.writer import GroupWriter


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
            await outlasting(partial(_prepared, engine, address.place), timeouts.patience_s, is_coming_up)
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


async def _prepared(engine: Engine, place: str) -> None:
    async with connected(engine) as connection:
        await spawned(_prepare, connection, place)


def _prepare(connection: Connection, place: str) -> None:
    opening = {"key": "opened_at", "value": datetime.now(UTC).isoformat()}
    with connection.begin():
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
