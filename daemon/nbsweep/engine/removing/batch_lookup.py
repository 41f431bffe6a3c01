"""Looks up many notebooks of one listing with few calls: by pages of DELETING notebooks, by a snapshot, or by id.

One page of DELETING notebooks shows how many there are, which hints at whether any removal has ended. The ended removals are
then found in the way that takes fewer calls: the other DELETING pages and one read for each missing notebook, or a snapshot of
the whole listing, which proves all ends at once. DELETEs have priority: while they leave, a lookup costs at most one page for
fifty DELETEs.
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
"""The number of notebooks in one scope from which a page is cheaper than one read for each."""
CALLS_PER_S = 0.5
"""The calls a second that lookups may always make, also while DELETEs leave."""


class LookupResult(Struct, frozen=True):
    """The result of a lookup in one scope; a notebook that is in none of the fields is most likely still DELETING."""

    seen: Mapping[str, Notebook] = {}
    gone: frozenset[str] = frozenset()
    """Ids of notebooks that are proven gone."""
    ask: frozenset[str] = frozenset()
    """Ids of notebooks that have to be read by id."""


@dataclass(slots=True)
class _Memory:
    """What earlier lookups showed of a scope."""

    size: int = 0
    """The rows of its listing; 0 before it was read."""
    provable: bool = True
    """Whether its listing can serve as a proof."""
    shows_deleting: bool = False
    """Whether its whole listing has ever shown a row that is DELETING; until then a row that is missing may be hidden."""
    absent: frozenset[str] = frozenset()
    """Ids that were missing from a snapshot that proved nothing, and were read by id."""
    settled_s: float = float("-inf")
    """When the state of every single notebook was last known, in seconds of the steady clock."""


@dataclass(slots=True)
class CallBudget:
    """Limits the calls that lookups may make now."""

    since_s: float
    """When calls were last spent, in seconds of the steady clock."""
    deletes: int = 0
    """How many DELETEs have been accepted since."""
    busy: bool = False
    """Whether more than a few DELETEs have left since the last tick."""

    def covers(self, calls: float, now_s: float) -> bool:
        """Return whether so many calls may be made."""
        return not self.busy or calls <= max(self.deletes / PAGE_SIZE, CALLS_PER_S * (now_s - self.since_s))

    def spend(self, now_s: float) -> None:
        """Record that calls are made."""
        self.since_s = now_s
        self.deletes = 0


@dataclass(slots=True)
class BatchLookup:
    """Looks up notebooks in listings, and remembers the properties of each listing."""

    ports: Ports
    budget: CallBudget
    hint_for_s: float
    """How long a mere count is trusted, in seconds: deletions by others can offset removals that have ended."""
    _memories: dict[Scope, _Memory] = field(default_factory=dict)

    async def look_up(self, scope: Scope, notebook_ids: frozenset[str]) -> LookupResult:
        """Look up notebooks of one scope; their DELETEs were accepted before this call.

        Raises:
            CloudError: a page could not be read.
        """
        if len(notebook_ids) < WORTH_A_PAGE:
            return LookupResult(ask=notebook_ids)
        memory = self._memories.setdefault(scope, _Memory(settled_s=self.ports.clock.steady_s()))
        memory.provable &= self.ports.cloud.paging().overlaps
        if memory.absent & notebook_ids:
            self._distrust(scope, memory)
        page = await self.ports.cloud.page(scope, 0, Status.DELETING)
        now_s, seen = self.ports.clock.steady_s(), _deleting(page)
        missing = self._missing(notebook_ids, seen, page)
        trusted = len(page.rows) >= page.total or (
            self._pages(page.total) <= len(notebook_ids) and now_s - memory.settled_s < self.hint_for_s
        )
        if trusted and not missing:
            return LookupResult(seen)
        reads = min(len(notebook_ids), self._pages(page.total) - 1 + max(1, missing))
        cost = min(reads, self._snapshot_cost(memory, len(notebook_ids)))
        if not self.budget.covers(cost, now_s):
            return LookupResult(seen)
        self.budget.spend(now_s)
        memory.settled_s = now_s
        snapshot = await self._snapshot(scope, notebook_ids, reads) if cost < reads else None
        return self._weigh(scope, snapshot, seen) if snapshot else await self._read_on(scope, notebook_ids, seen, page)

    def _missing(self, notebook_ids: frozenset[str], seen: Mapping[str, Notebook], page: Page) -> int:
        """Return how many of the notebooks have most likely left DELETING; exact if one page holds all rows."""
        if len(page.rows) >= page.total:
            return len(notebook_ids - seen.keys())
        others = len(seen.keys() - notebook_ids)
        return max(0, len(notebook_ids) - (page.total - others))

    async def _snapshot(self, scope: Scope, notebook_ids: frozenset[str], most_pages: int) -> Snapshot | None:
        """Read the whole listing; return None if that takes more calls than reads by id, or proves nothing."""
        size, memory = self._size, self._memories[scope]
        snapshot = Snapshot(notebook_ids, size)
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
        """Return what a snapshot proves; it never overrules the page of DELETING notebooks of the same tick.

        A listing may leave out DELETING notebooks. Absence is a proof only if a listing of this scope has shown such a row.
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
        """Stop taking snapshots of a listing that leaves out notebooks which are known to exist."""
        memory.absent = frozenset()
        if memory.provable:
            memory.provable = False
            self.ports.telemetry.emit(SnapshotFlawed(scope.workspace_id, scope.feature, "it does not show what is DELETING"))

    async def _read_on(self, scope: Scope, notebook_ids: frozenset[str], seen: dict[str, Notebook], page: Page) -> LookupResult:
        """Read the other DELETING pages; the missing notebooks are read by id. Stop where reads by id take fewer calls."""
        offset = len(page.rows)
        for _ in notebook_ids:
            if not page.rows or not 0 < self._pages(page.total - offset) < len(notebook_ids - seen.keys()):
                break
            page = await self.ports.cloud.page(scope, offset, Status.DELETING)
            seen |= _deleting(page)
            offset += len(page.rows)
        return LookupResult(seen, ask=notebook_ids - seen.keys())

    @property
    def _size(self) -> int:
        """The rows of a page."""
        return self.ports.cloud.paging().size

    def _pages(self, rows: int) -> int:
        return -(-rows // self._size)

    def _snapshot_cost(self, memory: _Memory, notebooks: int) -> float:
        """Return how many pages a snapshot takes, as far as the size of the listing is known."""
        return pages_for(max(memory.size, notebooks), self._size) if memory.provable else float("inf")


def _deleting(page: Page) -> dict[str, Notebook]:
    rows: Iterable[Notebook] = (row for row in page.rows if isinstance(row, Notebook))
    return {row.id: row for row in rows if row.status is Status.DELETING}
