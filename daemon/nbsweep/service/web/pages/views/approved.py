"""What the page of an approved plan shows: who approved it, what has changed since, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.lifecycle import Removal, outcome
from nbsweep.core.reasons.model import Cause
from nbsweep.core.saved_plan.approval import ApprovedPlan
from nbsweep.service.control import TargetState
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.views.elements.brakes import RefusalView, refusal_view
from nbsweep.service.web.pages.views.elements.paging import Paging, paging
from nbsweep.service.web.pages.views.elements.sweeps import END_TITLES
from nbsweep.service.web.pages.views.elements.texts import LONGEST_SENTENCE, name_or_id, short
from nbsweep.service.web.pages.views.elements.words import Said, sentence_words
from nbsweep.service.web.pages.views.fleet import pause_message
from nbsweep.service.web.pages.views.past.removals import TONES as REMOVAL_TONES
from nbsweep.service.web.pages.views.plan import ROWS, approved_row
from nbsweep.service.web.planning.desk import Comparison
from nbsweep.service.web.planning.drafts import SavedRow

MOST_CHANGES = 200
"""How many changed notebooks are shown."""


class ApprovedItem(Struct, frozen=True):
    """One notebook of the plan."""

    id: str
    name: str
    path: str
    owner: str
    status: str
    policy: str
    reason: Cause
    end: Message | None
    """What became of it; None if the plan was not carried out."""
    end_why: str
    """Why it was not deleted, in English; empty if it was."""
    end_said: Said | None
    """The same in the words of the page; None if there are none for it."""
    tone: str


class ChangedItem(Struct, frozen=True):
    """A notebook that is new, or would be kept."""

    id: str
    name: str
    path: str
    owner: str
    reason: Cause


class ChangesView(Struct, frozen=True):
    """What has changed."""

    at: datetime
    age: timedelta
    still: int
    new: Sequence[ChangedItem]
    more_new: int
    kept: Sequence[ChangedItem]
    more_kept: int
    refusals: Sequence[RefusalView]


class ApprovedView(Struct, frozen=True):
    """The page."""

    plan_id: str
    path: str
    target: str
    state: Message
    tone: str
    notebooks: int
    digest: str
    made_at: datetime
    approved_at: datetime
    approved_by: str
    expires_at: datetime
    left: timedelta | None
    """How long it may still be carried out; None if it may not."""
    carried_out_at: datetime | None
    carried_out_by: str
    run_id: str
    run_path: str
    is_target_known: bool
    is_sweeping: bool
    pause: Message | None
    dry_run: bool
    may_carry_out: bool
    changes: ChangesView | None
    rows: Sequence[ApprovedItem]
    paging: Paging


class ApprovedInputs(Struct, frozen=True):
    """What the page needs."""

    plan: ApprovedPlan
    rows: Sequence[SavedRow]
    comparison: Comparison | None
    state: TargetState | None
    """None if the target is not in the configuration any more."""
    removals: Mapping[str, Removal] = {}
    """Those of the run that carried it out, of the notebooks that the page shows, by ID."""


def build_approved(found: ApprovedInputs, asked: Mapping[str, str], now: datetime, *, may_carry_out: bool) -> ApprovedView:
    """Return what the page shows."""
    plan, listed, state = found.plan, approved_row(found.plan, now), found.state
    shown = paging(listed.path, asked, len(found.rows), ROWS)
    return ApprovedView(
        plan_id=plan.plan_id,
        path=listed.path,
        target=plan.target,
        state=listed.state,
        tone=listed.tone,
        notebooks=plan.notebooks,
        digest=plan.digest,
        made_at=plan.created_at,
        approved_at=plan.approved_at,
        approved_by=listed.approved_by,
        expires_at=plan.expires_at,
        left=plan.expires_at - now if plan.is_open(now) else None,
        carried_out_at=plan.carried_out_at,
        carried_out_by=short(plan.carried_out_by),
        run_id=plan.run_id,
        run_path=f"/history/{plan.run_id}" if plan.run_id else "",
        is_target_known=state is not None,
        is_sweeping=state is not None and state.phase == "sweeping",
        pause=pause_message(state.pause) if state and state.pause else None,
        dry_run=bool(state and state.dry_run),
        may_carry_out=may_carry_out,
        changes=_changes(found.comparison, now) if found.comparison else None,
        rows=[_item(row, found) for row in shown_rows(found.rows, shown)],
        paging=shown,
    )


def _changes(found: Comparison, now: datetime) -> ChangesView:
    new = [_changed(row.id, row.name, row.owner, row.cause) for row in found.new]
    kept = [_changed(each.item.id, each.item.name or "", each.item.owner, each.cause) for each in found.spared]
    return ChangesView(
        found.at,
        now - found.at,
        found.still,
        new[:MOST_CHANGES],
        max(0, len(new) - MOST_CHANGES),
        kept[:MOST_CHANGES],
        max(0, len(kept) - MOST_CHANGES),
        list(map(refusal_view, found.refusals)),
    )


def _changed(notebook_id: str, name: str, owner: str, cause: Cause) -> ChangedItem:
    return ChangedItem(notebook_id, name_or_id(name, notebook_id), f"/notebooks/{notebook_id}", short(owner), cause)


def shown_rows(rows: Sequence[SavedRow], shown: Paging) -> Sequence[SavedRow]:
    """Return the notebooks of the part of a plan that the page shows."""
    return rows[max(0, shown.first - 1) : shown.last]


def _item(row: SavedRow, found: ApprovedInputs) -> ApprovedItem:
    removal = found.removals.get(row.id)
    end = outcome(removal) if removal else None
    was_kept = None if found.plan.carried_out_at is None else message("Kept: it did not match any more")
    return ApprovedItem(
        row.id,
        name_or_id(row.name, row.id),
        f"/notebooks/{row.id}",
        short(row.owner),
        row.status,
        row.policy,
        row.cause,
        END_TITLES[end] if end else was_kept,
        short(removal.end_reason, LONGEST_SENTENCE) if removal and end != "deleted" else "",
        sentence_words(removal.end_reason, removal.end_cause) if removal else None,
        REMOVAL_TONES[end] if end else "quiet",
    )
