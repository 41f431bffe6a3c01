"""Lists a whole fleet, page by page, and judges each row as it comes; knows whether it saw everything.

Pages overlap by one row: each begins with the last row of the page before. A row that vanishes in the middle of a listing
shifts the rest, and the overlap shows it. A listing counts when every overlap held, no id came twice, and there were as many
ids as the last page's `total`; otherwise it is read again, and after two retries the survey is incomplete.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
from msgspec import Struct

from nbsweep.core.events import SurveyFinished, SurveyMalformedRow, SurveyPage, SurveyTorn
from nbsweep.core.facts import Moment
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope
from nbsweep.core.plan import Survey, Tally, join_tallies
from nbsweep.core.policy import Rules
from nbsweep.core.ports import Ports

TORN_RETRIES = 2
LISTINGS_AT_ONCE = 4
PAGES_AT_ONCE = 8
"""Of one listing: so many answers may be on their way, for the time that each takes is no reason to let the quota lie idle."""


class Area(Struct, frozen=True):
    """What a sweep covers."""

    target: str
    workspaces: tuple[str, ...] | None
    """None: all that the caller may see."""
    features: tuple[str, ...]


class Listing(Struct, frozen=True):
    """What one scope came to."""

    tally: Tally
    gap: str | None
    """Why it is not complete; None when it is."""


class TornError(Exception):
    """The rows of a listing do not fit together."""


@dataclass(slots=True)
class Surveyor:
    """Surveys one area at one moment."""

    area: Area
    ports: Ports
    rules: Rules
    moment: Moment
    watched: frozenset[str] = frozenset()
    """Ids whose rows are wanted, whatever the verdict."""
    sights: dict[str, Notebook | MalformedRow] = field(default_factory=dict)
    """The rows of those that were met, by id."""
    _at_once: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(LISTINGS_AT_ONCE))

    async def survey(self) -> Survey:
        """List and judge everything.

        Raises:
            CloudError: a page could not be read; without it nothing can be said of the fleet. May come in an exception group.
        """
        started_s = self.ports.clock.steady_s()
        workspaces = self.area.workspaces if self.area.workspaces is not None else await self.ports.cloud.workspaces()
        scopes = [Scope(workspace, feature) for workspace in workspaces for feature in self.area.features]
        listings = await self._list_all(scopes)
        gaps = [listing.gap for listing in listings if listing.gap] or (
            [] if scopes else ["the cloud shows no workspace at all"]
        )
        survey = join_tallies(self.area.target, self.moment.now, [listing.tally for listing in listings], gaps)
        active = [notebook_id for listing in listings for notebook_id in listing.tally.active]
        await self.ports.journal.note_active(self.area.target, active, self.moment.now)
        self._tell(survey, self.ports.clock.steady_s() - started_s)
        return survey

    async def _list_all(self, scopes: Sequence[Scope]) -> list[Listing]:
        found: dict[Scope, Listing] = {}

        async def list_one(scope: Scope) -> None:
            async with self._at_once:
                found[scope] = await self._list(scope)

        async with anyio.create_task_group() as group:
            for scope in scopes:
                group.start_soon(list_one, scope)
        return [found[scope] for scope in scopes]

    async def _list(self, scope: Scope) -> Listing:
        """Read one listing, again when it was torn."""
        gap = None
        tally = Tally()
        for attempt in range(1 + TORN_RETRIES):
            tally = Tally()
            try:
                await self._read(scope, tally)
            except TornError as torn:
                gap = f"workspace {scope.workspace_id}, {scope.feature}: {torn}"
                self.ports.telemetry.emit(SurveyTorn(scope.workspace_id, scope.feature, attempt + 1, str(torn)))
            else:
                return Listing(tally, None)
        return Listing(tally, gap)

    async def _read(self, scope: Scope, tally: Tally) -> None:
        """Read a listing from its first page to its last.

        Raises:
            TornError: it does not fit together.
        """
        last: Notebook | MalformedRow | None = None
        pages = [await self._page(scope, 0)]
        while True:
            for page in pages:
                rows = _without_overlap(page, last)
                for row in rows:
                    self._take(row, scope, tally)
                if not rows or tally.rows >= page.total:
                    return _check_count(tally.rows, page.total)
                last = rows[-1]
            pages = await self._next_pages(scope, tally, pages[-1])

    async def _next_pages(self, scope: Scope, tally: Tally, page: Page) -> list[Page]:
        """Read the pages that follow upon one, several at once, each from the last row of the one before it."""
        stride = max(1, len(page.rows) - 1)
        missing = min(PAGES_AT_ONCE, -(-(page.total - tally.rows) // stride))
        found: dict[int, Page] = {}

        async def read(offset: int) -> None:
            found[offset] = await self._page(scope, offset)

        async with anyio.create_task_group() as group:
            for number in range(missing):
                group.start_soon(read, tally.rows - 1 + number * stride)
        return [found[offset] for offset in sorted(found)]

    async def _page(self, scope: Scope, offset: int) -> Page:
        page = await self.ports.cloud.page(scope, offset)
        self.ports.telemetry.emit(SurveyPage(scope.workspace_id, scope.feature, offset, len(page.rows), page.total))
        return page

    def _take(self, row: Notebook | MalformedRow, scope: Scope, tally: Tally) -> None:
        if row.id is not None and row.id in tally.reasons:
            message = f"{row.id} came twice"
            raise TornError(message)
        if isinstance(row, Notebook) and row.workspace_id not in (None, scope.workspace_id):
            message = f"a row of workspace {row.workspace_id} came instead"
            raise TornError(message)
        tally.add(row, scope, self.rules, self.moment)
        if row.id is not None and row.id in self.watched:
            self.sights[row.id] = row

    def _tell(self, survey: Survey, duration_s: float) -> None:
        for row in survey.malformed:
            self.ports.telemetry.emit(SurveyMalformedRow(row.id, row.name, row.problem))
        self.ports.telemetry.emit(SurveyFinished(survey.fleet, len(survey.candidates), not survey.gaps, round(duration_s, 3)))


def _without_overlap(page: Page, last: Notebook | MalformedRow | None) -> Sequence[Notebook | MalformedRow]:
    """Give the rows that are new, once the first is seen to be the last of the page before."""
    if last is None:
        return page.rows
    if not page.rows or page.rows[0].id != last.id:
        message = "rows shifted between two pages"
        raise TornError(message)
    return page.rows[1:]


def _check_count(rows: int, total: int) -> None:
    if rows != total:
        message = f"{rows} rows were read, and the cloud counts {total}"
        raise TornError(message)
