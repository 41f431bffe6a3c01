"""The page Marks, at `/marks`: what is announced, by owner."""

from collections.abc import Sequence

from msgspec import Struct

from nbsweep.core.ports import Clock, Journal
from nbsweep.service.control import Control
from nbsweep.service.mark_rules import read_mark_rules
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.routing import PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.views.elements.paging import page_number
from nbsweep.service.web.pages.views.marks import PATH, ROWS, MarksFound, build_marks, query_of

TITLE = message("Marks")


class MarksPage(Struct, frozen=True):
    """Shows the marks."""

    control: Control
    journal: Journal
    clock: Clock

    def section(self) -> Section:
        """Return the entry in the navigation."""
        return Section(PATH, TITLE)

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        return (PageRoute("GET", PATH, self.show, Needs.READING, query=("target", "owner", "state", "page")),)

    async def show(self, visit: Visit) -> Shown:
        """Show one page of the marks that the filters select."""
        now, query = self.clock.now(), visit.query
        wanted = query_of(query, now)
        page = await self.journal.marks.page(wanted, ROWS, (page_number(query) - 1) * ROWS)
        found = MarksFound(
            page,
            await self.journal.marks.owners(now, wanted.target),
            await read_mark_rules(self.journal, self.control.graces(), self.control.holdouts(), page.marks, now),
            [state.name for state in self.control.targets()],
        )
        return Shown("marks.html", build_marks(found, query, now, may_exempt=visit.visitor.may(Needs.ADMIN)), TITLE)
