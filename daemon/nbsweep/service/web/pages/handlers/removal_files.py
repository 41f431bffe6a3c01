"""Removals as CSV, which are read from the journal in parts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from nbsweep.core.lifecycle import Removal
from nbsweep.documents.past.history import EndedRemovalDocument, ended_removal_document
from nbsweep.documents.spreadsheet import csv_pieces

CHUNK = 500
"""Removals that are in memory at once."""

Following = Callable[[Removal | None, int], Awaitable[Sequence[Removal]]]
"""Reads up to so many removals that follow one; the first ones if that is None."""


async def removal_lines(following: Following) -> AsyncIterator[str]:
    """Yield the header and the removals, a part at a time."""
    last: Removal | None = None
    while True:
        found = await following(last, CHUNK)
        header, *lines = csv_pieces(map(ended_removal_document, found), EndedRemovalDocument.__struct_fields__)
        yield "".join(lines) if last else header + "".join(lines)
        if len(found) < CHUNK:
            return
        last = found[-1]
