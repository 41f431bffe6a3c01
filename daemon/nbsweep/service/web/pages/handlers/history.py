"""The page History: removals by day, how long deletions took, why removals failed, and the sweeps."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Struct

from nbsweep.charts.bins import bins_of_counts
from nbsweep.core.lifecycle import Removal
from nbsweep.core.ports import Clock, Journal
from nbsweep.core.statistics.model import RemovalQuery
from nbsweep.core.statistics.periods import Span, count_by_period, span_of
from nbsweep.documents.base import Document
from nbsweep.documents.past.history import (
    CauseDocument,
    LengthDocument,
    PeriodDocument,
    length_documents,
    period_document,
)
from nbsweep.documents.spreadsheet import csv_pieces
from nbsweep.service.control import Control
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.handlers.removal_files import removal_lines
from nbsweep.service.web.pages.queries import OUTCOMES, asked_age, asked_choice, asked_id
from nbsweep.service.web.pages.routing import PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.streaming import CSV, stream_file
from nbsweep.service.web.pages.views.elements.paging import page_number
from nbsweep.service.web.pages.views.past.history import HistoryInputs, Sheets, build_history
from nbsweep.service.web.pages.views.past.history_filters import ENDED, PATH, USUAL, Filters, build_filters
from nbsweep.service.web.pages.views.past.removals import PAGE_ROWS, RunRow, build_removals, run_rows

TITLE = message("History")
LONGEST = timedelta(days=3660)
MOST_CAUSES = 20
MOST_CAUSES_IN_FILE = 10_000
MOST_RUNS = 10
CHART = ("target", "since")
PERIODS, LENGTHS, CAUSES, REMOVALS = (f"{PATH}/{name}.csv" for name in ("periods", "durations", "causes", "removals"))


class HistoryPage(Struct, frozen=True):
    """Shows what has been deleted."""

    control: Control
    journal: Journal
    clock: Clock
    zone: ZoneInfo

    def section(self) -> Section:
        """Return the entry in the navigation."""
        return Section(PATH, TITLE)

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes; those of files stand before that of a run."""
        return (
            PageRoute("GET", PATH, self.show, Needs.READING, query=(*CHART, "outcome", "page")),
            PageRoute("GET", PERIODS, self.periods, Needs.READING, query=CHART),
            PageRoute("GET", LENGTHS, self.lengths, Needs.READING, query=CHART),
            PageRoute("GET", CAUSES, self.causes, Needs.READING, query=CHART),
            PageRoute("GET", REMOVALS, self.removals, Needs.READING, query=(*CHART, "outcome")),
        )

    async def show(self, visit: Visit) -> Shown:
        """Show the figures, the sweeps and the removals of a time."""
        chosen = _chosen(visit)
        span, target = self._span(chosen), chosen.target or None
        statistics, asked = self.journal.statistics, (span.since, span.until)
        known = HistoryInputs(
            span,
            await statistics.ends(*asked, target),
            await statistics.durations(*asked, target),
            await statistics.causes(*asked, MOST_CAUSES, target),
            next(iter(await self.journal.runs(1)), None),
        )
        found = await statistics.removals(_query(chosen, span), PAGE_ROWS + 1, (chosen.page - 1) * PAGE_ROWS)
        rows = build_removals(
            found, chosen.page, lambda page: f"{chosen.address(page=page)}#removals", chosen.address(REMOVALS)
        )
        filters = build_filters(chosen, (state.name for state in self.control.targets()))
        view = build_history(known, filters, _sheets(chosen), await self._runs(span, target), rows)
        return Shown("history.html", view, TITLE)

    async def periods(self, visit: Visit) -> web.StreamResponse:
        """Send the removals by day as CSV."""
        chosen = _chosen(visit)
        span = self._span(chosen)
        ends = await self.journal.statistics.ends(span.since, span.until, chosen.target or None)
        return await _send(visit, "periods", map(period_document, count_by_period(ends, span)), PeriodDocument)

    async def lengths(self, visit: Visit) -> web.StreamResponse:
        """Send how long deletions took as CSV."""
        chosen = _chosen(visit)
        span = self._span(chosen)
        found = await self.journal.statistics.durations(span.since, span.until, chosen.target or None)
        bins = bins_of_counts({float(each.took_s): each.count for each in found})
        return await _send(visit, "durations", length_documents(bins.edges_s, bins.counts), LengthDocument)

    async def causes(self, visit: Visit) -> web.StreamResponse:
        """Send the causes of failures as CSV."""
        chosen = _chosen(visit)
        span = self._span(chosen)
        found = await self.journal.statistics.causes(span.since, span.until, MOST_CAUSES_IN_FILE, chosen.target or None)
        rows = (CauseDocument(each.outcome, each.count, each.cause) for each in found)
        return await _send(visit, "causes", rows, CauseDocument)

    async def removals(self, visit: Visit) -> web.StreamResponse:
        """Send all chosen removals as CSV, in parts."""
        chosen = _chosen(visit)
        query = _query(chosen, self._span(chosen))

        async def following(last: Removal | None, limit: int) -> Sequence[Removal]:
            return await self.journal.statistics.removals(query, limit, after=last)

        return await stream_file(visit.request, "removals.csv", CSV, removal_lines(following))

    def _span(self, chosen: Filters) -> Span:
        return span_of(chosen.age, self.clock.now(), self.zone)

    async def _runs(self, span: Span, target: str | None) -> tuple[Sequence[RunRow], bool]:
        found = [run for run in await self.journal.runs(MOST_RUNS + 1, target) if run.started_at >= span.since]
        shown = found[:MOST_RUNS]
        counts = await self.journal.run_counts([run.run_id for run in shown])
        return run_rows(shown, counts), len(found) > MOST_RUNS


def _chosen(visit: Visit) -> Filters:
    since, age = asked_age(visit, "since", USUAL, LONGEST)
    outcome = asked_choice(visit, "outcome", ENDED)
    return Filters(since, age, asked_id(visit, "target"), outcome, page_number(visit.query))


def _query(chosen: Filters, span: Span) -> RemovalQuery:
    return RemovalQuery(span.since, span.until, chosen.target or None, OUTCOMES.get(chosen.outcome))


def _sheets(chosen: Filters) -> Sheets:
    every = Filters(chosen.since, chosen.age, chosen.target)
    return Sheets(every.address(PERIODS), every.address(LENGTHS), every.address(CAUSES))


async def _send(visit: Visit, name: str, rows: Iterable[Document], kind: type[Document]) -> web.StreamResponse:
    async def pieces() -> AsyncIterator[str]:
        for piece in csv_pieces(rows, kind.__struct_fields__):
            yield piece

    return await stream_file(visit.request, f"{name}.csv", CSV, pieces())
