"""How one cloud wants to be asked for its listings; found out from its answers, because stacks differ (API notes, 1.1)."""

from dataclasses import dataclass

from nbsweep.core.model import Notebook, Page, Scope

PAGE_SIZE = 50
"""The largest that the API takes."""
SPELLINGS = ("workspace_id", "workspaceId")
"""The present name of the parameter, and that of older stacks; a server ignores the one that it does not know."""
OLDEST_FIRST = (("sort_dir", "ASC"), ("sort_key", "create_at"))
"""So that new notebooks only ever join at the end of a listing."""


@dataclass(slots=True)
class Dialect:
    """Begins with what the documents of today say."""

    workspace: str = SPELLINGS[0]
    sort: tuple[tuple[str, str], ...] = OLDEST_FIRST

    def query(self, scope: Scope, offset: int, status: str | None) -> list[tuple[str, str]]:
        """Ask for one page."""
        return [
            ("feature", scope.feature),
            ("limit", str(PAGE_SIZE)),
            ("offset", str(offset)),
            (self.workspace, scope.workspace_id),
            *([("status", status)] if status else []),
            *self.sort,
        ]

    def unsorted(self) -> None:
        """Do without an order, for the cloud does not take the key."""
        self.sort = ()

    def misheard(self, page: Page, scope: Scope) -> bool:
        """Notice that rows of another workspace came, and spell the parameter the older way; True when that is worth a try.

        Once the older way is in use there is nothing else to try, and the survey finds the rows that do not belong.
        """
        strange = any(isinstance(row, Notebook) and row.workspace_id not in (None, scope.workspace_id) for row in page.rows)
        if not strange or self.workspace != SPELLINGS[0]:
            return False
        self.workspace = SPELLINGS[1]
        return True
