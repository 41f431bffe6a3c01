"""How a `FakeCloud` divides its listings into pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from nbsweep.core.listing.paging import Offsets, Paging
from nbsweep.core.model import PAGE_SIZE, MalformedRow, Notebook, Page


@dataclass(slots=True)
class Pages:
    """The meaning of an offset, the size of a page, and what the caller knows about both."""

    offsets: Offsets = Offsets.ROWS
    largest: int = PAGE_SIZE
    paging: Paging = field(default_factory=Paging)
    """What the caller knows."""

    def cut(self, rows: Sequence[Notebook | MalformedRow], offset: int) -> Page:
        """Return one page of these rows."""
        size = min(self.paging.size, self.largest)
        self.paging = replace(self.paging, size=size)
        sent = self.paging.offset_of(offset)
        first = {Offsets.WHOLE_PAGES: sent // size * size, Offsets.PAGE_NUMBERS: sent * size}.get(self.offsets, sent)
        return Page(tuple(rows[first : first + size]), len(rows), oldest_first=True)
