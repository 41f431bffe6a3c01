"""The page Audit: the entries of the trail, its verification, and its export."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import web

from nbsweep.core.audit.chain import START, Break, Head, parse_head, verify, verify_coverage, verify_end
from nbsweep.core.audit.entries import AuditQuery
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.lookup import NotebookRef, find_notebooks
from nbsweep.core.ports import Clock, Journal
from nbsweep.documents.audit import link_line
from nbsweep.service.control import Control
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.pages.languages.messages import message
from nbsweep.service.web.pages.queries import asked, asked_age, asked_choice, asked_id, asked_number
from nbsweep.service.web.pages.routing import PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.streaming import JSON_LINES, stream_file
from nbsweep.service.web.pages.views.audit import (
    EXPORT,
    PATH,
    VERIFY,
    AuditFilters,
    Verified,
    build_audit,
    build_verification,
)

TITLE = message("Audit")
LONGEST = timedelta(days=3660)
PAGE_ENTRIES = 50
CHUNK = 500
"""Number of entries that are read at once; the service does other work between two reads."""
MOST_S = 5.0
"""After so many seconds a verification ends, and the page offers to go on from there."""
MOST_FOUND = 100


@dataclass(slots=True)
class AuditPage:
    """Shows, verifies and exports the audit trail."""

    control: Control
    journal: Journal
    clock: Clock
    _verifying: bool = field(default=False, init=False)

    def section(self) -> Section:
        """Return the entry in the navigation."""
        return Section(PATH, TITLE)

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        return (
            PageRoute("GET", PATH, self.show, Needs.READING, query=AuditFilters.__struct_fields__),
            PageRoute("GET", VERIFY, self.verify, Needs.READING, query=("after", "head")),
            PageRoute("GET", EXPORT, self.export, Needs.READING),
        )

    async def show(self, visit: Visit) -> Shown:
        """Show the newest entries that fit."""
        filters, trail = _filters(visit), self.journal.trail
        query, candidates = await self._query(visit, filters)
        links = () if candidates else await trail.latest(query, PAGE_ENTRIES + 1)
        head = await trail.head()
        targets = [state.name for state in self.control.targets()]
        entries = [link.entry for link in links]
        view = build_audit(filters, targets, entries, PAGE_ENTRIES, head.sequence, candidates)
        return Shown("audit.html", view, TITLE)

    async def verify(self, visit: Visit) -> Shown:
        """Verify the trail, or a part of it that takes a few seconds; one visitor at a time.

        Raises:
            Refused: a head in the query is none or not of this trail, or another verification is in progress.
        """
        after, noted = _head(visit, "after") or START, _head(visit, "head")
        await self._require_entry(after)
        if self._verifying:
            raise Refused(Code.CONFLICT, "another verification is in progress; try again in a few seconds")
        self._verifying = True
        try:
            verified = await self._verified(after, noted)
        finally:
            self._verifying = False
        return Shown("verify.html", build_verification(verified), message("Verification of the audit trail"))

    async def export(self, visit: Visit) -> web.StreamResponse:
        """Send the whole trail as JSON lines, as `nbsweep audit export` writes it."""
        return await stream_file(visit.request, "audit.jsonl", JSON_LINES, self._lines())

    async def _query(self, visit: Visit, filters: AuditFilters) -> tuple[AuditQuery, Sequence[NotebookRef]]:
        """Return what to look for; and the notebooks among which the visitor has to choose, if there are several."""
        since = self.clock.now() - asked_age(visit, "since", "", LONGEST)[1] if filters.since else None
        found = find_notebooks(filters.notebook, await self._known(filters.notebook))
        ids = list(dict.fromkeys(each.id for each in found))
        query = AuditQuery(
            target=filters.target or None,
            notebook_id=(ids[0] if ids else filters.notebook) or None,
            what=AuditStep(filters.step) if filters.step else None,
            since=since,
            who=filters.who or None,
            before=int(filters.before) if filters.before else None,
        )
        return query, found if len(ids) > 1 else ()

    async def _known(self, text: str) -> Sequence[NotebookRef]:
        return await self.journal.notebooks(text, MOST_FOUND) if text else ()

    async def _require_entry(self, head: Head) -> None:
        """Raise Refused unless the trail has this entry, so that a wrong address cannot pass for a verified beginning."""
        links = await self.journal.trail.after(head.sequence - 1, 1) if head.sequence else ()
        if head != START and [(link.entry.sequence, link.digest) for link in links] != [(head.sequence, head.digest)]:
            raise Refused(Code.BAD_REQUEST, "the trail has no entry with this number and digest; verify it from the beginning")

    async def _verified(self, after: Head, noted: Head | None) -> Verified:
        began_s, head, trail = self.clock.steady_s(), after, self.journal.trail
        while links := await trail.after(head.sequence, CHUNK):
            outcome = verify(links, head, noted)
            took_s = self.clock.steady_s() - began_s
            if isinstance(outcome, Break):
                return Verified(after, outcome.unbroken, outcome, is_whole=False, took_s=took_s, noted=noted)
            head = outcome
            if took_s >= MOST_S:
                return Verified(after, head, None, is_whole=False, took_s=took_s, noted=noted)
        coverage = await trail.coverage()
        broken = (verify_end(head, noted) if noted else None) or verify_coverage(head, coverage)
        took_s = self.clock.steady_s() - began_s
        return Verified(after, head, broken, is_whole=True, took_s=took_s, coverage=coverage, noted=noted)

    async def _lines(self) -> AsyncIterator[str]:
        last = 0
        while links := await self.journal.trail.after(last, CHUNK):
            yield "".join(f"{link_line(link)}\n" for link in links)
            last = links[-1].entry.sequence


def _filters(visit: Visit) -> AuditFilters:
    return AuditFilters(
        target=asked_id(visit, "target"),
        notebook=asked(visit, "notebook"),
        step=asked_choice(visit, "step", list(AuditStep)),
        who=asked(visit, "who"),
        since=asked(visit, "since"),
        before=asked_number(visit, "before"),
    )


def _head(visit: Visit, key: str) -> Head | None:
    text = asked(visit, key)
    try:
        return parse_head(text) if text else None
    except ValueError as error:
        raise Refused(Code.BAD_REQUEST, f"{key} {error}") from error
