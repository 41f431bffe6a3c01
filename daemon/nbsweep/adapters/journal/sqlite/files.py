"""Recognizes the files of an SQLite journal, because a commit into a moved or deleted file is not durable.

SQLite continues to write into a file that was moved or deleted, without an error.
"""

import os
from pathlib import Path

from nbsweep.core.errors import JournalError

BESIDE = ("-wal", "-shm")
"""Suffixes of SQLite's files beside an open database: the latest commits, and their index."""

Identity = tuple[int, int, bool]
"""Device, inode, and whether a database is empty."""


class JournalLostError(JournalError):
    """The files under the journal's path are not the ones that are open."""


class JournalFiles:
    """The identities of the files of one open journal."""

    def __init__(self, path: Path) -> None:
        """Store the path of an existing database before it is opened."""
        self.path = str(path)
        self._beside = [f"{path.resolve()}{ending}" for ending in BESIDE]
        self._first = _identity(self.path)
        self._found: dict[str, Identity | None] = {}

    def remember(self) -> None:
        """Store the identities of all files, after the first commit has created them.

        Raises:
            JournalLostError: the database is not the one that was there before it was opened.
        """
        if _identity(self.path) != self._first:
            raise self._lost(self.path)
        self._found = {self.path: _identity(self.path, database=True), **{path: _identity(path) for path in self._beside}}

    def require_in_place(self) -> None:
        """Check that the open files are still those under the path; a commit into another file is not durable.

        Raises:
            JournalLostError: the files under the path are not the ones that are open.
        """
        for path, identity in self._found.items():
            if _identity(path, database=path == self.path) != identity:
                raise self._lost(path)

    def _lost(self, path: str) -> JournalLostError:
        return JournalLostError(
            f"The journal {self.path} was moved, deleted or replaced while nbsweep was using it: {path} is not the file that "
            "is open. Nothing more is deleted. Put the file back in its place, with its -wal file, and start nbsweep again: it "
            "follows what was requested."
        )


def _identity(path: str, *, database: bool = False) -> Identity | None:
    """Return the identity of the file at a path; None if there is none, or it cannot be read."""
    try:
        found = os.stat(path)  # noqa: PTH116  # right before each DELETE: a Path would take four times as long
    except OSError:
        return None
    return found.st_dev, found.st_ino, database and found.st_size == 0
