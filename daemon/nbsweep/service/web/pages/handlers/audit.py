"""The page Audit: the entries of the trail, its verification, and its export."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import web

from nbsweep.core.audit.chain import LEGACY
from nbsweep.core.audit.entries import AuditQuery
from nbsweep.core.audit.heads import ChainHead, NotedHead, parse_noted
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.lookup import NotebookRef, find_notebooks
from nbsweep.core.ports import Clock, Journal
from nbsweep.documents.audit import link_line
from nbsweep.service.control import Control
from nbsweep.service.trail_verifier import TrailVerifier
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.queries import asked, asked_age, asked_choice, asked_id, asked_number
from nbsweep.service.web.pages.routing import PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.streaming import JSON_LINES, stream_file
from nbsweep.service.web.pages.views.audit import (
    EXPORT,
    PATH,
    VERIFY,
    AuditFilters,
    VerifyView,
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
LONGEST_HEADS = 4000
"""Number of characters in which heads can be given."""


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
        length = sum(head.sequence for head in (await trail.heads()).values())
        targets = [state.name for state in self.control.targets()]
        view = build_audit(filters, targets, links, PAGE_ENTRIES, length, candidates)
        return Shown("audit.html", view, TITLE)

    async def verify(self, visit: Visit) -> Shown:
        """Verify the trail, or a part of it that takes a few seconds; one visitor at a time.

        Raises:
            Refused: a head in the query is none or not of this trail, or another verification is in progress.
        """
        after, noted = _heads(visit, "after"), _heads(visit, "head")
        start = await self._require_entry(after)
        if self._verifying:
            raise Refused(Code.CONFLICT, message("another verification is in progress; try again in a few seconds"))
        self._verifying = True
        try:
            view = await self._verified(start, noted)
        finally:
            self._verifying = False
        return Shown("verify.html", view, message("Verification of the audit trail"))

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

    async def _require_entry(self, after: Sequence[NotedHead]) -> ChainHead | None:
        """Raise Refused unless the trail has this entry, so that a wrong address cannot pass for a verified beginning."""
        if not after:
            return None
        start = after[0] if len(after) == 1 else None
        if isinstance(start, ChainHead):
            chain, head = LEGACY if start.chain is None else start.chain, start.head
            links = await self.journal.trail.after(chain, head.sequence - 1, 1) if head.sequence else ()
            if [(link.entry.sequence, link.digest) for link in links] == [(head.sequence, head.digest)]:
                return ChainHead(chain, head)
        said = message("the trail has no entry with this number and digest; verify it from the beginning")
        raise Refused(Code.BAD_REQUEST, said)

    async def _verified(self, after: ChainHead | None, noted: tuple[NotedHead, ...]) -> VerifyView:
        began_s, took_s = self.clock.steady_s(), 0.0

        def is_enough() -> bool:
            nonlocal took_s
            took_s = self.clock.steady_s() - began_s
            return took_s >= MOST_S

        verified = await TrailVerifier(self.journal.trail, noted, CHUNK, is_enough).verify(after)
        return build_verification(verified, after, took_s)

    async def _lines(self) -> AsyncIterator[str]:
        for chain in await self.journal.trail.chains():
            last = 0
            while links := await self.journal.trail.after(chain, last, CHUNK):
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


def _heads(visit: Visit, key: str) -> tuple[NotedHead, ...]:
    text = visit.query.get(key, "")
    if len(text) > LONGEST_HEADS:
        said = message("%(key)s has at most %(most)s characters", key=key, most=str(LONGEST_HEADS))
        raise Refused(Code.BAD_REQUEST, said)
    try:
        return tuple(map(parse_noted, text.split()))
    except ValueError as error:
        raise Refused(Code.BAD_REQUEST, f"{key} {error}") from error
