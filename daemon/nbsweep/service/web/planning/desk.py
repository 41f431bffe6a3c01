"""Makes plans, and has them approved, compared and carried out. The pages and the HTTP API share it."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from anyio import to_thread
from msgspec import Struct

from nbsweep.core.actor import Actor
from nbsweep.core.planning.brakes import Refusal
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Clock, Journal
from nbsweep.core.saved_plan.approval import ApprovedPlan
from nbsweep.core.saved_plan.model import SavedPlan, Spared
from nbsweep.documents.base import new_id
from nbsweep.service.control import Answer, Control, UnknownTargetError
from nbsweep.service.plans.saved_plans import open_plan
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message
from nbsweep.service.web.planning.drafts import Draft, DraftRow, SavedRow, draft_of, row_of, saved_rows, without

KEPT_FOR = timedelta(days=30)
"""How long an expired plan stays in the journal."""
EARLIER = 3
"""How many earlier drafts of a target are remembered, to say what has changed since somebody looked."""
MOST_COMPARISONS = 10
EXPIRED = message("the plan has expired: make a new plan")


class Comparison(Struct, frozen=True):
    """An approved plan, held against a plan of a moment."""

    at: datetime
    still: int
    new: Sequence[DraftRow]
    spared: Sequence[Spared]
    refusals: Sequence[Refusal]
    """Why brakes refuse the plan of that moment."""


class DraftChangedError(Exception):
    """Somebody has made another plan, or has changed it, since a page was made."""

    def __init__(self, before: Mapping[str, str] | None) -> None:
        """Store the notebooks of the plan of that page, by ID with their names; None if they are not known any more."""
        super().__init__("the plan is not the one of the page any more")
        self.before = before


@dataclass(slots=True)
class PlanDesk:
    """The last plan of each target, until the service ends or reads its configuration again."""

    control: Control
    journal: Journal
    clock: Clock
    _drafts: dict[str, Draft] = field(default_factory=dict)
    _earlier: dict[str, deque[tuple[str, Mapping[str, str]]]] = field(default_factory=dict)
    """The digests of earlier drafts with their notebooks, by target."""
    _comparisons: dict[str, Comparison] = field(default_factory=dict)
    _at_work: set[str] = field(default_factory=set)
    """The targets that are being surveyed."""

    def draft(self, target: str) -> Draft | None:
        """Return the last plan of a target; None if none was made.

        Raises:
            UnknownTargetError: no target has that name.
        """
        if target not in {state.name for state in self.control.targets()}:
            raise UnknownTargetError(target)
        return self._drafts.get(target)

    async def make(self, target: str, actor: Actor) -> tuple[Plan, Draft]:
        """Survey a target and make its plan, which costs calls.

        Raises:
            Refused: the target is being surveyed.
            UnknownTargetError, NbsweepError: there is no such target, or it could not be surveyed.
        """
        with self._alone(target):
            plan = await self.control.plan(target)
        saved = self.control.plan_to_save(plan, new_id(self.clock.now()))
        draft = await to_thread.run_sync(partial(draft_of, plan, saved, str(actor)))
        self._put(draft)
        return plan, draft

    async def exclude(self, target: str, digest: str, ids: Collection[str], actor: Actor) -> Draft:
        """Exclude notebooks from the plan that was shown.

        Raises:
            DraftChangedError: another one is there by now.
            Refused: none of the notebooks is in it.
        """
        draft = self._shown(target, digest)
        if not {row.id for row in draft.rows} & set(ids):
            raise Refused(Code.NOT_FOUND, message("the plan does not have this notebook"))
        changed = await to_thread.run_sync(partial(without, draft, ids, str(actor), new_id(self.clock.now())))
        self._shown(target, digest)
        self._put(changed)
        return changed

    async def approve(self, target: str, digest: str, actor: Actor) -> ApprovedPlan:
        """Approve the plan that was shown.

        Raises:
            DraftChangedError: another one is there by now.
            Refused: it is empty or has expired, a brake refuses it, or it was approved before.
            JournalError: the approval could not be recorded.
        """
        draft, now = self._shown(target, digest), self.clock.now()
        if draft.refusals:
            raise Refused(Code.CONFLICT, f"a brake refuses this plan: {draft.refusals[0].sentence}")
        if not draft.rows:
            raise Refused(Code.CONFLICT, message("the plan is empty, so that there is nothing to approve"))
        if now >= draft.expires_at:
            raise Refused(Code.CONFLICT, EXPIRED)
        approved = ApprovedPlan(
            draft.plan_id, target, draft.digest, draft.made_at, draft.expires_at, len(draft.rows), now, str(actor)
        )
        if not await self.journal.plans.approve(approved, draft.document):
            raise Refused(Code.CONFLICT, message("the plan %(plan)s is approved already", plan=draft.plan_id))
        await self.journal.plans.forget(now - KEPT_FOR)
        return approved

    async def approved(self, plan_id: str) -> ApprovedPlan:
        """Return an approved plan.

        Raises:
            Refused: there is none with that ID.
        """
        plan = await self.journal.plans.find(plan_id)
        if plan is None:
            raise Refused(Code.NOT_FOUND, message("there is no approved plan with this ID"))
        return plan

    async def rows(self, plan_id: str) -> Sequence[SavedRow]:
        """Return the notebooks of an approved plan."""
        document = await self.journal.plans.document(plan_id)
        return await to_thread.run_sync(partial(saved_rows, document)) if document is not None else ()

    def comparison(self, plan_id: str) -> Comparison | None:
        """Return the last comparison of an approved plan; None if none was made."""
        return self._comparisons.get(plan_id)

    async def compare(self, plan_id: str) -> Comparison:
        """Hold an approved plan against a plan of now, which costs calls.

        Raises:
            Refused: there is no such plan, or its target is being surveyed.
            UnknownTargetError, NbsweepError: the target is there no more, or could not be surveyed.
        """
        plan, saved = await self.approved(plan_id), await self._opened(plan_id)
        with self._alone(plan.target):
            found = await self.control.compare(plan.target, saved.targets[0].items)
        new = tuple(map(row_of, found.new))
        comparison = Comparison(self.clock.now(), found.still, new, found.spared, found.plan.refusals)
        while len(self._comparisons) >= MOST_COMPARISONS:
            del self._comparisons[next(iter(self._comparisons))]
        self._comparisons[plan_id] = comparison
        return comparison

    async def carry_out(self, plan_id: str, actor: Actor) -> ApprovedPlan:
        """Request a sweep by an approved plan.

        Raises:
            Refused: there is no such plan, it was carried out or has expired, or its target is paused or being swept.
            ConfigurationError: it is not valid under the configuration in force.
        """
        plan = await self.approved(plan_id)
        if plan.carried_out_at is not None:
            said = message("the plan was carried out by %(by)s in the run %(run)s", by=plan.carried_out_by, run=plan.run_id)
            raise Refused(Code.CONFLICT, said)
        if not plan.is_open(self.clock.now()):
            raise Refused(Code.CONFLICT, EXPIRED)
        answer = await self.control.carry_out(await self._opened(plan_id), str(actor))
        if answer is Answer.PAUSED:
            raise Refused(Code.CONFLICT, message("the target is paused: resume it first"))
        if answer is Answer.BUSY:
            raise Refused(
                Code.CONFLICT, message("a sweep of this target is in progress or requested: try again when it has ended")
            )
        return plan

    async def _opened(self, plan_id: str) -> SavedPlan:
        document = await self.journal.plans.document(plan_id)
        return await to_thread.run_sync(partial(open_plan, document or b"", plan_id))

    def _shown(self, target: str, digest: str) -> Draft:
        """Return the draft of a target if it is the one that was shown.

        Raises:
            DraftChangedError: it is not.
        """
        draft = self.draft(target)
        if draft is None or draft.digest != digest:
            raise DraftChangedError(dict(self._earlier.get(target, ())).get(digest))
        return draft

    def _put(self, draft: Draft) -> None:
        if before := self._drafts.get(draft.target):
            earlier = self._earlier.setdefault(draft.target, deque(maxlen=EARLIER))
            earlier.append((before.digest, {row.id: row.name for row in before.rows}))
        self._drafts[draft.target] = draft

    @contextmanager
    def _alone(self, target: str) -> Iterator[None]:
        """Survey a target alone, because it costs calls."""
        if target in self._at_work:
            raise Refused(Code.CONFLICT, message("a plan of this target is already in progress"))
        self._at_work.add(target)
        try:
            yield
        finally:
            self._at_work.discard(target)
