"""The meaning of a listing's offset for a cloud, found out from its answers (ModelArts API, section 12).

An offset is documented as "the starting position of the paging record". All known clients send multiples of the page size, so
a cloud may take an offset as a row number, round it down to whole pages, or take it as a page number.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.model import PAGE_SIZE, Page


class Offsets(StrEnum):
    """The meanings of an offset."""

    UNKNOWN = "unknown"
    ROWS = "rows"
    """A page begins at any row."""
    WHOLE_PAGES = "whole-pages"
    """An offset between two pages is rounded down, or refused."""
    PAGE_NUMBERS = "page-numbers"


class Paging(Struct, frozen=True):
    """What is known about the pages of a cloud's listings."""

    offsets: Offsets = Offsets.UNKNOWN
    size: int = PAGE_SIZE
    """The number of rows of a full page."""
    first_number: int = 0
    """The number of the first page, if offsets are page numbers."""

    @property
    def overlaps(self) -> bool:
        """Return whether pages may overlap, as far as is known; only an overlap shows that rows have shifted."""
        return self.offsets in (Offsets.UNKNOWN, Offsets.ROWS)

    def offset_of(self, row: int) -> int:
        """Return the offset to send for the page that begins with a row, counted from 0."""
        return self.first_number + row // self.size if self.offsets is Offsets.PAGE_NUMBERS else row

    def describe(self) -> str:
        """Describe the paging for people."""
        return f"{_WORDS[self.offsets]}, {self.size} rows to a page"


_WORDS = {
    Offsets.UNKNOWN: "what an offset means is not known yet",
    Offsets.ROWS: "a page begins at any row",
    Offsets.WHOLE_PAGES: "pages are whole: an offset between two pages is rounded down or refused",
    Offsets.PAGE_NUMBERS: "an offset is the number of a page",
}


def judge_offset(first: Page, later: Page, offset: int) -> Offsets:
    """Return the meaning of an offset in the middle of the first page, by the page that it returned.

    Rows that vanish meanwhile shift the page by their number; half of the offset is the threshold, which allows for that.
    PAGE_NUMBERS is only a guess here, which `judge_number` confirms.
    """
    shift = _shift(first, later)
    if shift is None:
        return Offsets.PAGE_NUMBERS if later.total > offset else Offsets.UNKNOWN
    return Offsets.ROWS if 2 * shift > offset else Offsets.WHOLE_PAGES


def judge_number(paging: Paging, first: Page, page_1: Page) -> Paging:
    """Return the paging if offset 1 is the second page, or the first (numbers begin with 1); unchanged if neither is true."""
    if not page_1.rows or _shift(first, page_1) not in (None, 0):
        return paging
    first_number = 0 if _shift(first, page_1) is None else 1
    return replace(paging, offsets=Offsets.PAGE_NUMBERS, first_number=first_number)


def _shift(first: Page, later: Page) -> int | None:
    """Return how many rows after the first page another page begins; None if they share no row."""
    places = {row.id: place for place, row in enumerate(first.rows) if row.id is not None}
    shared = (places[row.id] - place for place, row in enumerate(later.rows) if row.id in places)
    return next(shared, None)
