"""How a cloud takes the offset of a listing, found out from its answers (ModelArts API, section 12).

An offset is documented as "the starting position of the paging record". Every client that is known sends multiples of the page
size, so a cloud may take an offset as a row, round it down to whole pages, or take it as the number of a page.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.model import PAGE_SIZE, Page


class Offsets(StrEnum):
    """What an offset means."""

    UNKNOWN = "unknown"
    ROWS = "rows"
    """A page begins at any row."""
    WHOLE_PAGES = "whole-pages"
    """An offset between two pages is rounded down, or refused."""
    PAGE_NUMBERS = "page-numbers"


class Paging(Struct, frozen=True):
    """What is known of the pages of a cloud's listings."""

    offsets: Offsets = Offsets.UNKNOWN
    size: int = PAGE_SIZE
    """Rows of a full page."""
    first_number: int = 0
    """The number of the first page, where offsets are page numbers."""

    @property
    def overlaps(self) -> bool:
        """Return whether pages may overlap, as far as is known: only then does a listing show that its rows have shifted."""
        return self.offsets in (Offsets.UNKNOWN, Offsets.ROWS)

    def offset_of(self, row: int) -> int:
        """Return the offset to send for the page that begins with a row, counted from 0."""
        return self.first_number + row // self.size if self.offsets is Offsets.PAGE_NUMBERS else row

    def describe(self) -> str:
        """Describe it in a few words, for people."""
        return f"{_WORDS[self.offsets]}, {self.size} rows to a page"


_WORDS = {
    Offsets.UNKNOWN: "what an offset means is not known yet",
    Offsets.ROWS: "a page begins at any row",
    Offsets.WHOLE_PAGES: "pages are whole: an offset between two pages is rounded down or refused",
    Offsets.PAGE_NUMBERS: "an offset is the number of a page",
}


def judge_offset(first: Page, later: Page, offset: int) -> Offsets:
    """Return what an offset in the middle of the first page means, by the page that it gave.

    A few rows that vanish meanwhile move the page by as many rows; half of the offset tells the meanings apart all the same.
    Page numbers are no more than a suspicion here, which `judge_number` confirms.
    """
    shift = _shift(first, later)
    if shift is None:
        return Offsets.PAGE_NUMBERS if later.total > offset else Offsets.UNKNOWN
    return Offsets.ROWS if 2 * shift > offset else Offsets.WHOLE_PAGES


def judge_number(paging: Paging, first: Page, page_1: Page) -> Paging:
    """Return whether offset 1 gave the second page, or the first one where page numbers begin with 1; unknown where neither."""
    if not page_1.rows or _shift(first, page_1) not in (None, 0):
        return paging
    first_number = 0 if _shift(first, page_1) is None else 1
    return replace(paging, offsets=Offsets.PAGE_NUMBERS, first_number=first_number)


def _shift(first: Page, later: Page) -> int | None:
    """Return by how many rows a page begins later than the first one; None if they share no row."""
    places = {row.id: place for place, row in enumerate(first.rows) if row.id is not None}
    shared = (places[row.id] - place for place, row in enumerate(later.rows) if row.id in places)
    return next(shared, None)
