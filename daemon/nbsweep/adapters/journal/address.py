"""Parses the journal's address in the configuration into a URL for SQLAlchemy."""

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from nbsweep.core.errors import JournalError
from nbsweep.settings import JOURNAL

DRIVERS: Mapping[str, str] = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg_async"}
"""The SQLAlchemy driver for each kind of database in the configuration."""

_EXAMPLES = "sqlite:////var/lib/nbsweep/journal.db or postgresql://user@host/database"
_NOT_SECRET = frozenset({"user", "host", "port", "dbname", "sslmode", "connect_timeout", "application_name"})
"""Options of a PostgreSQL address that contain no secret."""
_NAME = re.compile(r"[\w.,:/-]*")
"""A user, host or database that is shown unchanged; other characters are shown percent-encoded."""


class JournalAddress(Struct, frozen=True):
    """The address of the journal."""

    url: URL
    """The URL with its driver."""
    place: str
    """The address for people: the file, or user, host and database."""
    path: Path | None
    """The path of an SQLite journal; None for other databases."""
    secrets: tuple[str, ...] = ()
    """Secrets that no error message may contain, not even in part."""


def parse_address(text: str) -> JournalAddress:
    """Parse a journal's address.

    Raises:
        JournalError: it is none, or of a kind that does not exist. Holds no piece of it, for any may be one of a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise JournalError(f"The journal's address cannot be read: it looks like {_EXAMPLES}.") from None
    kind = "postgresql" if url.drivername == "postgresql+psycopg" else url.drivername
    if kind not in DRIVERS:
        known = " and ".join(DRIVERS)
        raise JournalError(f"There is no journal of the kind that its address begins with, only {known}: {_EXAMPLES}.")
    path = _path_of(url) if kind == "sqlite" else None
    if not re.fullmatch(JOURNAL.pattern, text):
        raise JournalError(f"The journal's address cannot be read: it {JOURNAL.message}.")
    url = url.set(drivername=DRIVERS[kind])
    return JournalAddress(url, str(path) if path else _place_of(url), path, () if path else _secrets_of(url))


def _place_of(url: URL) -> str:
    """Return user, host and database as text for people."""
    user = url.username or _option(url, "user")
    host = url.host or _option(url, "host")
    shown = f"{_shown(user)}@" if user else ""
    bracketed = f"[{_shown(host)}]" if set(host) & set(":/") else _shown(host)
    return f"postgresql://{shown}{bracketed}/{_shown(url.database or _option(url, 'dbname'))}"


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else quote(name, safe="")


def _option(url: URL, name: str) -> str:
    found = url.query.get(name, "")
    return found if isinstance(found, str) else ",".join(found)


def _secrets_of(url: URL) -> tuple[str, ...]:
    options = (_option(url, name) for name in url.query if name not in _NOT_SECRET)
    return tuple(filter(None, [url.password, os.environ.get("PGPASSWORD"), *options]))


def make_folder(path: Path) -> None:
    """Create the folder of a journal's file for this user only; an existing folder is not changed.

    Raises:
        OSError: it cannot be created, or the path is that of a folder.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def make_file(path: Path) -> None:
    """Create a journal's file for this user only; an existing file is not changed.

    Raises:
        JournalError: what is there belongs to a file that is missing, and SQLite would throw it away.
        OSError: it cannot be created.
    """
    if not path.exists():
        ahead = Path(f"{path.resolve()}-wal")
        if ahead.exists() and ahead.stat().st_size:
            raise JournalError(
                f"The journal {path} is missing, and {ahead}, which holds its latest commits, is still there. Put the journal "
                "back in its place; or, to begin a new one, move that file away too."
            )
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _path_of(url: URL) -> Path:
    # With two slashes, the first folder is parsed as a host. A journal in memory would not survive a crash.
    if url.host or not url.database or url.database == ":memory:" or url.query:
        raise JournalError(
            "The journal's address must name a file, and nothing else: sqlite: with three slashes and a relative path, or with "
            "four and an absolute one, as in sqlite:////var/lib/nbsweep/journal.db."
        )
    return Path(url.database)
