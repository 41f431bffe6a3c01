"""What one listing has come to, and whether its pages fit together."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

from msgspec import Struct

from nbsweep.core.errors import CloudError, Forbidden, WorkspaceRefused
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope
from nbsweep.core.plan import Tally, WorkspaceGap

MOST_PAGES = 20_000
"""Of one listing: a million rows, in pages as they are asked for."""


PAGES_MORE = 20


class Listing(Struct, frozen=True):
    """What one scope came to."""

    tally: Tally
    gap: str | None = None
    """Why it is not complete; None if it is."""
    refused: CloudError | None = None
    """What the cloud said, where it refused to list it; the tally is empty then."""


class TornError(Exception):
    """The rows of a listing do not fit together."""


class ShiftedError(TornError):
    """A page does not begin where it was asked to; rows have vanished before it, or an offset is not a row there."""


def name_several_owners(listings: Iterable[Listing]) -> list[str]:
    """Describe that the caller's own listing shows several owners: which of them is the caller, no answer tells."""
    owners = {key: name for listing in listings for key, name in listing.tally.owners.items()}
    if len(owners) <= 1:
        return []
    names = ", ".join(sorted(owners.values())[:3])
    several = f"scope is own, and the listing shows notebooks of several owners ({names}, ...), as it does for an administrator"
    advice = "set scope: all and name the owner in the policies, or use the owner's own credentials"
    return [f"{several}: which are the caller's is not known; {advice}"]


def name_refused(listings: Mapping[Scope, Listing]) -> tuple[WorkspaceGap, ...]:
    """Name the workspaces that refuse to be listed.

    Raises:
        Forbidden, Rejected: all of them do.
    """
    refused = {scope: listing.refused for scope, listing in listings.items() if listing.refused is not None}
    if refused and len(refused) == len(listings):
        error = next(iter(refused.values()))
        if isinstance(error, WorkspaceRefused) and error.http_status == HTTPStatus.FORBIDDEN:
            raise Forbidden(error.problem, advice=error.advice, **error.details)
        raise error
    return tuple(WorkspaceGap(scope, str(error)) for scope, error in refused.items())


def without_overlap(page: Page, last: Notebook | MalformedRow | None) -> Sequence[Notebook | MalformedRow]:
    """Return the rows that are new, once the first is seen to be the last of the page before."""
    if last is None:
        return page.rows
    if not page.rows or page.rows[0].id != last.id:
        message = "rows shifted between two pages"
        raise ShiftedError(message)
    return page.rows[1:]


def most_pages(first: Page) -> int:
    """Return after how many pages a listing is given up: twice as many as its first one makes it expect, for it may grow."""
    stride = max(1, len(first.rows) - 1)
    return min(MOST_PAGES, 2 * -(-first.total // stride) + PAGES_MORE)


def check_total(page: Page, first: Page) -> None:
    """Raise TornError if a page contradicts the first one's total."""
    if not page.rows:
        raise TornError(f"a page is empty, and the cloud counts {page.total} rows")
    if page.total != first.total:
        message = f"the cloud counted {first.total} rows, and then {page.total}"
        raise TornError(message)


def check_listing(tally: Tally, total: int) -> None:
    """Raise TornError if a listing was not read whole, or is of another workspace."""
    if tally.rows != total:
        message = f"{tally.rows} rows were read, and the cloud counts {total}"
        raise TornError(message)
    if tally.foreign and tally.foreign == tally.rows:
        # It may be that the server ignores the parameter, and that nothing of the workspace has been seen.
        raise TornError(f"rows of another workspace came instead: {tally.first_stray}")
