"""The page of one notebook."""

from collections.abc import Sequence

import anyio
from msgspec import Struct

from nbsweep.core.audit.entries import AuditQuery
from nbsweep.core.ports import Clock, Journal
from nbsweep.service.control import Control
from nbsweep.service.mark_rules import read_mark_rules
from nbsweep.service.web.access.call_limit import CallLimit
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.routing import PageRoute, Shown, Visit
from nbsweep.service.web.pages.views.notebook.page import MOST, Asked, NotebookView, Recorded, Service, build_notebook, title_of
from nbsweep.service.web.pages.views.search import notebook_path
from nbsweep.service.web.parameters import checked_id

PATIENCE_S = 10.0
"""After so many seconds the page shows what the journal knows, without the cloud."""

NOT_ASKED = message(
    "The cloud was not asked: there were many requests within a minute, and each costs calls. Load the page again later."
)


class NotebookPage(Struct, frozen=True):
    """Shows what happens to a notebook, why, and all that is known of it."""

    control: Control
    journal: Journal
    clock: Clock
    calls: CallLimit
    patience_s: float = PATIENCE_S

    def section(self) -> None:
        """Return None: the page is found by the search."""

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        return (PageRoute("GET", notebook_path("{notebook_id}"), self.show, Needs.READING),)

    async def show(self, visit: Visit) -> Shown:
        """Show the notebook; what the journal knows also if the cloud does not answer.

        Raises:
            Refused: the cloud and the journal do not know it.
        """
        notebook_id = checked_id("notebook", visit.parts["notebook_id"])
        view = await self.find(notebook_id, may_exempt=visit.visitor.may(Needs.ADMIN))
        if view is None:
            raise Refused(Code.NOT_FOUND, message("no target has this notebook, and the journal does not know it either"))
        return Shown("notebook.html", view, title_of(notebook_id, view))

    async def find(self, notebook_id: str, *, may_exempt: bool) -> NotebookView | None:
        """Return what is known about a notebook, which costs a call for each target; None if nothing is."""
        known = await self._recorded(notebook_id)
        asked = await self._asked(notebook_id)
        if known.is_empty and not (asked.contexts or asked.errors or asked.not_asked):
            return None
        targets = {state.name: state for state in self.control.targets()}
        now, control = self.clock.now(), self.control
        rules = await read_mark_rules(self.journal, control.graces(), control.holdouts(), known.marks, now)
        service = Service(targets, rules, now, may_exempt)
        return build_notebook(notebook_id, asked, known, service)

    async def _recorded(self, notebook_id: str) -> Recorded:
        journal = self.journal
        return Recorded(
            states=await journal.inventory.latest_states(notebook_id, MOST),
            marks=await journal.marks.marks_of(notebook_id),
            items=await journal.outbox.items_of(notebook_id, MOST),
            removals=await journal.removals_of(notebook_id),
            links=await journal.trail.latest(AuditQuery(notebook_id=notebook_id), MOST),
        )

    async def _asked(self, notebook_id: str) -> Asked:
        """Ask the cloud, which costs a call for each target, as far as the limit on calls and the patience allow it."""
        names = [state.name for state in self.control.targets()]
        try:
            with self.calls.taking(len(names)), anyio.move_on_after(self.patience_s):
                explained = await self.control.explain(notebook_id, names)
                errors = {target: str(error) for target, error in explained.errors.items()}
                return Asked(explained.contexts, errors)
        except Refused:
            return Asked(not_asked=NOT_ASKED)
        return Asked(not_asked=message("The cloud has not answered in time. Load the page again later."))
