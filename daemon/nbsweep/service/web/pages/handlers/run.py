"""The page of one run: its sweeps, and all its removals."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

from nbsweep.core.lifecycle import OUTCOMES, Removal, RemovalOutcome, State
from nbsweep.core.ports import Journal
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages import queries
from nbsweep.service.web.pages.handlers.removal_files import removal_lines
from nbsweep.service.web.pages.routing import PageRoute, Shown, Visit
from nbsweep.service.web.pages.streaming import CSV, stream_file
from nbsweep.service.web.pages.views.elements.paging import address, page_number
from nbsweep.service.web.pages.views.past.removals import PAGE_ROWS, build_removals
from nbsweep.service.web.pages.views.past.run import build_run, run_path
from nbsweep.service.web.parameters import checked_id


class RunPage(Struct, frozen=True):
    """Shows one run."""

    journal: Journal

    def section(self) -> None:
        """Return None: the page belongs to the history."""

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        path = run_path("{run_id}")
        return (
            PageRoute("GET", path, self.show, Needs.READING, query=("outcome", "page")),
            PageRoute("GET", f"{path}/removals.csv", self.removals, Needs.READING, query=("outcome",)),
        )

    async def show(self, visit: Visit) -> Shown:
        """Show the sweeps of the run, and a page of its removals.

        Raises:
            Refused: there is no such run.
        """
        run_id, outcome, page = self._run_id(visit), _outcome(visit), page_number(visit.query)
        records = await self.journal.run(run_id)
        if not records:
            raise Refused(Code.NOT_FOUND, message("the journal has no such run; the page History lists the latest runs"))
        counts = await self.journal.run_counts([run_id])
        found = await self.journal.removals(run_id, PAGE_ROWS + 1, (page - 1) * PAGE_ROWS, _states(outcome))
        path = run_path(run_id)

        def paged(number: int) -> str:
            return f"{address(path, {'outcome': outcome, 'page': '' if number == 1 else str(number)})}#removals"

        rows = build_removals(found, page, paged, address(f"{path}/removals.csv", {"outcome": outcome}))
        return Shown("run.html", build_run(records, counts, outcome, rows), message("Run %(run)s", run=run_id))

    async def removals(self, visit: Visit) -> web.StreamResponse:
        """Send all removals of the run as CSV, in parts."""
        run_id, states = self._run_id(visit), _states(_outcome(visit))
        read = 0

        async def following(_last: Removal | None, limit: int) -> Sequence[Removal]:
            nonlocal read
            found = await self.journal.removals(run_id, limit, read, states)
            read += len(found)
            return found

        return await stream_file(visit.request, f"removals-{run_id}.csv", CSV, removal_lines(following))

    def _run_id(self, visit: Visit) -> str:
        return checked_id("run", visit.parts["run_id"])


def _outcome(visit: Visit) -> str:
    return queries.asked_choice(visit, "outcome", queries.OUTCOMES)


def _states(outcome: str) -> list[State]:
    """Return the states that are shown as an outcome; none, which means all, if no outcome is chosen."""
    wanted: RemovalOutcome | None = queries.OUTCOMES.get(outcome)
    return [state for state in State if wanted and OUTCOMES.get(state, "unfinished") == wanted]
