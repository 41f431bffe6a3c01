"""An audit trail in memory."""

import asyncio
from collections.abc import Iterable, Mapping

from nbsweep.core.audit.chain import START, Head, Link, join
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry, AuditQuery, RemovalSnapshot, entries_of
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import microseconds


class InMemoryTrail:
    """The trail of an `InMemoryJournal`; it is chained on the first read, since most tests never read it."""

    def __init__(self, removals: Mapping[tuple[str, str, str], Removal]) -> None:
        """Take the journal's removals, by run, target and notebook."""
        self._removals = removals
        self._entries: list[AuditEntry] = []
        self._links: list[Link] = []

    def append(self, removal: Removal, before: Removal | None, started_by: str) -> None:
        """Append the entries of a write."""
        stage = RemovalSnapshot.of(before) if before else None
        self.extend(entries_of(removal, stage, started_by, self.length))

    @property
    def length(self) -> int:
        """The number of entries."""
        return len(self._entries)

    def extend(self, entries: Iterable[AuditEntry]) -> None:
        """Append entries, which are numbered already."""
        self._entries += entries

    async def head(self) -> Head:
        """Return the head of the chain."""
        await asyncio.sleep(0)
        return self._head(self._chained())

    async def after(self, sequence: int, limit: int) -> tuple[Link, ...]:
        """Return the entries after one, in the order of the chain."""
        await asyncio.sleep(0)
        return tuple(self._chained()[sequence : sequence + limit])

    async def latest(self, query: AuditQuery, limit: int) -> tuple[Link, ...]:
        """Return the latest entries that match a query, newest first."""
        await asyncio.sleep(0)
        return tuple(link for link in reversed(self._chained()) if _wanted(query, link.entry))[:limit]

    async def coverage(self) -> AuditCoverage:
        """Count the removals whose decision is not on the trail."""
        await asyncio.sleep(0)
        decided = {
            (entry.run_id, entry.target, entry.notebook_id) for entry in self._entries if entry.what == AuditStep.DECIDED.value
        }
        undecided = [removal for key, removal in self._removals.items() if key not in decided]
        missing = sum(microseconds(removal.planned_at) >= self._entries[0].moment_us for removal in undecided if self._entries)
        return AuditCoverage(len(undecided) - missing, missing)

    def _chained(self) -> list[Link]:
        self._links += join(self._entries[len(self._links) :], self._head(self._links))
        return self._links

    @staticmethod
    def _head(links: list[Link]) -> Head:
        return Head(links[-1].entry.sequence, links[-1].digest) if links else START


def _wanted(query: AuditQuery, entry: AuditEntry) -> bool:
    said = (
        (query.target, entry.target),
        (query.run_id, entry.run_id),
        (query.notebook_id, entry.notebook_id),
        (query.policy, entry.policy),
        (query.what, entry.what),
    )
    since_us = microseconds(query.since) if query.since else None
    return (
        all(wanted is None or wanted == found for wanted, found in said)
        and (since_us is None or entry.moment_us >= since_us)
        and (query.who or "").lower() in entry.started_by.lower()
        and (query.before is None or entry.sequence < query.before)
    )
