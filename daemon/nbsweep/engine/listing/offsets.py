"""Finds out what an offset means, from a listing of more than one page; costs one or two calls per run."""

from nbsweep.core.errors import Rejected, WorkspaceRefused
from nbsweep.core.listing.paging import Offsets, Paging, judge_number, judge_offset
from nbsweep.core.model import Page, Scope
from nbsweep.core.ports import Cloud


async def find_paging(cloud: Cloud, scope: Scope, first: Page) -> Paging:
    """Find out what an offset means, unless it is known, and store it; it stays unknown if the answers do not show it.

    `first` is the first page of the listing, read a moment ago.

    Raises:
        CloudError: a page could not be read.
    """
    if cloud.paging().offsets is not Offsets.UNKNOWN:
        return cloud.paging()
    if first.rows and first.total > len(first.rows):
        paging = await _ask(cloud, scope, first)
        if paging.offsets is not Offsets.UNKNOWN:
            cloud.found_paging(paging)
    return cloud.paging()


async def _ask(cloud: Cloud, scope: Scope, first: Page) -> Paging:
    """Request a page that begins in the middle of the first page."""
    known, offset = cloud.paging(), max(1, len(first.rows) // 2)
    try:
        offsets = judge_offset(first, await cloud.page(scope, offset), offset)
    except WorkspaceRefused:
        raise
    except Rejected:
        offsets = Offsets.WHOLE_PAGES
    if offsets is Offsets.PAGE_NUMBERS:
        return judge_number(known, first, await cloud.page(scope, 1))
    return Paging(offsets, known.size)
