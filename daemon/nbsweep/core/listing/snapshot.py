"""Proves which notebooks are gone, from a listing that was read while rows joined and vanished.

The pages of a listing sorted by creation are joined. Each page is a consistent view of one moment. Two successive pages join
if the later page begins with a row of the earlier page that is older than the earlier page's last row. Then every notebook
that existed all the time, and whose date lies between the first and the last row, is on one of the pages, whatever vanished
meanwhile. So a notebook that is on no page was gone when the listing ended: dates of creation never change, and new notebooks
only join at the end. If two pages do not join, because earlier rows have vanished, the reader steps back until they do.

Evidence against this order makes the snapshot worthless as a proof, and `flaw` names it: a row without a date, a date before
that of the previous row, a listing that the cloud does not sort, or fewer rows than the cloud counts.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from nbsweep.core.model import PAGE_SIZE, Notebook, Page

OVERLAP = 5
"""Rows that a page shares with the next one: this many rows may vanish before it without a step back."""
STEP_BACK = 20
PAGES_PER_PAGE = 2
"""How often each page of the listing may be read on average, steps back included."""
PAGES_MORE = 5


class _Placed(NamedTuple):
    """A row with its date of creation."""

    id: str
    created_at: datetime


def pages_for(rows: int, size: int = PAGE_SIZE) -> int:
    """Return how many pages a snapshot of `rows` rows takes if nothing vanishes."""
    return max(1, -(-(rows - OVERLAP) // max(1, size - OVERLAP)))


class Snapshot:
    """Joins the pages of one listing; `offset` says where the next page has to begin."""

    def __init__(self, notebook_ids: Collection[str], size: int = PAGE_SIZE) -> None:
        """Start at the first row; `notebook_ids` are the notebooks to look for, `size` is the page size."""
        self.offset = 0
        """The first row of the next page."""
        self.seen: dict[str, Notebook] = {}
        """The rows of the notebooks to look for, as the pages showed them."""
        self.complete = False
        """Whether all pages were joined, from the first row to the last."""
        self.flaw = ""
        """Why the snapshot proves nothing; empty while it may."""
        self.hopeless = False
        """Whether reading the listing again would prove nothing either."""
        self._notebook_ids = frozenset(notebook_ids)
        self._ids: set[str] = set()
        self._size = size
        self._above: tuple[_Placed, ...] = ()
        self._above_at = 0
        """The offset of the page that `_above` holds."""
        self._overlap = OVERLAP
        self._pages_left: int | None = None

    @property
    def gone(self) -> frozenset[str]:
        """Return the notebooks that are proven gone."""
        return self._notebook_ids - self._ids if self.complete else frozenset()

    def take(self, page: Page) -> None:
        """Join the page that was requested at `offset`."""
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
        """Count a page; return a flaw if the budget is spent, because rows may vanish so fast that pages never join."""
        if self._pages_left is None:
            self._pages_left = PAGES_PER_PAGE * pages_for(page.total, self._size) + PAGES_MORE
        self._pages_left -= 1
        if not page.rows and self.offset < page.total:
            return "a page is empty where the cloud counts more rows"
        return "its rows vanish faster than they can be read" if self._pages_left < 0 else ""

    def _joined(self, placed: tuple[_Placed, ...]) -> bool:
        if self.offset == 0:
            return True
        if not placed or not self._above:
            return False
        first = placed[0]
        return first in self._above and first.created_at < self._above[-1].created_at

    def _displaced(self, page: Page) -> str:
        """Return a flaw if a page begins before the requested row, which vanished rows cannot explain."""
        skipped = {row.id for row in self._above[: max(0, self.offset - self._above_at)]}
        return "its pages do not begin at the requested rows" if page.rows and page.rows[0].id in skipped else ""

    def _note(self, page: Page) -> None:
        self._ids |= {row.id for row in page.rows if row.id is not None}
        self.seen |= {row.id: row for row in page.rows if isinstance(row, Notebook) and row.id in self._notebook_ids}

    def _end(self, page: Page) -> None:
        if len(self._ids) < page.total:
            self.flaw = f"{len(self._ids)} rows were read, and the cloud counts {page.total}"
        else:
            self.complete = True


def _placed(page: Page) -> tuple[_Placed, ...]:
    rows = (row for row in page.rows if isinstance(row, Notebook))
    return tuple(_Placed(row.id, row.created_at) for row in rows if row.created_at is not None)


def _disorder(page: Page, placed: tuple[_Placed, ...]) -> str:
    """Return a flaw if a page is not in the order of creation; empty if it is."""
    dates = [row.created_at for row in placed]
    flaws = (
        (not page.oldest_first, "the cloud does not sort it"),
        (any(row.id is None for row in page.rows), "a row has no id"),
        (len(placed) < sum(isinstance(row, Notebook) for row in page.rows), "a row has no date of creation"),
        (dates != sorted(dates), "it is not in the order of creation"),
    )
    return next((flaw for found, flaw in flaws if found), "")
