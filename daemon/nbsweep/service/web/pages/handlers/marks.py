"""The page Marks, at `/marks`: what is announced, by owner."""

from collections.abc import Sequence

from msgspec import Struct

from nbsweep.core.judging.holdout import MarkRules, holds_to_read, mark_rules
from nbsweep.core.marks.model import Mark
from nbsweep.core.ports import Clock, Journal
from nbsweep.service.control import Control
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.pages.languages.messages import message
from nbsweep.service.web.pages.routing import PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.views.marks import PATH, ROWS, MarksFound, build_marks, query_of
from nbsweep.service.web.pages.views.paging import page_number

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
            await read_mark_rules(self.control, self.journal, page.marks),
            [state.name for state in self.control.targets()],
        )
        return Shown("marks.html", build_marks(found, query, now, may_exempt=visit.visitor.may(Needs.ADMIN)), TITLE)


async def read_mark_rules(control: Control, journal: Journal, marks: Sequence[Mark]) -> MarkRules:
    """Return what decides when marked notebooks may be deleted, beside their marks. Raises JournalError."""
    holdouts = control.holdouts()
    latest = {project: await journal.holds.latest(project, ids) for project, ids in holds_to_read(marks, holdouts).items()}
    return mark_rules(control.graces(), holdouts, latest)
