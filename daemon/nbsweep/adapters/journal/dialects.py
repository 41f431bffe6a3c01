"""All differences between SQLite and PostgreSQL: connections, transactions, upserts and commits."""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anyio
from msgspec import Struct, json
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    create_engine,
    func,
    literal,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.dml import UpdateBase

from nbsweep.adapters.journal.address import JournalAddress
from nbsweep.adapters.journal.connections.locks import lock_for
from nbsweep.adapters.journal.connections.postgresql import (
    Marker,
    forget_marker,
    forget_markers,
    limit_stall,
    make_engine,
    mark,
    prepare_alone,
)
from nbsweep.adapters.journal.connections.sqlite import connect
from nbsweep.adapters.journal.connections.tasks import spawned
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.sql.inserts import insert_of
from nbsweep.adapters.journal.sqlite.files import JournalFiles
from nbsweep.adapters.journal.transaction import AnyChange, Transaction, carry_out
from nbsweep.core.errors import JournalError

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_CHUNK = 1000
"""Rows for one call of a driver that accepts only lists."""


class Timeouts(Struct, frozen=True):
    """The time limits of the journal."""

    patience_s: float = 0.0
    """How long an outage may last: an unreachable server, or another process's lock that is held for longer than `busy_s`."""
    busy_s: float = 5.0
    """How long SQLite waits for another process's lock; nothing else is written meanwhile."""
    close_s: float = 5.0
    """How long closing may take, so that a hanging disk does not keep the program from exiting."""
    stalled_after_s: float = 10.0
    """How long a transaction on a server may wait for this process, which may be stopped or asleep."""
    commit_every_s: float = 0.1
    """The time between the beginnings of two commits while few writes arrive; 0 where one caller writes a lot."""


DEFAULT_TIMEOUTS = Timeouts()


@asynccontextmanager
async def opened_engine(address: JournalAddress, files: JournalFiles | None, timeouts: Timeouts) -> AsyncIterator[Engine]:
    """Build the engine, and close all its connections at the end; `files` are those of an SQLite journal.

    Raises:
        JournalError: the driver is not installed.
    """
    engine = _sqlite_engine(address, files, timeouts) if files else _postgresql_engine(address, timeouts)
    try:
        yield engine
    finally:
        with anyio.move_on_after(timeouts.close_s, shield=True):
            await spawned(engine.dispose)


def begin_exclusively(connection: Connection) -> None:
    """Take the write lock at the start of a transaction that begins with a read."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        prepare_alone(connection)


async def commit(connection: Connection, changes: Sequence[AnyChange], marker: Marker | None) -> None:
    """Execute the changes in one transaction, all of them or none, and not twice if there is a marker."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        await driver.commit_all(changes)
    else:
        await spawned(commit_in_chunks, connection, changes, marker)


def commit_in_chunks(connection: Connection, changes: Sequence[AnyChange], marker: Marker | None = None) -> None:
    """Commit the changes through SQLAlchemy, which works with every driver."""

    def execute(sql: str, rows: Iterator[Any]) -> int:
        met = 0
        while chunk := list(map(_storable, islice(rows, _CHUNK))):
            met += connection.exec_driver_sql(sql, chunk).rowcount
        return met

    def fetch(sql: str, row: Row) -> Sequence[Sequence[Any]]:
        return connection.exec_driver_sql(sql, _storable(row)).all()

    with connection.begin():
        if connection.dialect.name != "sqlite":
            limit_stall(connection)
        if marker is None or _is_new(connection, marker):
            take_locks(connection, changes)
            carry_out(changes, Transaction(execute, fetch))


def take_locks(connection: Connection, changes: Sequence[AnyChange]) -> None:
    """Take all locks that the changes need, until the end of the transaction; SQLite has only one writer anyway."""
    if connection.dialect.name != "sqlite":
        lock_for(connection, changes)


def _is_new(connection: Connection, marker: Marker) -> bool:
    return mark(connection, marker)


def make_marker(connection: Connection, key: str) -> Marker | None:
    """Build the marker of a commit whose answer may be lost; SQLite always answers."""
    if connection.dialect.name == "sqlite":
        return None
    return Marker(key, f"{datetime.now(UTC).isoformat()} {uuid4().hex}")


async def forget(connection: Connection, key: str) -> None:
    """Delete the marker of one writer."""
    if connection.dialect.name != "sqlite":
        await spawned(forget_marker, connection, key)


def _storable(row: Any) -> Any:
    """Replace NUL, which PostgreSQL does not store in text; the cloud may send it.

    What goes by names is a dictionary, what goes by its places a tuple; of these, entries of the audit trail hold none.
    """
    if isinstance(row, tuple):
        return row
    return {name: value.replace("\0", "\ufffd") if isinstance(value, str) else value for name, value in row.items()}


def forget_old_markers(connection: Connection) -> None:
    """Delete the markers of writers that ended long ago."""
    if connection.dialect.name != "sqlite":
        forget_markers(connection)


