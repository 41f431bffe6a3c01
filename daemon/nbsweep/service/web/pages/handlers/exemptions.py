"""The page Exemptions, at `/exemptions`, with the form of a new exemption."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.errors import GrantRefused
from nbsweep.core.exemptions.model import Exemption, Selector
from nbsweep.core.granting.grants import Granter, GrantLimits, GrantRequest, make_exemption, new_exemption_id, one_line_reason
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.service.control import Control
from nbsweep.service.granting import Revoker, grant, revoke
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.api.creations import Creations
from nbsweep.service.web.errors import Code, FieldRefused, Refused
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.handlers.notebook import NotebookPage
from nbsweep.service.web.pages.routing import Moved, PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.views.elements.texts import short
from nbsweep.service.web.pages.views.exempting import FIELDS, AboutNotebook, ExemptingView, about_notebook, build_form
from nbsweep.service.web.pages.views.exemptions import MOST_ENDED, PATH, ExemptionsView, build_exemptions, granted_message
from nbsweep.service.web.parameters import ID_PATTERN, checked_id
from nbsweep.settings.people.until import parse_until

TITLE = message("Exemptions")
NEW, KEEP_ONE = message("Keep notebooks"), message("Keep this notebook")
UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


class ExemptionsPage(Struct, frozen=True):
    """Shows the exemptions, grants and revokes them."""

    control: Control
    journal: Journal
    clock: Clock
    telemetry: Telemetry
    limits: GrantLimits
    creations: Creations
    notebooks: NotebookPage
    """Knows what is known about a notebook."""

    def section(self) -> Section:
        """Return the entry in the navigation."""
        return Section(PATH, TITLE)

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        return (
            PageRoute("GET", PATH, self.show, Needs.READING, query=("text", "state", "page")),
            PageRoute("GET", f"{PATH}/new", self.form, Needs.ADMIN, query=("notebook", "owner", "name", "target", "next")),
            PageRoute("POST", f"{PATH}/new", self.grant, Needs.ADMIN, fields=FIELDS),
            PageRoute("POST", f"{PATH}/{{exemption_id}}/revoke", self.revoke, Needs.ADMIN, fields=("reason",)),
        )

    async def show(self, visit: Visit) -> Shown:
        """Show the exemptions in force, or the latest of those that have ended."""
        now, query = self.clock.now(), visit.query
        records = self.journal.exemptions
        found = await (records.all(MOST_ENDED) if query.get("state") == "ended" else records.in_force(now))
        view = build_exemptions(found, query, now, may_grant=visit.visitor.may(Needs.ADMIN))
        return Shown("exemptions.html", replace(view, names=await self._names(view)), TITLE)

    async def form(self, visit: Visit) -> Shown:
        """Show the form, with what the address says filled in."""
        return await self._form(build_form(visit.query, self.limits, self._targets(), self.clock.now()))

    async def grant(self, visit: Visit) -> Shown | Moved:
        """Grant an exemption, or show what is wrong with the form.

        Raises:
            Refused: the cloud cannot be asked when the notebook was created.
        """
        form, now = visit.form, self.clock.now()
        try:
            exemption = await self._made(form, Granter(str(visit.actor)))
        except GrantRefused as error:
            return await self._form(build_form(form, self.limits, self._targets(), now, error), UNPROCESSABLE)
        effect = await grant(self.journal, exemption, self.telemetry)
        return Moved(form.get("next") or PATH, granted_message(exemption, effect))

    async def revoke(self, visit: Visit) -> Moved:
        """Revoke an exemption; one that was revoked before stays as it is.

        Raises:
            Refused: there is none with this ID.
            GrantRefused: the reason is too long.
        """
        exemption_id = checked_id("exemption_id", visit.parts["exemption_id"])
        revoker = Revoker(str(visit.actor), self.clock.now(), one_line_reason(visit.form.get("reason", "")))
        if await revoke(self.journal, exemption_id, revoker, self.telemetry) is None:
            raise Refused(Code.NOT_FOUND, message("there is no such exemption"))
        return Moved(
            PATH, message("Exemption %(id)s is revoked. The next sweep decides by the policies again.", id=exemption_id)
        )

    async def _form(self, view: ExemptingView, status: HTTPStatus = HTTPStatus.OK) -> Shown:
        about = await self._about(view.typed)
        return Shown("exempting.html", replace(view, about=about), KEEP_ONE if about else NEW, status)

    async def _about(self, typed: Mapping[str, str]) -> AboutNotebook | None:
        """Return what happens to the notebook that is to be kept; None if the form is not about one that is known."""
        notebook_id = typed.get("notebook", "").strip()
        if typed.get("owner") or typed.get("name") or not re.fullmatch(ID_PATTERN, notebook_id):
            return None
        found = await self.notebooks.find(notebook_id, may_exempt=True)
        return about_notebook(found, typed.get("target", "")) if found else None

    async def _names(self, view: ExemptionsView) -> Mapping[str, str]:
        """Return the names of the notebooks that are kept by their IDs, as surveys showed them last."""
        names = {}
        for row in (*view.soon, *view.rows):
            states = await self.journal.inventory.latest_states(row.notebook_id, 1) if row.notebook_id else ()
            facts = states[0].known_at(states[0].first_survey + 1) if states else None
            if facts:
                names[row.id] = short(facts.notebook.name or "")
        return names

    async def _made(self, form: Mapping[str, str], granter: Granter) -> Exemption:
        """Return the exemption that a form asks for; the cloud is asked only if nothing else is wrong.

        Raises:
            GrantRefused: a field is wrong.
            Refused: the cloud cannot be asked when the notebook was created.
        """
        now, given = self.clock.now(), {key: value.strip() for key, value in form.items()}
        target, notebook_id = given.get("target", ""), given.get("notebook") or None
        selector = Selector(notebook_id, None, given.get("owner") or None, given.get("name") or None)
        if target and target not in self._targets():
            raise FieldRefused("target", message("no target has that name"))
        if notebook_id and (selector.owner or selector.name):
            raise FieldRefused("notebook", message("a notebook is exempted by itself: leave out the owner and the name"))
        until = parse_until(given.get("until", ""), now, self.limits.zone)
        wanted = GrantRequest(selector, until, given.get("reason", ""), given.get("ticket", ""), target)
        exemption = make_exemption(wanted, self.limits, granter, now, new_exemption_id())
        if notebook_id is None:
            return exemption
        created_at = await self._created_at(notebook_id, target)
        return make_exemption(
            GrantRequest(Selector(notebook_id, created_at), until, wanted.reason, wanted.ticket, target),
            self.limits,
            granter,
            now,
            exemption.id,
        )

    async def _created_at(self, notebook_id: str, target: str) -> datetime:
        try:
            return await self.creations.of(checked_id("notebook", notebook_id), target or None)
        except Refused as refused:
            if refused.code in (Code.NOT_FOUND, Code.CONFLICT, Code.BAD_REQUEST):
                if refused.message:
                    raise FieldRefused("notebook", refused.message) from refused
                raise GrantRefused("notebook", str(refused)) from refused
            raise

    def _targets(self) -> list[str]:
        return [state.name for state in self.control.targets()]
