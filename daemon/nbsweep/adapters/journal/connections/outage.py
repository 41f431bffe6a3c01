"""Recognizes temporary outages of the database, and waits for their end."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PASSING = frozenset({"57P01", "57P02", "57P03", "53300", "25006", "40001", "40P01"})
"""Ended by an administrator or a crash, starting up, too many connections, a standby, and conflicting transactions:
https://www.postgresql.org/docs/current/errcodes-appendix.html"""
_TIMEOUTS = frozenset({"55P03", "57014", "57P05", "25P03"})
"""A lock was not to be had in the time that the server's configuration gives, the statement took longer or was cancelled, and
the session or the transaction was idle for longer than the server allows."""
_CONFLICTS = frozenset({"40001", "40P01"})
"""Of two transactions that are in each other's way, the server ended this one. The next attempt usually succeeds."""
CONFLICT_ATTEMPTS = 5
"""Number of attempts of such a transaction, even if outages are not waited for."""
_CONNECTION = "08"
"""The class of connection errors."""
_COMING_UP = ("the database system is", "too many clients", "connection slots")
"""Messages of a server that refuses connections temporarily; without a connection, the driver has no error code."""

T = TypeVar("T")


def is_outage(error: Exception) -> bool:
    """Return whether an error is an outage that may pass, on a database that was available before."""
    original = _original(error)
    if isinstance(original, sqlite3.Error):
        # The lower byte is the primary result code, the rest extends it.
        return getattr(original, "sqlite_errorcode", 0) & 0xFF in _BUSY
    if isinstance(error, PoolTimeout) or _broke(error):
        return True
    code = getattr(original, "sqlstate", None)
    if code is None:
        return type(original).__name__ == "OperationalError"
    return code in _PASSING or code in _TIMEOUTS or code.startswith(_CONNECTION)


def is_coming_up(error: Exception) -> bool:
    """Return whether a database that is starting refused the first connection; without any answer, the address may be wrong."""
    original = _original(error)
    if isinstance(original, sqlite3.Error):
        return is_outage(error)
    # A connection that broke later had been accepted.
    return _broke(error) or (is_outage(error) and any(words in str(original) for words in _COMING_UP))


def is_conflict(error: Exception) -> bool:
    """Return whether the server ended a transaction because another was in its way."""
    return getattr(_original(error), "sqlstate", None) in _CONFLICTS


async def outlasting(work: Callable[[], Awaitable[T]], patience_s: float, passes: Callable[[Exception], bool] = is_outage) -> T:
    """Retry while the call fails because of an outage, up to a time limit; then raise the last failure."""
    end_s = anyio.current_time() + patience_s
    pause_s = FIRST_PAUSE_S
    attempt = 0
    while True:
        attempt += 1
        try:
            return await work()
        except Exception as error:
            is_late = anyio.current_time() + pause_s > end_s
            if not passes(error) or (is_late and not (is_conflict(error) and attempt < CONFLICT_ATTEMPTS)):
                raise
        await anyio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _broke(error: Exception) -> bool:
    """Return whether a connection broke that was in use."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _original(error: Exception) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error
