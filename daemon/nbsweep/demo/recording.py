"""A journal in memory that records what is written to it, so that the same can be written to another journal."""

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, cast

from msgspec import Struct

from nbsweep.core.ports import Journal
from nbsweep.testing import InMemoryJournal

JOURNAL = "journal"
WRITES: Mapping[str, frozenset[str]] = {
    JOURNAL: frozenset({"open_run", "close_run", "write"}),
    "sightings": frozenset({"note"}),
    "marks": frozenset({"write"}),
    "outbox": frozenset({"drop", "compose", "lease", "record"}),
    "exemptions": frozenset({"grant", "revoke"}),
    "inventory": frozenset({"record"}),
    "holds": frozenset({"add"}),
}
"""The methods that are recorded, by the part of the journal. Leases of targets and services leave nothing behind."""
FOR_THE_MOMENT = frozenset({"exemptions_version"})
"""Arguments that guard a write against others at the same time; the versions of two journals may differ."""


class Write(Struct, frozen=True):
    """A call that has changed the journal."""

    part: str
    method: str
    arguments: tuple[Any, ...]
    named: Mapping[str, Any]

    async def repeat(self, journal: Journal) -> None:
        """Make the same change in another journal.

        Raises:
            JournalError: it cannot be written.
        """
        port = journal if self.part == JOURNAL else attrgetter(self.part)(journal)
        await getattr(port, self.method)(*self.arguments, **self.named)


class RecordedPort:
    """Passes every call on to one part of the journal in memory, and records those that write."""

    def __init__(self, part: str, port: object, writes: list[Write]) -> None:
        """Store the part, its name, and the list of writes that all parts share."""
        self._part = part
        self._port = port
        self._writes = writes

    def __getattr__(self, name: str) -> Any:
        """Return a method or a part of the journal."""
        found = getattr(self._port, name)
        if name in WRITES and self._part == JOURNAL:
            return RecordedPort(name, found, self._writes)
        return self._recorded(name, found) if name in WRITES[self._part] else found

    def _recorded(self, name: str, method: Any) -> Any:
        async def write(*arguments: Any, **named: Any) -> Any:
            kept = tuple(map(_lasting, arguments))
            result = await method(*kept, **named)
            lasting = {key: _lasting(value) for key, value in named.items() if key not in FOR_THE_MOMENT}
            self._writes.append(Write(self._part, name, kept, lasting))
            return result

        return write


def record_journal(writes: list[Write]) -> Journal:
    """Return a new journal in memory that appends its changes to `writes`, in their order."""
    return cast("Journal", RecordedPort(JOURNAL, InMemoryJournal(), writes))


async def repeat_all(writes: Sequence[Write], journal: Journal) -> None:
    """Make all recorded changes in another journal.

    Raises:
        JournalError: they cannot be written.
    """
    for write in writes:
        await write.repeat(journal)


def _lasting(value: Any) -> Any:
    """Return a value that its owner does not change or use up later."""
    return tuple(value) if isinstance(value, list | Iterator) else value
