"""The page Fleet, at `/`: the state of each target."""

from collections.abc import Sequence

from msgspec import Struct

from nbsweep.core.ports import Clock, Journal
from nbsweep.service.control import Control, TargetState
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.pages.languages.messages import message
from nbsweep.service.web.pages.routing import PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.views.fleet import TargetInputs, build_fleet

TITLE = message("Fleet")


class FleetPage(Struct, frozen=True):
    """Shows the targets."""

    control: Control
    journal: Journal
    clock: Clock

    def section(self) -> Section:
        """Return the entry in the navigation."""
        return Section("/", TITLE)

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        return (PageRoute("GET", "/", self.show, Needs.READING),)

    async def show(self, _visit: Visit) -> Shown:
        """Show all targets."""
        targets = [await self._inputs(state) for state in self.control.targets()]
        return Shown("fleet.html", build_fleet(targets, self.control.not_ready(), self.clock.now()), TITLE)

    async def _inputs(self, state: TargetState) -> TargetInputs:
        last = await self.journal.last_run(state.name)
        counts = await self.journal.run_counts([last.run_id]) if last else ()
        mine = next((each for each in counts if each.target == state.name), None)
        return TargetInputs(state, await self.control.details(state.name), last, mine)
