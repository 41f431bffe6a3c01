"""Lists a whole fleet page by page, judges each row as it arrives, and records whether the survey is complete.

Pages overlap by one row: each page begins with the last row of the previous page. If a row vanishes in the middle of a
listing, the rest shifts, and the overlap shows it. A listing is complete if every overlap held, no id came twice, and the
number of ids equals the last page's `total`. Otherwise it is read again; after two retries the survey is incomplete.

The first overlap that holds shows that an offset is a row number. If it does not hold, the survey finds out what an offset
means. If pages cannot overlap, it reads whole pages: such a listing is complete if no id came twice and every page had the
same `total`, equal to the number of ids. This check misses a row if one row vanished and another joined in the meantime; a
notebook whose row is missed is kept.
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
from nbsweep.core.judging.rules import Rules
from nbsweep.core.listing.belonging import differs_from
from nbsweep.core.listing.paging import Offsets
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope
from nbsweep.core.planning.matches import name_matches
from nbsweep.core.planning.plan import Survey
from nbsweep.core.planning.tally import Tally, join_tallies
from nbsweep.core.ports import Ports
from nbsweep.engine.inventory import InventoryWriter
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
MALFORMED_EMITTED = 50
"""Number of malformed rows that get an event of their own."""
PAGES_AT_ONCE = 8
"""Number of pages of one listing that are requested concurrently, so that latency does not leave the quota unused."""


class Area(Struct, frozen=True):
    """What a sweep covers."""

    target: str
    workspaces: tuple[str, ...] | None
    """None means all workspaces that the caller may see."""
    features: tuple[str, ...]
    endpoint: str = ""
    """As in `TargetIdentity`, like the two fields below."""
    scope: str = "all"
    caller: str = ""
    project_id: str | None = None
    """The configured id; None if it is looked up."""

    def identity(self, project_id: str | None) -> TargetIdentity:
        """Return the identity of the target; `project_id` is None while the project is not known."""
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
    """Ids whose rows are stored in `rows_by_id`, regardless of the verdict."""
    watch_all: bool = False
    """Whether all rows are stored there, which takes memory for the whole fleet."""
    counts_matches: bool = False
    """Whether the notebooks of each rule are counted, which takes time."""
    rows_by_id: dict[str, Notebook | MalformedRow] = field(default_factory=dict)
    """The latest row of each watched notebook."""
    inventory: InventoryWriter | None = field(default=None, init=False)
    """What records the survey; None if it is not recorded."""
    exemptions_version: int | None = field(default=None, init=False)
    """The version of the exemptions in the rules."""
    _at_once: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(LISTINGS_AT_ONCE))
    _finding: anyio.Lock = field(default_factory=anyio.Lock)
    """Held while one listing finds out what an offset means."""

    async def survey(self) -> Survey:
        """List and judge all notebooks of the area.

        Raises:
            CloudError: a page could not be read, so the fleet is unknown. May come in an exception group.
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
        counts = [listing.tally.matched for listing in listings.values() if listing.tally.matched is not None]
        survey = replace(survey, refused=refused, matched=name_matches(self.rules, counts) if self.counts_matches else ())
        active = [notebook_id for listing in listings.values() for notebook_id in listing.tally.active]
        project = self.area.identity(await self.ports.cloud.project()).project
        await self.ports.journal.sightings.note(project, active, self.moment.now)
        if self.inventory is not None:
            await self.inventory.write(survey, [listing.tally for listing in listings.values()])
        self._emit_events(survey, self.ports.clock.steady_s() - started_s)
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
        """Read one listing; return a refusal that may concern this workspace alone, and raise any other error."""
        try:
            return await self._list(scope)
        except (CloudError, ExceptionGroup) as error:
            refusal = leading_error(error)
            if not (isinstance(refusal, CloudError) and is_of_workspace(refusal)):
                raise
            return Listing(Tally(), refused=refusal)

    async def _list(self, scope: Scope) -> Listing:
        """Read one listing; read it again if it was torn."""
        attempts = 0
        while True:
            recorder = self.inventory.recorder() if self.inventory is not None else None
            tally = Tally(counts_matches=self.counts_matches, recorder=recorder)
            overlapping = self.ports.cloud.paging().overlaps
            try:
                await self._read(scope, tally)
            except TornError as torn:
                if overlapping and not self.ports.cloud.paging().overlaps:
                    # Not torn: the offsets meant something else, so the wrong pages were read.
                    continue
                attempts += 1
                self.ports.telemetry.emit(SurveyTorn(scope.workspace_id, scope.feature, attempts, str(torn)))
                if attempts > TORN_RETRIES:
                    return Listing(tally, f"workspace {scope.workspace_id}, {scope.feature}: {torn}")
                for notebook_id in tally.reasons:
                    # It may have vanished: then the next reading does not show it.
                    self.rows_by_id.pop(notebook_id, None)
            else:
                self._emit_strays(scope, tally)
                await ask_undecided(scope, tally, self.ports, self.rules, self.moment, self.rows_by_id)
                return Listing(tally)

    async def _read(self, scope: Scope, tally: Tally) -> None:
        """Read a listing from its first page to its last.

        Raises:
            TornError: the pages are inconsistent.
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
        """Read the remaining pages; each begins with the last row of the previous page."""
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
                    self._add_row(row, scope, tally)
                if not rows or tally.rows >= page.total:
                    return check_listing(tally, page.total)
                last = rows[-1]
            stride = max(1, len(pages[-1].rows) - 1)
            missing = min(PAGES_AT_ONCE, -(-(pages[-1].total - tally.rows) // stride))
            pages = await self._pages(scope, [tally.rows - 1 + number * stride for number in range(missing)])

    async def _read_whole_pages(self, scope: Scope, tally: Tally, first: Page) -> None:
        """Read the remaining pages; each begins after the last row of the previous page."""
        for row in first.rows:
            self._add_row(row, scope, tally)
        offsets = range(0, first.total, self.ports.cloud.paging().size)[1:]
        if len(offsets) > MOST_PAGES:
            raise TornError(f"the cloud counts {first.total} rows, more than can be read")
        for start in range(0, len(offsets), PAGES_AT_ONCE):
            for page in await self._pages(scope, offsets[start : start + PAGES_AT_ONCE]):
                check_total(page, first)
                for row in page.rows:
                    self._add_row(row, scope, tally)
        check_listing(tally, first.total)

    def _note_rows(self) -> None:
        """Record that offsets are row numbers, because an overlap has held."""
        paging = self.ports.cloud.paging()
        if paging.offsets is Offsets.UNKNOWN:
            self.ports.cloud.found_paging(replace(paging, offsets=Offsets.ROWS))

    async def _pages(self, scope: Scope, offsets: Sequence[int]) -> list[Page]:
        """Read several pages concurrently."""
        found: dict[int, Page | None] = {}

        async def read(offset: int) -> None:
            found[offset] = await self._page_if_accepted(scope, offset)

        async with anyio.create_task_group() as group:
            for offset in offsets:
                group.start_soon(read, offset)
        pages = [found[offset] for offset in offsets]
        accepted = [page for page in pages if page is not None]
        if len(accepted) < len(pages):
            raise ShiftedError("the cloud refuses an offset between two pages")
        return accepted

    async def _page_if_accepted(self, scope: Scope, offset: int) -> Page | None:
        """Read a page; return None if the cloud may have refused the offset because it lies between two pages.

        Other listings are read concurrently, and may have found out what an offset means since this page was requested.
        """
        known_before = self.ports.cloud.paging().offsets
        try:
            return await self._page(scope, offset)
        except Rejected as error:
            paging = self.ports.cloud.paging()
            valid = Offsets.ROWS in (known_before, paging.offsets) or offset % paging.size == 0
            if valid or isinstance(error, WorkspaceRefused):
                raise
            return None

    async def _page(self, scope: Scope, offset: int) -> Page:
        page = await self.ports.cloud.page(scope, offset)
        self.ports.telemetry.emit(SurveyPage(scope.workspace_id, scope.feature, offset, len(page.rows), page.total))
        return page

    def _add_row(self, row: Notebook | MalformedRow, scope: Scope, tally: Tally) -> None:
        if row.id is not None and row.id in tally.reasons:
            message = f"{row.id} came twice"
            raise TornError(message)
        tally.add(row, scope, self.rules, self.moment)
        watched = row.id is not None and (self.watch_all or row.id in self.watched)
        if row.id is not None and watched and not (isinstance(row, Notebook) and differs_from(row, scope)):
            self.rows_by_id[row.id] = row

    def _emit_strays(self, scope: Scope, tally: Tally) -> None:
        if tally.strays:
            strays = SurveyStrays(scope.workspace_id, scope.feature, tally.strays, tally.first_stray)
            self.ports.telemetry.emit(strays)

    def _emit_events(self, survey: Survey, duration_s: float) -> None:
        for gap in survey.refused:
            self.ports.telemetry.emit(SurveyWorkspaceRefused(gap.scope.workspace_id, gap.scope.feature, gap.problem))
        for row in survey.malformed[:MALFORMED_EMITTED]:
            self.ports.telemetry.emit(SurveyMalformedRow(row.id, row.name, row.problem))
        complete, refused = not (survey.gaps or survey.refused), len({gap.scope.workspace_id for gap in survey.refused})
        finished = SurveyFinished(
            survey.fleet, len(survey.candidates), complete, round(duration_s, 3), refused, len(survey.malformed)
        )
        self.ports.telemetry.emit(finished)
