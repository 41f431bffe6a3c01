"""Finds out what an offset means, from a listing that has more than one page; costs one call or two, once in a run."""

from nbsweep.core.errors import Rejected, WorkspaceRefused
from nbsweep.core.listing.paging import Offsets, Paging, judge_number, judge_offset
from nbsweep.core.model import Page, Scope
from nbsweep.core.ports import Cloud


async def find_paging(cloud: Cloud, scope: Scope, first: Page) -> Paging:
    """Find it out, unless it is known, and have the cloud remember it; it stays unknown where the answers do not tell.

    `first` is the listing's first page, as it was a moment ago.

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
    """Ask for a page that begins in the middle of the first one."""
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
