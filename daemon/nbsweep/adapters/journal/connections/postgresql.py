"""Connections to PostgreSQL, and the markers of its commits.

Nothing belongs to a session: before the server may stand a PgBouncer in transaction mode, which gives each transaction another.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from sqlalchemy import URL, Connection, Engine, create_engine, delete, text

from nbsweep.adapters.journal.sql.inserts import insert_of
from nbsweep.adapters.journal.tables import META

DROPPED_AFTER: Mapping[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Options of libpq that detect a silently dropped connection while a lease lasts; in seconds, the last in ms."""
PREPARING = 0x6E62_7377_6565_70
"""The advisory lock for the creation and change of tables: "nbsweep" in ASCII."""
FORGOTTEN_AFTER = timedelta(days=1)
STALLED_AFTER_MS = "nbsweep_stalled_after_ms"
"""The execution option of the engine for `limit_stall`."""


class Marker(Struct, frozen=True):
    """Written with a commit, so that a commit whose answer was lost can be recognized."""

    key: str
    """The id of the writer."""
    value: str
    """The id of the commit; begins with its time."""


def make_engine(url: URL, stalled_after_s: float) -> Engine:
    """Build the engine; options in the address take precedence.

    `stalled_after_s` is how long a transaction that changes something may wait for this process, see `limit_stall`.
    """
    for name in ("sqlalchemy", "psycopg"):
        # Both would log broken connections with a traceback on stderr.
        logging.getLogger(name).addHandler(logging.NullHandler())
    given = {name: value for name, value in DROPPED_AFTER.items() if name not in url.query}
    # A prepared statement belongs to a session.
    arguments = {**given, "prepare_threshold": None}
    return create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        use_native_hstore=False,
        connect_args=arguments,
        # Whatever the server's default: after a wait for a lock, a query must see what its holder has committed.
        isolation_level="READ COMMITTED",
        execution_options={STALLED_AFTER_MS: round(stalled_after_s * 1000)},
    )


def limit_stall(connection: Connection) -> None:
    """Have the server end this transaction if it waits for this process for too long.

    A process that is stopped, or whose machine sleeps, in the middle of a transaction would keep its locks for ever, and the
    one that takes its work over would wait for them. When it wakes up, it begins the transaction anew.
    """
    limit_ms = connection.get_execution_options()[STALLED_AFTER_MS]
    connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {limit_ms:d}")


def prepare_alone(connection: Connection) -> None:
    """Lock the creation and change of tables until the end of the transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PREPARING})


def mark(connection: Connection, marker: Marker) -> bool:
    """Write the marker as the first statement of a transaction; return False if its commit is done already.

    While the server still works on an earlier attempt, this waits for what becomes of that.
    """
    insert = insert_of("postgresql", META).values(key=marker.key, value=marker.value)
    changed = {"value": insert.excluded.value}
    statement = insert.on_conflict_do_update(
        index_elements=[META.c.key], set_=changed, where=META.c.value != insert.excluded.value
    )
    return connection.execute(statement.returning(META.c.key)).first() is not None


def forget_markers(connection: Connection) -> None:
    """Delete the markers of writers that ended long ago."""
    old = (datetime.now(UTC) - FORGOTTEN_AFTER).isoformat()
    connection.execute(delete(META).where(META.c.key.like("commit/%"), META.c.value < old))


def forget_marker(connection: Connection, key: str) -> None:
    """Delete the marker of this writer."""
    with connection.begin():
        connection.execute(delete(META).where(META.c.key == key))
