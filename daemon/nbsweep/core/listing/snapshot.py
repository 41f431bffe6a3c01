"""Proves which notebooks are gone, from a listing that was read while rows came and went.

The pages of a listing sorted by creation are joined into one. Each page is true of one moment, and two neighbours are joined
when the later one begins with a row of the earlier one that is older than the earlier one's last: then every row whose date
lies between the first page's first and the last page's last, and which was there all the time, stands on one of them,
whatever vanished meanwhile. So a notebook that stands on none was gone when the listing ended; dates of creation never
change, and new notebooks only join at the end. Where two pages do not meet, because rows before them have vanished, the
reader steps back until they do.

Whatever speaks against such an order (a row without a date, a date before the one above it, a listing that the cloud does not
sort, fewer rows than it counts) makes the whole worthless as a proof, and `flaw` says so.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from nbsweep.core.model import PAGE_SIZE, Notebook, Page

OVERLAP = 5
"""So many rows of a page are asked for again with the next one: as many may vanish before it without a step back."""
STEP_BACK = 20
PAGES_PER_PAGE = 2
"""So many times the pages that the listing has may be read, steps back included."""
PAGES_MORE = 5


class _Placed(NamedTuple):
    """A row's place in the order."""

    id: str
    created_at: datetime


def pages_for(rows: int, size: int = PAGE_SIZE) -> int:
    """Return how many pages of that size a snapshot of so many rows takes when nothing vanishes."""
    return max(1, -(-(rows - OVERLAP) // max(1, size - OVERLAP)))


class Snapshot:
    """Takes the pages of one listing, and tells where the next is to begin."""

    def __init__(self, wanted: Collection[str], size: int = PAGE_SIZE) -> None:
        """Look for these notebooks, on pages of that size; begin at the first row."""
        self.offset = 0
        """Where the next page begins."""
        self.seen: dict[str, Notebook] = {}
        """Those of the wanted that stood on a page, as it showed them."""
        self.complete = False
        """Whether the listing has been joined from its first row to its last."""
        self.flaw = ""
        """Why it proves nothing; empty while it may."""
        self.hopeless = False
        """Whether another reading of this listing would prove nothing either."""
        self._wanted = frozenset(wanted)
        self._ids: set[str] = set()
        self._size = size
        self._above: tuple[_Placed, ...] = ()
        self._above_at = 0
        """Where the page began that `_above` stands on."""
        self._overlap = OVERLAP
        self._pages_left: int | None = None

    @property
    def gone(self) -> frozenset[str]:
        """Return which of the wanted are proven gone."""
        return self._wanted - self._ids if self.complete else frozenset()

    def take(self, page: Page) -> None:
        """Take the page that was asked for at `offset`."""
        placed = _placed(page)
        disorder = _disorder(page, placed) or self._displaced(page)
        self.hopeless = bool(disorder)
        self.flaw = disorder or self._spent(page)
        if self.flaw:
            return
        if not self._joined(placed):
            self.offset = max(0, min(self.offset, page.total) - STEP_BACK)
            self._overlap = min(2 * self._overlap, self._size // 2)
            return
        self._note(page)
        self._above, self._above_at = placed, self.offset
        if self.offset + len(page.rows) >= page.total:
            self._end(page)
        else:
            self.offset += max(1, len(page.rows) - self._overlap)

    def _spent(self, page: Page) -> str:
        """Count a page; a listing may vanish so fast that its pages never meet."""
        if self._pages_left is None:
            self._pages_left = PAGES_PER_PAGE * pages_for(page.total, self._size) + PAGES_MORE
        self._pages_left -= 1
        if not page.rows and self.offset < page.total:
            return "a page is empty where the cloud counts more rows"
        return "its rows vanish faster than they are read" if self._pages_left < 0 else ""

    def _joined(self, placed: tuple[_Placed, ...]) -> bool:
        if self.offset == 0:
            return True
        if not placed or not self._above:
            return False
        first = placed[0]
        return first in self._above and first.created_at < self._above[-1].created_at

    def _displaced(self, page: Page) -> str:
        """Describe that a page begins before the row that was asked for, which no row that vanishes can bring about."""
        skipped = {row.id for row in self._above[: max(0, self.offset - self._above_at)]}
        return "its pages do not begin where they were asked to" if page.rows and page.rows[0].id in skipped else ""

    def _note(self, page: Page) -> None:
        self._ids |= {row.id for row in page.rows if row.id is not None}
        self.seen |= {row.id: row for row in page.rows if isinstance(row, Notebook) and row.id in self._wanted}

    def _end(self, page: Page) -> None:
        if len(self._ids) < page.total:
            self.flaw = f"{len(self._ids)} rows were read, and the cloud counts {page.total}"
        else:
            self.complete = True


def _placed(page: Page) -> tuple[_Placed, ...]:
    rows = (row for row in page.rows if isinstance(row, Notebook))
    return tuple(_Placed(row.id, row.created_at) for row in rows if row.created_at is not None)


def _disorder(page: Page, placed: tuple[_Placed, ...]) -> str:
    """Describe what speaks against the order of a page; nothing when it is one."""
    dates = [row.created_at for row in placed]
    flaws = (
        (not page.oldest_first, "the cloud does not sort it"),
        (any(row.id is None for row in page.rows), "a row has no id"),
        (len(placed) < sum(isinstance(row, Notebook) for row in page.rows), "a row has no date of creation"),
        (dates != sorted(dates), "it is not in the order of creation"),
    )
    return next((flaw for found, flaw in flaws if found), "")
