"""Finds out about many notebooks of one listing at the least cost: by pages of what is DELETING, by a snapshot, by questions.

One page of what is DELETING says how many there are, and so, as a hint, whether any of ours has ended. Which ones is then
found out in whichever way takes fewer calls: the rest of those pages and a question about each that is missing, or a snapshot
of the whole listing, which proves all ends at once. While DELETEs are leaving, they come first: looking then costs no more
than a page for fifty of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from nbsweep.core.events.removal import SnapshotFlawed
from nbsweep.core.listing.belonging import differs_from
from nbsweep.core.listing.snapshot import Snapshot, pages_for
from nbsweep.core.model import PAGE_SIZE, Notebook, Page, Scope, Status
from nbsweep.core.ports import Ports

WORTH_A_PAGE = 2
"""From so many in one scope on, a page is cheaper than asking one by one."""
CALLS_PER_S = 0.5
"""So much may be spent on looking while DELETEs leave, at any rate."""


class LookupResult(Struct, frozen=True):
    """What a look at one scope has come to; who is in none of these is most likely still DELETING."""

    seen: Mapping[str, Notebook] = {}
    gone: frozenset[str] = frozenset()
    """Proven."""
    ask: frozenset[str] = frozenset()
    """To be asked for by id."""


@dataclass(slots=True)
class _Memory:
    """What earlier looks at a scope have taught."""

    size: int = 0
    """How many rows its listing had; 0 when it has not been read yet."""
    provable: bool = True
    """Whether its listing can serve as a proof."""
    shows_deleting: bool = False
    """Whether its whole listing has ever shown a row that is DELETING; until then a row that is missing may be hidden."""
    absent: frozenset[str] = frozenset()
    """Those that were missing from a snapshot that proved nothing, and were asked for by id."""
    settled_s: float = float("-inf")
    """When it was last known of every single one, of the steady clock."""


@dataclass(slots=True)
class CallBudget:
    """How many calls looking may cost now."""

    since_s: float
    """When they were last spent, of the steady clock."""
    deletes: int = 0
    """How many DELETEs have been accepted since."""
    busy: bool = False
    """Whether DELETEs were leaving since the last tick, more than a few."""

    def covers(self, calls: float, now_s: float) -> bool:
        """Tell whether so many calls may be made."""
        return not self.busy or calls <= max(self.deletes / PAGE_SIZE, CALLS_PER_S * (now_s - self.since_s))

    def spend(self, now_s: float) -> None:
        """Note that they are made."""
        self.since_s = now_s
        self.deletes = 0


@dataclass(slots=True)
class BatchLookup:
    """Looks at listings, and remembers what they are like."""

    ports: Ports
    budget: CallBudget
    hint_for_s: float
    """How long a mere number may be trusted: somebody else's deletions can make up for ours that have ended."""
    _memories: dict[Scope, _Memory] = field(default_factory=dict)

    async def look_up(self, scope: Scope, wanted: frozenset[str]) -> LookupResult:
        """Find out about the wanted of one scope, all of which were accepted before this.

        Raises:
            CloudError: a page could not be read.
        """
        if len(wanted) < WORTH_A_PAGE:
            return LookupResult(ask=wanted)
        memory = self._memories.setdefault(scope, _Memory(settled_s=self.ports.clock.steady_s()))
        memory.provable &= self.ports.cloud.paging().overlaps
        if memory.absent & wanted:
            self._distrust(scope, memory)
        page = await self.ports.cloud.page(scope, 0, Status.DELETING)
        now_s, seen = self.ports.clock.steady_s(), _deleting(page)
        missing = self._missing(wanted, seen, page)
        trusted = len(page.rows) >= page.total or (
            self._pages(page.total) <= len(wanted) and now_s - memory.settled_s < self.hint_for_s
        )
        if trusted and not missing:
            return LookupResult(seen)
        questions = min(len(wanted), self._pages(page.total) - 1 + max(1, missing))
        cost = min(questions, self._snapshot_cost(memory, len(wanted)))
        if not self.budget.covers(cost, now_s):
            return LookupResult(seen)
        self.budget.spend(now_s)
        memory.settled_s = now_s
        snapshot = await self._snapshot(scope, wanted, questions) if cost < questions else None
        return self._weigh(scope, snapshot, seen) if snapshot else await self._read_on(scope, wanted, seen, page)

    def _missing(self, wanted: frozenset[str], seen: Mapping[str, Notebook], page: Page) -> int:
        """Tell how many of the wanted have most likely left DELETING; exactly, where one page holds all of it."""
        if len(page.rows) >= page.total:
            return len(wanted - seen.keys())
        others = len(seen.keys() - wanted)
        return max(0, len(wanted) - (page.total - others))

    async def _snapshot(self, scope: Scope, wanted: frozenset[str], most_pages: int) -> Snapshot | None:
        """Read the whole listing; None when it would cost more than asking, or proves nothing."""
        size, memory = self._size, self._memories[scope]
        snapshot = Snapshot(wanted, size)
        while not snapshot.complete:
            page = await self.ports.cloud.page(scope, snapshot.offset)
            memory.size = page.total
            memory.shows_deleting |= bool(_deleting(page))
            if pages_for(page.total, size) > most_pages:
                return None
            snapshot.take(page)
            if not snapshot.flaw and any(isinstance(row, Notebook) and differs_from(row, scope) for row in page.rows):
                snapshot.flaw, snapshot.hopeless = "it shows rows of another workspace or feature", True
            if snapshot.flaw:
                memory.provable = not snapshot.hopeless
                self.ports.telemetry.emit(SnapshotFlawed(scope.workspace_id, scope.feature, snapshot.flaw))
                return None
        return snapshot

    def _weigh(self, scope: Scope, snapshot: Snapshot, deleting: Mapping[str, Notebook]) -> LookupResult:
        """Say what a snapshot proves beside the page of DELETING of the same tick, which it never overrules.

        A listing may leave out what is DELETING. Absence is a proof only where a listing of this scope has shown such a row.
        """
        memory = self._memories[scope]
        hidden, missing = snapshot.gone & deleting.keys(), snapshot.gone - deleting.keys()
        seen = {**snapshot.seen, **{notebook_id: deleting[notebook_id] for notebook_id in hidden}}
        if memory.shows_deleting:
            return LookupResult(seen, gone=missing)
        memory.absent = missing
        if hidden:
            self._distrust(scope, memory)
        return LookupResult(seen, ask=missing)

    def _distrust(self, scope: Scope, memory: _Memory) -> None:
        """Take no more snapshots of a listing that does not show what is known to be there."""
        memory.absent = frozenset()
        if memory.provable:
            memory.provable = False
            self.ports.telemetry.emit(SnapshotFlawed(scope.workspace_id, scope.feature, "it does not show what is DELETING"))

    async def _read_on(self, scope: Scope, wanted: frozenset[str], seen: dict[str, Notebook], page: Page) -> LookupResult:
        """Read the rest of what is DELETING, and have the missing asked for; no more pages than asking all would cost."""
        offset = len(page.rows)
        for _ in wanted:
            if not page.rows or not 0 < self._pages(page.total - offset) < len(wanted - seen.keys()):
                break
            page = await self.ports.cloud.page(scope, offset, Status.DELETING)
            seen |= _deleting(page)
            offset += len(page.rows)
        return LookupResult(seen, ask=wanted - seen.keys())

    @property
    def _size(self) -> int:
        """How many rows a page has."""
        return self.ports.cloud.paging().size

    def _pages(self, rows: int) -> int:
        return -(-rows // self._size)

    def _snapshot_cost(self, memory: _Memory, wanted: int) -> float:
        """Tell how many pages a snapshot takes, as far as its size is known."""
        return pages_for(max(memory.size, wanted), self._size) if memory.provable else float("inf")


def _deleting(page: Page) -> dict[str, Notebook]:
    rows: Iterable[Notebook] = (row for row in page.rows if isinstance(row, Notebook))
    return {row.id: row for row in rows if row.status is Status.DELETING}
