"""What the pages of plans show: the targets with their last plans, and the notebooks of one plan, sorted and filtered."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.exemptions.covering import find_exemption
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.reasons.model import Cause
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.saved_plan.approval import ApprovedPlan
from nbsweep.service.control import TargetState
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.views.elements.brakes import RefusalView, refusal_view
from nbsweep.service.web.pages.views.elements.disks import DiskView, freed_view
from nbsweep.service.web.pages.views.elements.paging import Choice, Paging, address, paging
from nbsweep.service.web.pages.views.elements.texts import name_or_id, short
from nbsweep.service.web.planning.drafts import Draft, DraftRow

PATH = "/plan"
ROWS = 100
MOST_NAMED = 20
"""How many changed notebooks are named."""
FILTERS = ("owner", "policy", "status", "text")
KEYS = (*FILTERS, "sort", "page")
ORDERS: Mapping[str, Message] = {
    "": message("Longest idle first"),
    "name": message("Name"),
    "owner": message("Owner"),
    "policy": message("Policy"),
    "size": message("Largest first"),
}
SORTING: Mapping[str, Callable[[DraftRow], tuple[str | int, ...]]] = {
    "name": lambda row: (row.name.casefold(), row.id),
    "owner": lambda row: (row.owner.casefold(), row.name.casefold(), row.id),
    "policy": lambda row: (row.policy, row.name.casefold(), row.id),
    "size": lambda row: (-row.freed_gb, row.id),
}
"""The keys of the orders; the order of the plan has none."""


class ApprovedRow(Struct, frozen=True):
    """One approved plan in a list."""

    plan_id: str
    path: str
    target: str
    notebooks: int
    approved_at: datetime
    approved_by: str
    state: Message
    tone: str
    until: datetime


class TargetRow(Struct, frozen=True):
    """One target with its last plan."""

    name: str
    path: str
    made: Message | None
    """When the last plan was made, and by whom; None if there is none."""
    notebooks: Message | None
    refusal: RefusalView | None
    is_sweeping: bool


class PlansView(Struct, frozen=True):
    """The page of all targets."""

    targets: Sequence[TargetRow]
    approved: Sequence[ApprovedRow]
    may_approve: bool


class PlanRow(Struct, frozen=True):
    """One notebook of a plan."""

    id: str
    name: str
    path: str
    owner: str
    status: str
    policy: str
    reason: Cause
    idle_since: datetime | None
    disk: DiskView
    stop_first: bool
    exempt: Message | None
    """That it has been exempted since the plan was made; None if it has not."""
    exempt_path: str


class Change(Struct, frozen=True):
    """What has changed since somebody looked at a plan."""

    new: Sequence[str]
    """The names of notebooks that are new."""
    more_new: int
    gone: Sequence[str]
    more_gone: int
    is_known: bool
    """Whether the plan that was looked at is still known."""


class PlanView(Struct, frozen=True):
    """The page of the last plan of one target."""

    target: str
    path: str
    is_made: bool
    made_at: datetime | None
    age: timedelta | None
    made_by: str
    fleet: int
    notebooks: int
    size_gb: int
    to_mark: int
    refusals: Sequence[RefusalView]
    cut: Statement | None
    excluded: Sequence[str]
    expires_at: datetime | None
    digest: str
    rows: Sequence[PlanRow]
    paging: Paging
    asked: Mapping[str, str]
    here: str
    """The address of the page with its filters."""
    orders: Sequence[Choice]
    policies: Sequence[str]
    statuses: Sequence[str]
    is_filtered: bool
    dry_run: bool
    may_approve: bool
    may_exempt: bool
    can_approve: bool
    approved: ApprovedRow | None
    """The approval of this plan; None if nobody has approved it."""
    change: Change | None


def approved_row(plan: ApprovedPlan, now: datetime) -> ApprovedRow:
    """Return what a list shows of an approved plan."""
    state, tone = message("Expired"), "quiet"
    if plan.carried_out_at is not None:
        state, tone = message("Carried out by %(by)s", by=short(plan.carried_out_by)), "quiet"
    elif plan.is_open(now):
        state, tone = message("Approved"), "good"
    path = f"{PATH}/approved/{plan.plan_id}"
    by = short(plan.approved_by)
    return ApprovedRow(plan.plan_id, path, plan.target, plan.notebooks, plan.approved_at, by, state, tone, plan.expires_at)


def build_plans(
    targets: Sequence[tuple[TargetState, Draft | None]], approved: Sequence[ApprovedPlan], now: datetime, *, may_approve: bool
) -> PlansView:
    """Return what the page of all targets shows."""
    rows = [_target(state, draft, now) for state, draft in targets]
    return PlansView(rows, [approved_row(plan, now) for plan in approved], may_approve)


class Drafted(Struct, frozen=True):
    """The last plan of a target, and its approval; None where there is none."""

    draft: Draft | None
    approved: ApprovedPlan | None = None
    exemptions: Sequence[Exemption] = ()
    """Those in force now."""

    def granted_since(self) -> tuple[Exemption, ...]:
        """Return the exemptions for this target that the plan could not know."""
        draft = self.draft
        return tuple(
            each for each in self.exemptions if draft and each.granted_at >= draft.made_at and each.target in ("", draft.target)
        )


def build_plan(state: TargetState, last: Drafted, asked: Mapping[str, str], now: datetime, may: tuple[bool, bool]) -> PlanView:
    """Return what the page of one target shows; `may` says whether the visitor may approve, and exempt."""
    draft = last.draft
    path, rows = f"{PATH}/{state.name}", draft.rows if draft else ()
    found = _sorted([row for row in rows if _fits(row, asked)], asked.get("sort", ""))
    shown = paging(path, asked, len(found), ROWS)
    here, granted = address(path, asked), last.granted_since()
    can_approve = bool(draft and rows and not draft.refusals and now < draft.expires_at and not last.approved)
    return PlanView(
        target=state.name,
        path=path,
        is_made=draft is not None,
        made_at=draft.made_at if draft else None,
        age=now - draft.made_at if draft else None,
        made_by=short(draft.made_by) if draft else "",
        fleet=draft.fleet if draft else 0,
        notebooks=len(rows),
        size_gb=sum(row.freed_gb for row in rows),
        to_mark=draft.to_mark if draft else 0,
        refusals=list(map(refusal_view, draft.refusals)) if draft else [],
        cut=draft.cut if draft else None,
        excluded=[name_or_id(each.name, each.id) for each in draft.excluded[:MOST_NAMED]] if draft else [],
        expires_at=draft.expires_at if draft else None,
        digest=draft.digest if draft else "",
        rows=[_row(row, state.name, here, _exempt(row, granted, now)) for row in found[max(0, shown.first - 1) : shown.last]],
        paging=shown,
        asked={key: asked.get(key, "") for key in KEYS},
        here=here,
        orders=[Choice(value, title, value == asked.get("sort", "")) for value, title in ORDERS.items()],
        policies=sorted({row.policy for row in rows}),
        statuses=sorted({row.status for row in rows}),
        is_filtered=any(asked.get(key) for key in FILTERS),
        dry_run=state.dry_run,
        may_approve=may[0],
        may_exempt=may[1],
        can_approve=can_approve,
        approved=approved_row(last.approved, now) if last.approved else None,
        change=None,
    )


def change_since(before: Mapping[str, str] | None, draft: Draft | None) -> Change:
    """Return what has changed since somebody looked; `before` has the notebooks by ID with their names."""
    now = {row.id: row.name for row in draft.rows} if draft else {}
    known = before or {}
    new = [short(name) for key, name in now.items() if key not in known] if before is not None else []
    gone = [short(name) for key, name in known.items() if key not in now]
    return Change(
        new[:MOST_NAMED],
        max(0, len(new) - MOST_NAMED),
        gone[:MOST_NAMED],
        max(0, len(gone) - MOST_NAMED),
        is_known=before is not None and draft is not None,
    )


def _target(state: TargetState, draft: Draft | None, now: datetime) -> TargetRow:
    made = notebooks = None
    if draft:
        made = message("made %(age)s ago by %(by)s", age=now - draft.made_at, by=short(draft.made_by))
        notebooks = message("%(planned)s of %(fleet)s notebooks", planned=len(draft.rows), fleet=draft.fleet)
    refusal = refusal_view(draft.refusals[0]) if draft and draft.refusals else None
    return TargetRow(state.name, f"{PATH}/{state.name}", made, notebooks, refusal, state.phase == "sweeping")


def _fits(row: DraftRow, asked: Mapping[str, str]) -> bool:
    owner, text = asked.get("owner", "").casefold(), asked.get("text", "").casefold()
    return (
        asked.get("policy", "") in ("", row.policy)
        and asked.get("status", "") in ("", row.status)
        and (not owner or owner in row.owner.casefold())
        and (not text or text in row.name.casefold() or text in row.id.casefold())
    )


def _sorted(rows: list[DraftRow], order: str) -> Sequence[DraftRow]:
    return sorted(rows, key=SORTING[order]) if order in SORTING else rows


def _exempt(row: DraftRow, granted: Iterable[Exemption], now: datetime) -> Message | None:
    """Return what an exemption that was granted after the plan was made says of a notebook of it."""
    found = find_exemption(row.about, granted, now)
    if found is None:
        return None
    if found.missing:
        return message("It may be exempt until %(until)s by now: then it is not deleted.", until=found.exemption.until)
    return message("It is exempt until %(until)s by now: it is not deleted, approved or not.", until=found.exemption.until)


def _row(row: DraftRow, target: str, here: str, exempt: Message | None) -> PlanRow:
    return PlanRow(
        id=row.id,
        name=name_or_id(row.name, row.id),
        path=f"/notebooks/{row.id}",
        owner=short(row.owner),
        status=row.status,
        policy=row.policy,
        reason=row.cause,
        idle_since=row.idle_since,
        disk=freed_view(row.volume),
        stop_first=row.stop_first,
        exempt=exempt,
        exempt_path=address("/exemptions/new", {"notebook": row.id, "target": target, "next": here}),
    )
