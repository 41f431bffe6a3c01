"""The handlers of the API for plans: the last one of a target, what is approved, and carrying it out."""

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from nbsweep.core.errors import ConfigurationError
from nbsweep.core.planning.brakes import Refusal
from nbsweep.core.ports import Journal
from nbsweep.core.reasons.english import describe
from nbsweep.documents.approvals import (
    ApprovalDocument,
    ApprovedPlansDocument,
    ChangedNotebookDocument,
    DraftDocument,
    DraftItemDocument,
    ExclusionDocument,
    PlanChangesDocument,
    approved_document,
)
from nbsweep.documents.base import moment_text
from nbsweep.service.web.access.visitors import actor_of
from nbsweep.service.web.bodies import read_json
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.parameters import LIMIT_DEFAULT, LIMIT_MOST, OFFSET_MOST, checked_id, number
from nbsweep.service.web.planning.desk import DraftChangedError, PlanDesk
from nbsweep.service.web.planning.drafts import Draft
from nbsweep.service.web.responses import json_answer

CHANGED = "this is not the last plan of the target any more: GET it, and decide again"
FORGOTTEN = (
    "the last plan of the target is not known any more, because the service was restarted or has read its configuration again: "
    "POST makes a new one"
)


class PlansApi:
    """Handles the requests about plans."""

    def __init__(self, desk: PlanDesk, journal: Journal) -> None:
        """Take what makes plans, and the journal."""
        self._desk = desk
        self._journal = journal

    async def last_plan(self, request: web.Request) -> web.StreamResponse:
        """Return the last plan that was made of a target; no call is made."""
        draft = self._desk.draft(_name(request))
        if draft is None:
            raise Refused(Code.NOT_FOUND, "no plan of this target was made since the service was started; POST makes one")
        limit, offset = number(request, "limit", LIMIT_MOST, 1, LIMIT_MOST), number(request, "offset", 0, 0, OFFSET_MOST)
        return json_answer(_draft_document(draft, limit, offset))

    async def exclude(self, request: web.Request) -> web.StreamResponse:
        """Exclude notebooks from the last plan."""
        asked = await read_json(request, ExclusionDocument)
        try:
            draft = await self._desk.exclude(_name(request), asked.digest, asked.notebook_ids, actor_of(request))
        except DraftChangedError:
            raise self._changed(request) from None
        return json_answer(_draft_document(draft, LIMIT_MOST, 0))

    async def approve(self, request: web.Request) -> web.StreamResponse:
        """Approve the last plan."""
        asked = await read_json(request, ApprovalDocument)
        try:
            plan = await self._desk.approve(_name(request), asked.digest, actor_of(request))
        except DraftChangedError:
            raise self._changed(request) from None
        return json_answer(approved_document(plan), HTTPStatus.CREATED)

    def _changed(self, request: web.Request) -> Refused:
        return Refused(Code.CONFLICT, FORGOTTEN if self._desk.draft(_name(request)) is None else CHANGED)

    async def approved_plans(self, request: web.Request) -> web.StreamResponse:
        """Return the latest approved plans."""
        plans = await self._journal.plans.plans(number(request, "limit", LIMIT_DEFAULT, 1, LIMIT_MOST))
        return json_answer(ApprovedPlansDocument([approved_document(plan) for plan in plans]))

    async def approved_plan(self, request: web.Request) -> web.StreamResponse:
        """Return one approved plan."""
        return json_answer(approved_document(await self._desk.approved(_plan_id(request))))

    async def compare(self, request: web.Request) -> web.StreamResponse:
        """Return what has changed since a plan was approved."""
        plan_id = _plan_id(request)
        found = await self._desk.compare(plan_id)
        kept = [
            ChangedNotebookDocument(each.item.id, each.item.name or each.item.id, each.item.owner, each.why)
            for each in found.spared
        ]
        new = [ChangedNotebookDocument(row.id, row.name, row.owner, describe(row.cause)) for row in found.new]
        refusals = _sentences(found.refusals)
        return json_answer(PlanChangesDocument(plan_id, moment_text(found.at), found.still, kept, new, refusals))

    async def carry_out(self, request: web.Request) -> web.StreamResponse:
        """Request a sweep by an approved plan."""
        try:
            plan = await self._desk.carry_out(_plan_id(request), actor_of(request))
        except ConfigurationError as error:
            raise Refused(Code.CONFLICT, str(error)) from error
        return json_answer(approved_document(plan), HTTPStatus.ACCEPTED)


def _draft_document(draft: Draft, limit: int, offset: int) -> DraftDocument:
    rows = draft.rows[offset : offset + limit]
    return DraftDocument(
        target=draft.target,
        plan_id=draft.plan_id,
        digest=draft.digest,
        made_at=moment_text(draft.made_at),
        made_by=draft.made_by,
        expires_at=moment_text(draft.expires_at),
        fleet=draft.fleet,
        planned=len(draft.rows),
        refusals=_sentences(draft.refusals),
        excluded=[each.id for each in draft.excluded],
        items=[DraftItemDocument(row.id, row.name, row.owner, row.status, row.policy, describe(row.cause)) for row in rows],
        next_offset=offset + limit if offset + limit < len(draft.rows) else None,
    )


def _sentences(refusals: Sequence[Refusal]) -> list[str]:
    return [refusal.sentence for refusal in refusals]


def _name(request: web.Request) -> str:
    return checked_id("name", request.match_info["name"])


def _plan_id(request: web.Request) -> str:
    return checked_id("plan_id", request.match_info["plan_id"])
