"""Where the journal is: from the address in the configuration to what SQLAlchemy opens."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from nbsweep.core.errors import JournalError

DRIVERS: Mapping[str, str] = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg_async"}
"""What a scheme in the configuration becomes: its asynchronous driver."""

_EXAMPLES = "sqlite:////var/lib/nbsweep/journal.db or postgresql://user@host/database"


class Address(Struct, frozen=True):
    """Where the journal is."""

    url: URL
    """With its driver."""
    place: str
    """As people know it; holds no password."""
    path: Path | None
    """The file, where the journal is one."""


def parse_address(text: str) -> Address:
    """Read a journal's address.

    Raises:
        JournalError: it is none, or of a kind that does not exist.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Neither the text nor an error that quotes it is passed on: it may hold a password.
        raise JournalError(f"The journal's address cannot be read: it looks like {_EXAMPLES}.") from None
    if url.drivername not in DRIVERS:
        known = " and ".join(DRIVERS)
        raise JournalError(f"There is no journal of the kind {url.drivername!r}, only {known}: {_EXAMPLES}.")
    path = _path_of(url) if url.drivername == "sqlite" else None
    place = str(path) if path else url.render_as_string(hide_password=True)
    return Address(url.set(drivername=DRIVERS[url.drivername]), place, path)


def make_folder(path: Path) -> None:
    """Create the folder of a journal's file, for nobody but this user; one that exists already stays as it is.

    Raises:
        OSError: it cannot be created, or the path is that of a folder.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def make_file(path: Path) -> None:
    """Create a journal's file, for nobody but this user; one that exists already stays as it is.

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
    # With two slashes the first folder is read as a host; and what is only in memory would not survive a crash.
    if url.host or not url.database or url.database == ":memory:" or url.query:
        raise JournalError(
            "The journal's address must name a file, and nothing else: sqlite: with three slashes and a relative path, or with "
            "four and an absolute one, as in sqlite:////var/lib/nbsweep/journal.db."
        )
    return Path(url.database)
