"""How a `FakeCloud` cuts its listings into pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from nbsweep.core.listing.paging import Offsets, Paging
from nbsweep.core.model import PAGE_SIZE, MalformedRow, Notebook, Page


@dataclass(slots=True)
class Pages:
    """What an offset means, how large a page is, and what the caller has found out of that."""

    offsets: Offsets = Offsets.ROWS
    largest: int = PAGE_SIZE
    paging: Paging = field(default_factory=Paging)
    """As the caller knows it."""

    def cut(self, rows: Sequence[Notebook | MalformedRow], offset: int) -> Page:
        """Give one page of these rows."""
        size = min(self.paging.size, self.largest)
        self.paging = replace(self.paging, size=size)
        sent = self.paging.offset_of(offset)
        first = {Offsets.WHOLE_PAGES: sent // size * size, Offsets.PAGE_NUMBERS: sent * size}.get(self.offsets, sent)
        return Page(tuple(rows[first : first + size]), len(rows), oldest_first=True)
