"""The owners' file: read when it has changed, and checked as a whole."""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio import to_thread
from msgspec import Struct

from nbsweep.adapters.owners.formats import Item, UnreadableFile, decode, read_csv, read_yaml
from nbsweep.adapters.owners.rows import FileMistake, contact_of
from nbsweep.core.notices.addresses import comparable
from nbsweep.core.notices.contacts import Contact

LARGEST_BYTES = 4 * 1024 * 1024
CSV = ".csv"
SHOWN = 3


class Entry(Struct, frozen=True):
    """One right entry of the file."""

    line: int
    contact: Contact


class OwnersFile(Struct, frozen=True):
    """The content of the file. Entries that have a mistake, or that are not unique, are only among the mistakes."""

    entries: Mapping[str, Entry] = {}
    """By the comparable form of the name or id."""
    mistakes: tuple[FileMistake, ...] = ()
    doubtful: frozenset[str] = frozenset()
    """The comparable names and ids of entries with a mistake."""

    def describe_mistakes(self) -> str:
        """Return the first mistakes in one line."""
        more = len(self.mistakes) - SHOWN
        shown = "; ".join(str(mistake) for mistake in self.mistakes[:SHOWN])
        return f"{shown}; and {more} more" if more > 0 else shown


@dataclass(slots=True)
class FileReader:
    """Reads the owners' file when it is asked for and has changed since."""

    path: Path
    channels: frozenset[str] | None = None
    """The names of the configured channels; None if they are not known."""
    _stamp: tuple[int, ...] = ()
    _content: OwnersFile = field(default_factory=OwnersFile)
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    async def current(self) -> OwnersFile:
        """Return the content of the file as it is now."""
        async with self._lock:
            self._stamp, self._content = await to_thread.run_sync(self._read)
            return self._content

    def read_now(self) -> OwnersFile:
        """Read the file, in this thread."""
        _, content = self._read()
        return content

    def _read(self) -> tuple[tuple[int, ...], OwnersFile]:
        """Read the file again if it has changed."""
        try:
            # Non-blocking, because the file may be a pipe without a writer.
            with os.fdopen(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                found = os.fstat(file.fileno())
                stamp = (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)
                if stamp == self._stamp:
                    return stamp, self._content
                if not stat.S_ISREG(found.st_mode):
                    return (), unreadable("is not a file")
                content = file.read(LARGEST_BYTES + 1)
        except OSError as error:
            return (), unreadable(f"cannot be read: {error.strerror or 'unknown reason'}")
        if len(content) > LARGEST_BYTES:
            return stamp, unreadable(f"is larger than {LARGEST_BYTES} bytes")
        return stamp, parse(content, is_csv=self.path.suffix.casefold() == CSV, channels=self.channels)


def unreadable(problem: str) -> OwnersFile:
    """Return the content of a file that cannot be read."""
    return OwnersFile(mistakes=(FileMistake(None, problem),))


def parse(content: bytes, *, is_csv: bool, channels: frozenset[str] | None = None) -> OwnersFile:
    """Parse the content of a file. Mistakes are part of the result."""
    read: Callable[[str], Iterator[Item]] = read_csv if is_csv else read_yaml
    collected = _Collected(channels)
    try:
        for item in read(decode(content)):
            collected.add(item)
    except UnreadableFile as error:
        return OwnersFile(mistakes=(error.mistake,))
    return collected.finish()


@dataclass(slots=True)
class _Collected:
    """The entries and the mistakes so far."""

    channels: frozenset[str] | None
    entries: dict[str, Entry] = field(default_factory=dict)
    mistakes: list[FileMistake] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    """The line on which each name or id was met first."""
    doubtful: set[str] = field(default_factory=set)

    def add(self, item: Item) -> None:
        if isinstance(item, FileMistake):
            self.mistakes.append(item)
            return
        key = comparable(item.key)
        try:
            contact = contact_of(item)
            self._require_channel(contact)
        except ValueError as error:
            self._reject(key, item.line, str(error))
        else:
            self.entries[key] = Entry(item.line, contact)
        first = self.lines.setdefault(key, item.line)
        if first != item.line:
            self._reject(key, item.line, f"the owner of line {first} is given again, without regard to case")

    def _require_channel(self, contact: Contact) -> None:
        if self.channels is not None and contact.channel and contact.channel not in self.channels:
            there_are = f"there are {', '.join(sorted(self.channels))}" if self.channels else "there are no channels"
            raise ValueError(f"channel must be the name of a channel of the configuration; {there_are}")

    def _reject(self, key: str, line: int, problem: str) -> None:
        self.mistakes.append(FileMistake(line, problem))
        self.doubtful.add(key)

    def finish(self) -> OwnersFile:
        right = {key: entry for key, entry in self.entries.items() if key not in self.doubtful}
        ordered = sorted(self.mistakes, key=lambda mistake: mistake.line or 0)
        return OwnersFile(right, tuple(ordered), frozenset(self.doubtful))
