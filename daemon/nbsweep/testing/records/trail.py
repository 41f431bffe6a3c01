"""An audit trail in memory."""

import asyncio
from collections.abc import Iterable, Mapping

from nbsweep.core.audit.chain import START, Head, Link, join
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry, AuditQuery, RemovalSnapshot, entries_of
from nbsweep.core.audit.heads import in_order
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import microseconds


class InMemoryTrail:
    """The trail of an `InMemoryJournal`; it is chained on the first read, since most tests never read it."""

    def __init__(self, removals: Mapping[tuple[str, str, str], Removal]) -> None:
        """Take the journal's removals, by run, target and notebook."""
        self._removals = removals
        self._unchained: list[AuditEntry] = []
        self._links: list[Link] = []
        self._heads: dict[str, Head] = {}

    def append(self, removal: Removal, before: Removal | None, started_by: str) -> None:
        """Append the entries of a write."""
        stage = RemovalSnapshot.of(before) if before else None
        self.extend(entries_of(removal, stage, started_by, 0))

    def extend(self, entries: Iterable[AuditEntry]) -> None:
        """Append entries, whose numbers are replaced by those in their chains."""
        self._unchained += entries

    async def heads(self) -> Mapping[str, Head]:
        """Return the head of each chain."""
        await asyncio.sleep(0)
        self._chained()
        return dict(self._heads)

    async def chains(self) -> tuple[str, ...]:
        """List the chains."""
        return tuple(in_order(await self.heads()))

    async def head(self, chain: str) -> Head | None:
        """Return the head of a chain."""
        await asyncio.sleep(0)
        self._chained()
        return self._heads.get(chain)

    async def after(self, chain: str, sequence: int, limit: int) -> tuple[Link, ...]:
        """Return the entries of a chain after one, in its order."""
        await asyncio.sleep(0)
        return tuple(link for link in self._chained() if link.chain == chain)[sequence : sequence + limit]

    async def latest(self, query: AuditQuery, limit: int) -> tuple[Link, ...]:
        """Return the latest entries that match a query, the highest position first."""
        await asyncio.sleep(0)
        return tuple(link for link in reversed(self._chained()) if _wanted(query, link))[:limit]

    async def coverage(self) -> tuple[AuditCoverage, ...]:
        """Count the removals whose decision is not on the trail, for each target that has some."""
        await asyncio.sleep(0)
        entries = [link.entry for link in self._chained()]
        decided = {
            (entry.run_id, entry.target, entry.notebook_id) for entry in entries if entry.what == AuditStep.DECIDED.value
        }
        undecided = [removal for key, removal in self._removals.items() if key not in decided]
        found = []
        for target in sorted({removal.target for removal in undecided}):
            mine = [removal for removal in undecided if removal.target == target]
            missing = sum(microseconds(removal.planned_at) >= entries[0].moment_us for removal in mine if entries)
            found.append(AuditCoverage(target, len(mine) - missing, missing))
        return tuple(found)

    def _chained(self) -> list[Link]:
        for entry in self._unchained:
            head = self._heads.get(entry.target, START)
            [link] = join([entry._replace(sequence=head.sequence + 1)], head, entry.target)
            self._links.append(link._replace(position=len(self._links) + 1))
            self._heads[entry.target] = Head(link.entry.sequence, link.digest)
        self._unchained.clear()
        return self._links


def _wanted(query: AuditQuery, link: Link) -> bool:
    entry = link.entry
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
        and (query.before is None or link.position < query.before)
    )