def compiled(dialect: Dialect, statement: UpdateBase, columns: Collection[str]) -> str:
    """Return the SQL text of a statement for the dialect's driver, for rows with these columns."""
    return str(statement.compile(dialect=dialect, column_keys=list(columns)))


def compiled_positionally(dialect: Dialect, statement: UpdateBase, columns: Collection[str]) -> str:
    """Return the SQL text as `compiled` does, for rows that are tuples in the order of the table's columns."""
    kind: Any = type(dialect)
    return compiled(kind(paramstyle="qmark" if dialect.name == "sqlite" else "format"), statement, columns)


def compiled_question(dialect: Dialect, question: Select[Any]) -> str:
    """Return the SQL text of a query for the dialect's driver, with a parameter for each `bindparam`."""
    return str(question.compile(dialect=dialect))


def listed_in(dialect: str, column: Column[Any], parameter: str) -> ColumnElement[bool]:
    """Build the condition that a column's text is in a list of any length, passed as JSON."""
    return column.in_(select(_elements(dialect, bindparam(parameter, type_=Text))))


def each_of(dialect: str, values: Collection[str]) -> ColumnElement[str]:
    """Build the column of a query that has one row for each of these texts."""
    return _elements(dialect, literal(json.encode(sorted(values)).decode(), Text))


def _elements(dialect: str, listing: ColumnElement[Any]) -> ColumnElement[str]:
    """Build the column of the texts in a JSON list."""
    if dialect == "sqlite":
        return func.json_each(listing).table_valued("value").c.value
    return func.json_array_elements_text(cast(listing, JSON)).column_valued("value")


def among(column: Column[Any], values: Collection[str] | None) -> ColumnElement[bool]:
    """Build the condition that a column's text is one of these, of which there are not many; always true without them."""
    return true() if values is None else column.in_(sorted(values))


def now_us(dialect: str) -> ColumnElement[int]:
    """Build the present time by the database's clock, in microseconds since 1970; that of SQLite is the machine's.

    On PostgreSQL it is the time at which the expression is evaluated, and not that at which the transaction began.
    """
    if dialect == "sqlite":
        # The fraction of 'now' has milliseconds; a double holds them at this size.
        return literal_column("CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000", BigInteger)
    return literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", BigInteger)


def month_of(dialect: str, moment: ColumnElement[Any]) -> ColumnElement[str]:
    """Build the month in UTC of a moment that is stored in microseconds, such as 2026-11."""
    seconds = type_coerce(moment, BigInteger) // literal_column("1000000")
    if dialect == "sqlite":
        return func.strftime("%Y-%m", seconds, "unixepoch", type_=Text)
    return func.to_char(func.timezone("UTC", func.to_timestamp(seconds)), "YYYY-MM", type_=Text)


def json_object(dialect: str, key: ColumnElement[Any], values: Iterable[ColumnElement[Any]]) -> ColumnElement[str]:
    """Build the JSON object of all rows of a query: a list of values by the key; PostgreSQL returns NULL if there is no row.

    A driver takes much longer for thousands of rows than for one.
    """
    if dialect == "sqlite":
        return func.json_group_object(key, func.json_array(*values))
    return cast(func.json_object_agg(key, func.json_build_array(*values)), Text)


def upsert(
    dialect: str, table: Table, *, frozen: Collection[str] = (), newest: str = ""
) -> "sqlite.Insert | postgresql.Insert":
    """Insert rows, or update those whose primary key exists already.

    The columns in `frozen` keep their first value. With `newest`, a row gives way only to one whose `newest` is later.
    """
    insert = insert_of(dialect, table)
    new = insert.excluded
    changed = {
        column.name: new[column.name] for column in table.columns if not column.primary_key and column.name not in frozen
    }
    where = new[newest] > table.columns[newest] if newest else None
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed, where=where)


def insert_new(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Insert rows, but do not change those whose primary key exists already."""
    insert = insert_of(dialect, table)
    return insert.on_conflict_do_nothing(index_elements=list(table.primary_key))


def insert_if_unique(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Insert rows that break no unique index; the others are left out."""
    insert = insert_of(dialect, table)
    return insert.on_conflict_do_nothing()


def _sqlite_engine(address: JournalAddress, files: JournalFiles, timeouts: Timeouts) -> Engine:
    def creator() -> Any:
        dbapi: Any = engine.dialect.dbapi
        return dbapi.connect(async_creator_fn=partial(connect, files, timeouts.busy_s))

    # Every transaction ends before its connection is returned to the pool, so a reset there would only cost time.
    engine = create_engine(address.url, creator=creator, paramstyle="named", pool_reset_on_return=None, hide_parameters=True)
    return engine


def _postgresql_engine(address: JournalAddress, timeouts: Timeouts) -> Engine:
    try:
        return make_engine(address.url, timeouts.stalled_after_s)
    except ImportError as error:
        raise JournalError(
            f"The journal {address.place} needs a driver that is not installed: pip install nbsweep[postgresql]"
        ) from error
