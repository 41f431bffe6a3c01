"""The result of one listing, and the checks that its pages are consistent."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

from msgspec import Struct

from nbsweep.core.errors import CloudError, Forbidden, WorkspaceRefused
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope
from nbsweep.core.planning.plan import WorkspaceGap
from nbsweep.core.planning.tally import Tally

MOST_PAGES = 20_000
"""The limit for one listing; at the requested page size that is a million rows."""
PAGES_MORE = 20


class Listing(Struct, frozen=True):
    """The result of listing one scope."""

    tally: Tally
    gap: str | None = None
    """Why the listing is incomplete; None if it is complete."""
    refused: CloudError | None = None
    """The error if the cloud refused the listing; the tally is empty then."""


class TornError(Exception):
    """The pages of a listing are inconsistent."""


class ShiftedError(TornError):
    """A page does not begin at the requested row: earlier rows have vanished, or the cloud's offsets are not row numbers."""


def name_several_owners(listings: Iterable[Listing]) -> list[str]:
    """Return a gap if the caller's own listing shows several owners, because no answer says which one is the caller."""
    owners = {key: name for listing in listings for key, name in listing.tally.owners.items()}
    if len(owners) <= 1:
        return []
    names = ", ".join(sorted(owners.values())[:3])
    several = f"scope is own, and the listing shows notebooks of several owners ({names}, ...), as it does for an administrator"
    advice = "set scope: all and name the owner in the policies, or use the owner's own credentials"
    return [f"{several}: which are the caller's is not known; {advice}"]


def name_refused(listings: Mapping[Scope, Listing]) -> tuple[WorkspaceGap, ...]:
    """Return the gaps for workspaces that the cloud refuses to list.

    Raises:
        Forbidden, Rejected: the cloud refuses all workspaces.
    """
    refused = {scope: listing.refused for scope, listing in listings.items() if listing.refused is not None}
    if refused and len(refused) == len(listings):
        error = next(iter(refused.values()))
        if isinstance(error, WorkspaceRefused) and error.http_status == HTTPStatus.FORBIDDEN:
            raise Forbidden(error.problem, advice=error.advice, **error.details)
        raise error
    return tuple(WorkspaceGap(scope, str(error)) for scope, error in refused.items())


def without_overlap(page: Page, last: Notebook | MalformedRow | None) -> Sequence[Notebook | MalformedRow]:
    """Return the new rows of a page; raise ShiftedError if its first row is not the last row of the previous page."""
    if last is None:
        return page.rows
    if not page.rows or page.rows[0].id != last.id:
        message = "rows shifted between two pages"
        raise ShiftedError(message)
    return page.rows[1:]


def most_pages(first: Page) -> int:
    """Return the page limit of a listing: about twice the number that the first page implies, because the listing may grow."""
    stride = max(1, len(first.rows) - 1)
    return min(MOST_PAGES, 2 * -(-first.total // stride) + PAGES_MORE)


def check_total(page: Page, first: Page) -> None:
    """Raise TornError if the total of a page differs from the first page's total."""
    if not page.rows:
        raise TornError(f"a page is empty, and the cloud counts {page.total} rows")
    if page.total != first.total:
        message = f"the cloud counted {first.total} rows, and then {page.total}"
        raise TornError(message)


def check_listing(tally: Tally, total: int) -> None:
    """Raise TornError if a listing was not read completely, or belongs to another workspace."""
    if tally.rows != total:
        message = f"{tally.rows} rows were read, and the cloud counts {total}"
        raise TornError(message)
    if tally.foreign and tally.foreign == tally.rows:
        # The server may ignore the workspace parameter; then no row of this workspace was seen.
        raise TornError(f"rows of another workspace came instead: {tally.first_stray}")
