"""Limits the wait for locks on PostgreSQL, and finds the sessions that hold them."""

from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import DBAPIError

from nbsweep.adapters.journal.connections.postgresql import PREPARING
from nbsweep.adapters.journal.tables import METADATA, REVISION

LOCK_NOT_AVAILABLE = "55P03"
MOST = 3
"""Sessions that a message names."""

_HOLDERS = text(
    """
    SELECT DISTINCT activity.pid, activity.usename, activity.application_name,
           floor(extract(epoch FROM clock_timestamp() - activity.xact_start)) AS since_s
    FROM pg_locks AS lock JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
    WHERE lock.granted AND lock.pid <> pg_backend_pid()
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (
        (lock.locktype = 'advisory' AND lock.classid = :high AND lock.objid = :low AND lock.objsubid = 1)
        OR (lock.locktype = 'relation'
            AND lock.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
            AND lock.relation IN (
                SELECT oid FROM pg_class WHERE relname IN :tables AND pg_table_is_visible(oid) AND relkind = 'r'
            ))
    )
    ORDER BY since_s DESC NULLS LAST LIMIT :most
    """
).bindparams(bindparam("tables", expanding=True))


def limit_wait(connection: Connection, wait_s: float) -> None:
    """Have the server refuse a lock of this transaction that it cannot give within a time."""
    # The server takes 0 for no limit.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(wait_s * 1000)):d}")


def is_locked_out(error: DBAPIError) -> bool:
    """Return whether the server refused a lock after the wait."""
    return getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE


def describe_holders(connection: Connection) -> str:
    """Name the sessions that hold a lock that the opening of the journal needs; empty if none does any more."""
    parameters = {"high": PREPARING >> 32, "low": PREPARING & 0xFFFF_FFFF, "most": MOST}
    tables = [*METADATA.tables, REVISION.name]
    return " and ".join(map(_describe, connection.execute(_HOLDERS, {**parameters, "tables": tables})))


def _describe(row: Any) -> str:
    pid, user, program, since_s = row
    of_user = f" of user {user}" if user else ""
    known = [f"program {program}" if program else "", f"for {since_s} s" if since_s is not None else ""]
    more = ", ".join(filter(None, known))
    return f"session {pid}{of_user}" + (f" ({more})" if more else "")
