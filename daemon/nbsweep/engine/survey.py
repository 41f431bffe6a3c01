"""Lists a whole fleet, page by page, and judges each row as it comes; knows whether it saw everything.

Pages overlap by one row: each begins with the last row of the page before. A row that vanishes in the middle of a listing
shifts the rest, and the overlap shows it. A listing counts when every overlap held, no id came twice, and there were as many
ids as the last page's `total`; otherwise it is read again, and after two retries the survey is incomplete.

The first overlap that holds shows that an offset is a row. Where it does not hold, the survey finds out what an offset means,
and reads whole pages where they cannot overlap: such a listing counts when no id came twice, and every page had the same
`total`, of as many ids. That misses a row where one vanished and another joined meanwhile; a row that is missed is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.errors import CloudError, Rejected, WorkspaceRefused, is_of_workspace
from nbsweep.core.events.sweep import (
    SurveyFinished,
    SurveyMalformedRow,
    SurveyPage,
    SurveyStrays,
    SurveyTorn,
    SurveyWorkspaceRefused,
)
from nbsweep.core.facts import Moment
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.listing.belonging import differs_from
from nbsweep.core.listing.paging import Offsets
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope
from nbsweep.core.plan import Survey, Tally, join_tallies
from nbsweep.core.policy import Rules
from nbsweep.core.ports import Ports
from nbsweep.engine.listing.offsets import find_paging
from nbsweep.engine.listing.pages import (
    MOST_PAGES,
    Listing,
    ShiftedError,
    TornError,
    check_listing,
    check_total,
    most_pages,
    name_refused,
    name_several_owners,
    without_overlap,
)
from nbsweep.engine.listing.undecided import ask_undecided
from nbsweep.engine.report import leading_error

TORN_RETRIES = 2
LISTINGS_AT_ONCE = 4
MALFORMED_TOLD = 50
"""So many rows that cannot be read are told one by one."""
PAGES_AT_ONCE = 8
"""Of one listing: so many answers may be on their way, for the time that each takes is no reason to let the quota lie idle."""


class Area(Struct, frozen=True):
    """What a sweep covers."""

    target: str
    workspaces: tuple[str, ...] | None
    """None: all that the caller may see."""
    features: tuple[str, ...]
    endpoint: str = ""
    """As `TargetIdentity` has it, like what follows."""
    scope: str = "all"
    caller: str = ""
    project_id: str | None = None
    """As configured; None if it is looked up."""

    def identity(self, project_id: str | None) -> TargetIdentity:
        """Return what makes the target this one and no other, once its project is known."""
        workspaces = None if self.workspaces is None else tuple(sorted(self.workspaces))
        return TargetIdentity(self.endpoint, project_id, workspaces, tuple(sorted(self.features)), self.scope, self.caller)


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
    _finding: anyio.Lock = field(default_factory=anyio.Lock)
    """One listing at a time finds out what an offset means."""

    async def survey(self) -> Survey:
        """List and judge everything.

        Raises:
            CloudError: a page could not be read; without it nothing can be said of the fleet. May come in an exception group.
        """
        started_s = self.ports.clock.steady_s()
        workspaces = self.area.workspaces if self.area.workspaces is not None else await self.ports.cloud.workspaces()
        scopes = [Scope(workspace, feature) for workspace in workspaces for feature in self.area.features]
        listings = await self._list_all(scopes)
        gaps = [listing.gap for listing in listings.values() if listing.gap] or (
            [] if scopes else ["the cloud shows no workspace at all"]
        )
        gaps += name_several_owners(listings.values()) if self.area.scope == "own" else []
        refused = name_refused(listings)
        survey = join_tallies(self.area.target, self.moment.now, [listing.tally for listing in listings.values()], gaps)
        survey = replace(survey, refused=refused)
        active = [notebook_id for listing in listings.values() for notebook_id in listing.tally.active]
        project = self.area.identity(await self.ports.cloud.project()).project
        await self.ports.journal.note_active(project, active, self.moment.now)
        self._tell(survey, self.ports.clock.steady_s() - started_s)
        return survey

    async def _list_all(self, scopes: Sequence[Scope]) -> dict[Scope, Listing]:
        found: dict[Scope, Listing] = {}

        async def list_one(scope: Scope) -> None:
            async with self._at_once:
                found[scope] = await self._list_if_open(scope)

        async with anyio.create_task_group() as group:
            for scope in scopes:
                group.start_soon(list_one, scope)
        return {scope: found[scope] for scope in scopes}

    async def _list_if_open(self, scope: Scope) -> Listing:
        """Read one listing; a refusal that may be about this workspace alone is a gap of it."""
        try:
            return await self._list(scope)
        except (CloudError, ExceptionGroup) as error:
            refusal = leading_error(error)
            if not (isinstance(refusal, CloudError) and is_of_workspace(refusal)):
                raise
            return Listing(Tally(), refused=refusal)

    async def _list(self, scope: Scope) -> Listing:
        """Read one listing, again when it was torn."""
        attempts = 0
        while True:
            tally, overlapping = Tally(), self.ports.cloud.paging().overlaps
            try:
                await self._read(scope, tally)
            except TornError as torn:
                if overlapping and not self.ports.cloud.paging().overlaps:
                    # Nothing was torn: the pages were not those that were meant.
                    continue
                attempts += 1
                self.ports.telemetry.emit(SurveyTorn(scope.workspace_id, scope.feature, attempts, str(torn)))
                if attempts > TORN_RETRIES:
                    return Listing(tally, f"workspace {scope.workspace_id}, {scope.feature}: {torn}")
            else:
                self._tell_strays(scope, tally)
                await ask_undecided(scope, tally, self.ports, self.rules, self.moment, self.sights)
                return Listing(tally)

    async def _read(self, scope: Scope, tally: Tally) -> None:
        """Read a listing from its first page to its last.

        Raises:
            TornError: it does not fit together.
        """
        first = await self._page(scope, 0)
        if not self.ports.cloud.paging().overlaps:
            return await self._read_whole_pages(scope, tally, first)
        try:
            return await self._read_overlapping(scope, tally, first)
        except ShiftedError:
            async with self._finding:
                await find_paging(self.ports.cloud, scope, first)
            raise

    async def _read_overlapping(self, scope: Scope, tally: Tally, first: Page) -> None:
        """Read on, each page from the last row of the one before it."""
        last: Notebook | MalformedRow | None = None
        pages, left = [first], most_pages(first)
        while True:
            left -= len(pages)
            if left < 0:
                raise TornError(f"it does not end: it had {first.total} rows at first, and has {pages[-1].total} now")
            for page in pages:
                rows = without_overlap(page, last)
                if last is not None:
                    self._note_rows()
                for row in rows:
                    self._take(row, scope, tally)
                if not rows or tally.rows >= page.total:
                    return check_listing(tally, page.total)
                last = rows[-1]
            stride = max(1, len(pages[-1].rows) - 1)
            missing = min(PAGES_AT_ONCE, -(-(pages[-1].total - tally.rows) // stride))
            pages = await self._pages(scope, [tally.rows - 1 + number * stride for number in range(missing)])

    async def _read_whole_pages(self, scope: Scope, tally: Tally, first: Page) -> None:
        """Read on, each page from the row behind the last one of the page before it."""
        for row in first.rows:
            self._take(row, scope, tally)
        offsets = range(0, first.total, self.ports.cloud.paging().size)[1:]
        if len(offsets) > MOST_PAGES:
            raise TornError(f"the cloud counts {first.total} rows, more than can be read")
        for start in range(0, len(offsets), PAGES_AT_ONCE):
            for page in await self._pages(scope, offsets[start : start + PAGES_AT_ONCE]):
                check_total(page, first)
                for row in page.rows:
                    self._take(row, scope, tally)
        check_listing(tally, first.total)

    def _note_rows(self) -> None:
        """An overlap has held: a page begins at any row."""
        paging = self.ports.cloud.paging()
        if paging.offsets is Offsets.UNKNOWN:
            self.ports.cloud.found_paging(replace(paging, offsets=Offsets.ROWS))

    async def _pages(self, scope: Scope, offsets: Sequence[int]) -> list[Page]:
        """Read several pages at once."""
        found: dict[int, Page | None] = {}

        async def read(offset: int) -> None:
            found[offset] = await self._page_if_taken(scope, offset)

        async with anyio.create_task_group() as group:
            for offset in offsets:
                group.start_soon(read, offset)
        pages = [found[offset] for offset in offsets]
        taken = [page for page in pages if page is not None]
        if len(taken) < len(pages):
            raise ShiftedError("the cloud refuses an offset between two pages")
        return taken

    async def _page_if_taken(self, scope: Scope, offset: int) -> Page | None:
        """Read a page; None if the cloud refuses its offset, as far as is known for being between two pages.

        Other listings are read meanwhile, and may have found out what an offset means since this page was asked for.
        """
        asked_as = self.ports.cloud.paging().offsets
        try:
            return await self._page(scope, offset)
        except Rejected as error:
            paging = self.ports.cloud.paging()
            taken = Offsets.ROWS in (asked_as, paging.offsets) or offset % paging.size == 0
            if taken or isinstance(error, WorkspaceRefused):
                raise
            return None

    async def _page(self, scope: Scope, offset: int) -> Page:
        page = await self.ports.cloud.page(scope, offset)
        self.ports.telemetry.emit(SurveyPage(scope.workspace_id, scope.feature, offset, len(page.rows), page.total))
        return page

    def _take(self, row: Notebook | MalformedRow, scope: Scope, tally: Tally) -> None:
        if row.id is not None and row.id in tally.reasons:
            message = f"{row.id} came twice"
            raise TornError(message)
        tally.add(row, scope, self.rules, self.moment)
        if row.id is not None and row.id in self.watched and not (isinstance(row, Notebook) and differs_from(row, scope)):
            self.sights[row.id] = row

    def _tell_strays(self, scope: Scope, tally: Tally) -> None:
        if tally.strays:
            strays = SurveyStrays(scope.workspace_id, scope.feature, tally.strays, tally.first_stray)
            self.ports.telemetry.emit(strays)

    def _tell(self, survey: Survey, duration_s: float) -> None:
        for gap in survey.refused:
            self.ports.telemetry.emit(SurveyWorkspaceRefused(gap.scope.workspace_id, gap.scope.feature, gap.problem))
        for row in survey.malformed[:MALFORMED_TOLD]:
            self.ports.telemetry.emit(SurveyMalformedRow(row.id, row.name, row.problem))
        complete, refused = not (survey.gaps or survey.refused), len({gap.scope.workspace_id for gap in survey.refused})
        told = SurveyFinished(
            survey.fleet, len(survey.candidates), complete, round(duration_s, 3), refused, len(survey.malformed)
        )
        self.ports.telemetry.emit(told)
