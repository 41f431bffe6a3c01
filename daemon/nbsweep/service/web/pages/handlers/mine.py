"""The page Mine, at `/mine`: an owner's own notebooks, and how to keep them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from msgspec import Struct

from nbsweep.core.errors import GrantRefused
from nbsweep.core.exemptions.model import GrantedBy, Selector
from nbsweep.core.granting.grants import Granter, GrantLimits, GrantRequest, make_exemption, new_exemption_id
from nbsweep.core.judging.verdict import Verdict
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.service.control import Control
from nbsweep.service.granting import grant
from nbsweep.service.web.access.ownership import Ownership
from nbsweep.service.web.access.visitors import Needs, SignedIn
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message
from nbsweep.service.web.owned import Owned, OwnedFound, OwnedNotebooks
from nbsweep.service.web.pages.routing import Moved, PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.views.exemptions import granted_message
from nbsweep.service.web.pages.views.mine import PATH, MineInputs, MineView, Typed, build_mine
from nbsweep.service.web.parameters import checked_id
from nbsweep.settings.people.until import parse_until

TITLE = message("My notebooks")
NOT_YOURS = message("there is no such notebook among yours")


class MinePorts(Struct, frozen=True):
    """The ports of the page."""

    journal: Journal
    clock: Clock
    telemetry: Telemetry


class MinePage(Struct, frozen=True):
    """Shows owners their notebooks, and lets them keep them."""

    control: Control
    ports: MinePorts
    ownership: Ownership
    limits: GrantLimits
    """What owners may grant."""
    owned: OwnedNotebooks

    def section(self) -> Section:
        """Return the entry in the navigation."""
        return Section(PATH, TITLE)

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        fields = ("target", "notebook", "until", "reason")
        return (
            PageRoute("GET", PATH, self.show, Needs.PERSON, query=("page",)),
            PageRoute("POST", f"{PATH}/keep", self.keep, Needs.PERSON, fields=fields),
        )

    async def show(self, visit: Visit) -> Shown:
        """Show the notebooks of the visitor."""
        return Shown("mine.html", await self._view(visit), TITLE)

    async def keep(self, visit: Visit) -> Moved | Shown:
        """Grant an exemption of one notebook to its owner, or show what is wrong with the form.

        Raises:
            Refused: it is not among the notebooks of the visitor.
        """
        form = visit.form
        notebook_id = checked_id("notebook", form.get("notebook", ""))
        owned = await self.owned.one(visit.visitor, form.get("target", ""), notebook_id)
        # Whether it exists at all is none of the business of others.
        if owned is None:
            raise Refused(Code.NOT_FOUND, NOT_YOURS)
        try:
            return await self._granted(visit, owned)
        except GrantRefused as error:
            typed = Typed(notebook_id, form.get("until", ""), form.get("reason", ""), error)
            return Shown("mine.html", await self._view(visit, typed), TITLE, HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _granted(self, visit: Visit, owned: Owned) -> Moved:
        now, notebook = self.ports.clock.now(), owned.notebook
        if notebook.created_at is None:
            raise GrantRefused("notebook", "the last survey does not show when it was created")
        until = parse_until(visit.form.get("until", "").strip(), now, self.limits.zone)
        selector = Selector(notebook.id, notebook.created_at)
        wanted = GrantRequest(selector, until, visit.form.get("reason", ""), target=owned.target)
        granter = Granter(str(visit.actor), GrantedBy.OWNER)
        exemption = make_exemption(wanted, self.limits, granter, now, new_exemption_id())
        effect = await grant(self.ports.journal, exemption, self.ports.telemetry)
        return Moved(PATH, granted_message(exemption, effect))

    async def _view(self, visit: Visit, typed: Typed | None = None) -> MineView:
        visitor, found = visit.visitor, await self.owned.of(visit.visitor)
        states = {state.name: state for state in self.control.targets()}
        inputs = MineInputs(
            found,
            await self._verdicts(found),
            await self.ports.journal.latest_removals([each.notebook.id for each in found.notebooks]),
            states,
            visitor.signed_in is SignedIn.PROXY,
            self.ownership.directory is not None,
        )
        return build_mine(inputs, self.limits, self.ports.clock.now(), visit.query, typed)

    async def _verdicts(self, found: OwnedFound) -> Mapping[tuple[str, str], Verdict]:
        """Return what the rules of now say of the notebooks, by target and ID."""
        verdicts = {}
        for target in {each.target for each in found.notebooks}:
            mine = [each.notebook for each in found.notebooks if each.target == target]
            for key, verdict in (await self.control.judge(target, mine)).items():
                verdicts[target, key] = verdict
        return verdicts
