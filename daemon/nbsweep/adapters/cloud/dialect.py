"""How to request listings from one cloud. The variant is found from its answers, because stacks differ (ModelArts API, 1.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from msgspec.structs import replace

from nbsweep.core.errors import CloudError, Forbidden, Gone, SweepEnding, WorkspaceRefused, WrongAddress
from nbsweep.core.listing.paging import Paging
from nbsweep.core.model import PAGE_SIZE, Notebook, Page, Scope

PAGE_SIZES = (10, 20, PAGE_SIZE)
"""The page sizes that the API accepts."""
SPELLINGS = ("workspace_id", "workspaceId")
"""The present name of the parameter, and its name in older stacks; a server ignores an unknown parameter."""
EVERYBODYS = "/notebooks/all"
OWN = "/notebooks"
"""The listing of the caller's own notebooks."""
Sort = tuple[tuple[str, str], ...]
OLDEST_FIRST: Sort = (("sort_dir", "ASC"), ("sort_key", "create_at"))
"""Sorts a listing so that new notebooks only join at its end."""
SORTS: tuple[Sort, ...] = (OLDEST_FIRST, (("sort_dir", "ASC"), ("sort_key", "createTime")), ())
"""The sort keys to try: the documented key, the key that other clients use in production (ModelArts API, section 12), none."""
ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
"""The statuses of a cloud without such a listing."""
NO_WORKSPACE = frozenset({"ModelArts.0102", "ModelArts.7005"})
"""The error codes for a workspace that does not exist."""


class Variant(NamedTuple):
    """One variant of the call for a listing."""

    listing: str
    sort: Sort

    @property
    def sort_name(self) -> str:
        """Return the sort key; `unsorted` if there is none."""
        return dict(self.sort).get("sort_key", "unsorted")


def is_of_listing(error: CloudError) -> bool:
    """Return whether an error says that the listing does not exist, or not for this caller."""
    return isinstance(error, Forbidden | Gone | WrongAddress) or error.http_status in ABSENT


def allows_another(variant: Variant, error: CloudError) -> bool:
    """Return whether an error may be about the variant of the request, and not about its object.

    A sort key may be refused by any 400, and by 500 (ModelArts API, section 12).
    """
    if is_of_listing(error):
        return True
    if isinstance(error, SweepEnding | WorkspaceRefused) or error.code in NO_WORKSPACE:
        return False
    refuses_key = error.http_status == HTTPStatus.INTERNAL_SERVER_ERROR and bool(variant.sort)
    return error.http_status == HTTPStatus.BAD_REQUEST or refuses_key


@dataclass(slots=True)
class Dialect:
    """The variants of the API that a cloud supports; starts with the documented ones."""

    workspace: str = SPELLINGS[0]
    sort: Sort = OLDEST_FIRST
    listing: str = EVERYBODYS
    """The path of the listing that is requested."""
    limit: int = PAGE_SIZE
    """The page size that is requested."""
    paging: Paging = field(default_factory=Paging)
    _settled: bool = False
    """Whether a listing was ever read."""

    @property
    def conclusive(self) -> bool:
        """Whether absence from a listing proves that a notebook is gone: the listing is sorted and shows all users' notebooks.

        An earlier run may have seen, and deleted, more than the caller's own; it is followed to its end by this one.
        """
        return bool(self.sort) and self.listing == EVERYBODYS

    def query(self, scope: Scope, offset: int, status: str | None, sort: Sort) -> list[tuple[str, str]]:
        """Return the query for one page."""
        return [
            ("feature", scope.feature),
            ("limit", str(self.limit)),
            ("offset", str(self.paging.offset_of(offset))),
            (self.workspace, scope.workspace_id),
            *([("status", status)] if status else []),
            *sort,
        ]

    def next_variant(self, refused: Mapping[Variant, CloudError]) -> Variant | None:
        """Return the next variant that was not refused; None if none is left.

        What has worked once is the only variant for the rest of the run: half a sweep that sees everybody, and half that does
        not, would take notebooks that it cannot see for gone.
        """
        missing = {variant.listing for variant, error in refused.items() if is_of_listing(error)}
        listings = (EVERYBODYS, OWN) if self.listing == EVERYBODYS else (OWN,)
        variants = [Variant(listing, sort) for listing in listings for sort in SORTS]
        left = [Variant(self.listing, self.sort)] if self._settled else variants
        return next((variant for variant in left if variant not in refused and variant.listing not in missing), None)

    def settle(self, variant: Variant) -> bool:
        """Use this variant from now on; return True the first time."""
        news, self._settled = not self._settled, True
        if news:
            self.listing, self.sort = variant
        return news

    def fell_short(self, page: Page) -> bool:
        """Check for a first page with fewer rows than requested, though there are more; True if it has to be read again.

        A page size that the cloud gives is asked for from then on: where offsets are rounded, they are rounded to it.
        """
        rows = len(page.rows)
        if not 0 < rows < min(self.paging.size, page.total):
            return False
        asked, self.limit = self.limit, max((size for size in PAGE_SIZES if size <= rows), default=PAGE_SIZES[0])
        self.paging = replace(self.paging, size=min(self.limit, rows))
        return self.limit != asked

    def ignored_workspace(self, page: Page, scope: Scope) -> bool:
        """Check for rows of another workspace, and use the older name of the parameter; True if another attempt makes sense.

        Once the older way is in use there is nothing else to try, and the survey finds the rows that do not belong.
        """
        strange = any(isinstance(row, Notebook) and row.workspace_id not in (None, scope.workspace_id) for row in page.rows)
        if not strange or self.workspace != SPELLINGS[0]:
            return False
        self.workspace = SPELLINGS[1]
        return True
