"""Maps database errors to messages that say what to do, without SQL or its values."""

import errno
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from nbsweep.adapters.journal.address import JournalAddress
from nbsweep.core.errors import JournalError, NbsweepError

_READ_ONLY = "is read-only: let the user that runs nbsweep write to the file and to its folder."
_CANNOT_OPEN = "cannot be opened: let the user that runs nbsweep read and write the file and its folder."
_LOCKED = "is locked by another process: wait until that one has finished with it, or end it; then try again."
_FULL = "cannot grow, because the disk is full: make room, then try again."
_AWAY = "is away, because its server was stopped or is not up yet: start it; the next sweep continues with what was requested."
_FOLDER_NOT_WRITABLE = "cannot be created, because its folder is not writable: let the user that runs nbsweep write there."
_BELOW_A_FILE = "cannot be created, because a part of its path is a file, not a folder: name another file in the configuration."

_SQLITE: Mapping[int, str] = {
    sqlite3.SQLITE_NOTADB: "is not a database: move that file away, or name another in the configuration.",
    sqlite3.SQLITE_CORRUPT: "is damaged: check the disk, move the file away and put a backup in its place.",
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _CANNOT_OPEN,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: "met a disk I/O error: check the disk, its quota and the system's log, then try again.",
}

_SYSTEM: Mapping[int, str] = {
    errno.EACCES: _FOLDER_NOT_WRITABLE,
    errno.EPERM: _FOLDER_NOT_WRITABLE,
    errno.EROFS: "cannot be created, because its file system is read-only: name another file in the configuration.",
    errno.ENOTDIR: _BELOW_A_FILE,
    errno.EEXIST: _BELOW_A_FILE,
    errno.EISDIR: "is a folder, not a file: name a file in the configuration.",
    errno.ENOSPC: _FULL,
}


PIECE = 3
"""The number of consecutive characters that count as a part of a secret."""


_POSTGRESQL: Mapping[str, str] = {
    "25006": "is read-only, because its server is a standby, or was made so: name the server that takes writes.",
    "42501": "may not be used as it has to be: grant the user of its address all rights on the tables, or let it create them.",
    "53100": _FULL,
    "53300": "is on a server that takes no more connections: raise max_connections there, or end some.",
    "55P03": _LOCKED,
    "57014": "did not answer in the time that its server gives: end what locks its tables, or raise statement_timeout.",
    "57P01": _AWAY,
    "57P02": _AWAY,
    "57P03": _AWAY,
}
"""By SQLSTATE."""


@contextmanager
def journal_errors(address: JournalAddress) -> Iterator[None]:
    """Convert errors of the database inside into a chained `JournalError`."""
    try:
        yield
    except NbsweepError:
        raise
    except Exception as error:
        raise explain(error, address) from error


def explain(error: Exception, address: JournalAddress) -> NbsweepError:
    """Return a `JournalError` that says what happened, to which journal, and what to do; an error of ours stays as it is."""
    if isinstance(error, NbsweepError):
        return type(error)(str(error))
    return JournalError(f"The journal {address.place} {_predicate(error, address.secrets)}")


def concerns_all(error: Exception) -> bool:
    """Return whether an error concerns the whole database, and not only the written data."""
    return isinstance(error, OperationalError | sqlite3.OperationalError | OSError)


def _predicate(error: Exception, secrets: Iterable[str]) -> str:
    original = error.orig if isinstance(error, StatementError) else error
    if isinstance(original, sqlite3.Error):
        # The lower byte is the primary result code, the rest extends it.
        kind = getattr(original, "sqlite_errorcode", 0) & 0xFF
        if kind in _SQLITE:
            return _SQLITE[kind]
    code = str(getattr(original, "sqlstate", ""))
    if code in _POSTGRESQL:
        return _POSTGRESQL[code]
    if isinstance(original, OSError) and (original.errno or 0) in _SYSTEM:
        return _SYSTEM[original.errno or 0]
    if isinstance(error, IntegrityError | sqlite3.IntegrityError):
        return "holds already what was to be new: make sure that only one nbsweep at a time works on a target."
    if isinstance(original, ValueError):
        return f"holds, or was given, something that is not understood: {original}. Upgrade nbsweep, or report this."
    return f"cannot be read or written ({_detail(original, secrets)}): check it, or name another in the configuration."


def _detail(original: BaseException | None, secrets: Iterable[str]) -> str:
    # Only these errors certainly do not quote written data; the first line says what the file or the server refused.
    if isinstance(original, OSError):
        return original.strerror or "unknown"
    line = str(original).partition("\n")[0]
    if type(original).__name__ != "OperationalError" or any(_shares_piece(line, secret) for secret in secrets):
        return type(original).__name__
    return line


def _shares_piece(line: str, secret: str) -> bool:
    """Return whether a line contains a part of a secret; shorter parts occur in any line."""
    length = min(PIECE, len(secret))
    return any(secret[start : start + length] in line for start in range(len(secret) - length + 1))
