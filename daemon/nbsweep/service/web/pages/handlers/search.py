"""The search for a notebook, by the field on every page."""

import re
from collections.abc import Sequence

from msgspec import Struct

from nbsweep.core.inventory.model import NotebookState
from nbsweep.core.lookup import is_whole_id
from nbsweep.core.ports import Journal
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.queries import asked
from nbsweep.service.web.pages.routing import Moved, PageRoute, Shown, Visit
from nbsweep.service.web.pages.views.search import Hit, build_search, hits_of, namesakes, notebook_path, with_state
from nbsweep.service.web.parameters import ID_PATTERN

TITLE = message("Find a notebook")
MOST_HITS = 50


class SearchPage(Struct, frozen=True):
    """Finds notebooks that the journal knows, and leads to ids that only the cloud knows; makes no calls."""

    journal: Journal

    def section(self) -> None:
        """Return None: the field is on every page."""

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        return (PageRoute("GET", "/notebooks", self.find, Needs.READING, query=("q",)),)

    async def find(self, visit: Visit) -> Shown | Moved:
        """Show the notebooks that fit, or go to the only one."""
        text = asked(visit, "q")
        if not text:
            return Shown("search.html", build_search("", (), MOST_HITS, may_be_id=False), TITLE)
        seen = await self.journal.inventory.notebooks(text, MOST_HITS + 1)
        found = hits_of(text, [*seen, *await self.journal.notebooks(text, MOST_HITS + 1)])
        if len(found) == 1 or any(hit.notebook_id == text for hit in found):
            return Moved(notebook_path(found[0].notebook_id))
        if not found and is_whole_id(text):
            return Moved(notebook_path(text))
        may_be_id = re.fullmatch(ID_PATTERN, text) is not None
        hits = await self._told_apart(found)
        return Shown("search.html", build_search(text, hits, MOST_HITS, may_be_id=may_be_id), TITLE)

    async def _told_apart(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return the notebooks, those that share their names with their latest states."""
        shared = set(namesakes(hits))
        return [with_state(hit, await self._latest(hit)) if hit.notebook_id in shared else hit for hit in hits]

    async def _latest(self, hit: Hit) -> NotebookState | None:
        return next(iter(await self.journal.inventory.latest_states(hit.notebook_id, 1)), None)
