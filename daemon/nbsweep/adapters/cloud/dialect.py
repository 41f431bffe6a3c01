"""How one cloud wants to be asked for its listings; found out from its answers, because stacks differ (API notes, 1.1)."""

from dataclasses import dataclass, field

from msgspec.structs import replace

from nbsweep.core.model import PAGE_SIZE, Notebook, Page, Scope
from nbsweep.core.paging import Paging

PAGE_SIZES = (10, 20, PAGE_SIZE)
"""Those that the API takes."""
SPELLINGS = ("workspace_id", "workspaceId")
"""The present name of the parameter, and that of older stacks; a server ignores the one that it does not know."""
EVERYBODYS = "/notebooks/all"
OWN = "/notebooks"
"""The listing of what belongs to the caller."""
OLDEST_FIRST = (("sort_dir", "ASC"), ("sort_key", "create_at"))
"""So that new notebooks only ever join at the end of a listing."""


@dataclass(slots=True)
class Dialect:
    """Begins with what the documents of today say."""

    workspace: str = SPELLINGS[0]
    sort: tuple[tuple[str, str], ...] = OLDEST_FIRST
    listing: str = EVERYBODYS
    """Which of the two listings is asked for."""
    limit: int = PAGE_SIZE
    """The page size that is asked for."""
    paging: Paging = field(default_factory=Paging)
    _granted: bool = False
    """Whether everybody's has ever been shown."""

    @property
    def conclusive(self) -> bool:
        """Whether a listing can show who is gone: it is sorted, and whom it does not show is not merely out of its sight.

        An earlier run may have seen, and deleted, more than the caller's own; it is followed to its end by this one.
        """
        return self.sort == OLDEST_FIRST and self.listing == EVERYBODYS

    def query(self, scope: Scope, offset: int, status: str | None) -> list[tuple[str, str]]:
        """Ask for one page."""
        return [
            ("feature", scope.feature),
            ("limit", str(self.limit)),
            ("offset", str(self.paging.offset_of(offset))),
            (self.workspace, scope.workspace_id),
            *([("status", status)] if status else []),
            *self.sort,
        ]

    def heard(self, listing: str) -> None:
        """Note that a listing has been shown."""
        self._granted |= listing == EVERYBODYS

    def may_narrow(self, refused: str) -> bool:
        """Tell whether the caller's own listing may stand in for one that was refused.

        Not once everybody's has been shown: half a sweep that sees everybody, and half that does not, would take those who
        are out of sight for gone.
        """
        return refused == EVERYBODYS and not self._granted

    def narrow(self) -> bool:
        """Ask for the caller's own from now on; True when that is news."""
        news = self.listing != OWN
        self.listing = OWN
        return news

    def unsorted(self) -> None:
        """Do without an order, for the cloud does not take the key."""
        self.sort = ()

    def fell_short(self, page: Page) -> bool:
        """Notice a first page with fewer rows than were asked for, though there are more; True when it has to be read again.

        A page size that the cloud gives is asked for from then on: where offsets are rounded, they are rounded to it.
        """
        rows = len(page.rows)
        if not 0 < rows < min(self.paging.size, page.total):
            return False
        asked, self.limit = self.limit, max((size for size in PAGE_SIZES if size <= rows), default=PAGE_SIZES[0])
        self.paging = replace(self.paging, size=min(self.limit, rows))
        return self.limit != asked

    def misheard(self, page: Page, scope: Scope) -> bool:
        """Notice that rows of another workspace came, and spell the parameter the older way; True when that is worth a try.

        Once the older way is in use there is nothing else to try, and the survey finds the rows that do not belong.
        """
        strange = any(isinstance(row, Notebook) and row.workspace_id not in (None, scope.workspace_id) for row in page.rows)
        if not strange or self.workspace != SPELLINGS[0]:
            return False
        self.workspace = SPELLINGS[1]
        return True
