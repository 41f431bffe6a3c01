"""The pages of plans, below `/plan`: the last plan of each target, and the approved ones."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.errors import ConfigurationError
from nbsweep.core.lifecycle import Removal
from nbsweep.core.ports import Clock, Journal
from nbsweep.core.saved_plan.approval import ApprovedPlan
from nbsweep.service.control import Control, TargetState, UnknownTargetError
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message, plural
from nbsweep.service.web.pages.routing import Moved, PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.views.approved import ApprovedInputs, build_approved, shown_rows
from nbsweep.service.web.pages.views.elements.paging import paging
from nbsweep.service.web.pages.views.plan import KEYS, PATH, ROWS, Drafted, PlanView, build_plan, build_plans, change_since
from nbsweep.service.web.parameters import checked_id
from nbsweep.service.web.planning.desk import DraftChangedError, PlanDesk
from nbsweep.service.web.planning.drafts import SavedRow

TITLE = message("Plan")
APPROVED = message("Approved plan")
MOST_APPROVED = 20


class PlanPage(Struct, frozen=True):
    """Shows plans, and has them made, approved and carried out."""

    control: Control
    journal: Journal
    clock: Clock
    desk: PlanDesk

    def section(self) -> Section:
        """Return the entry in the navigation."""
        return Section(PATH, TITLE)

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        one, approved = f"{PATH}/{{target}}", f"{PATH}/approved/{{plan_id}}"
        return (
            PageRoute("GET", PATH, self.overview, Needs.READING),
            PageRoute("GET", one, self.show, Needs.READING, query=KEYS),
            PageRoute("POST", one, self.make, Needs.APPROVER),
            PageRoute("POST", f"{one}/exclude", self.exclude, Needs.APPROVER, fields=("notebook", "digest", "next")),
            PageRoute("POST", f"{one}/approve", self.approve, Needs.APPROVER, fields=("digest",)),
            PageRoute("GET", approved, self.show_approved, Needs.READING, query=("page",)),
            PageRoute("POST", f"{approved}/compare", self.compare, Needs.APPROVER),
            PageRoute("POST", f"{approved}/carry-out", self.carry_out, Needs.APPROVER),
        )

    # ---- the last plan of a target

    async def overview(self, visit: Visit) -> Shown:
        """Show all targets, and the latest approved plans."""
        targets = [(state, self.desk.draft(state.name)) for state in self.control.targets()]
        approved = await self.journal.plans.plans(MOST_APPROVED)
        may = visit.visitor.may(Needs.APPROVER)
        return Shown("plans.html", build_plans(targets, approved, self.clock.now(), may_approve=may), TITLE)

    async def show(self, visit: Visit) -> Shown:
        """Show the last plan of a target; no call is made."""
        return Shown("plan.html", await self._view(visit), TITLE)

    async def make(self, visit: Visit) -> Moved:
        """Make a plan."""
        name = self._state(visit).name
        _, draft = await self.desk.make(name, visit.actor)
        said = plural("The plan has %(count)s notebook.", "The plan has %(count)s notebooks.", len(draft.rows))
        return Moved(f"{PATH}/{name}", said)

    async def exclude(self, visit: Visit) -> Moved | Shown:
        """Exclude a notebook from this plan only."""
        name, notebook_id = self._state(visit).name, checked_id("notebook", visit.form.get("notebook", ""))
        try:
            await self.desk.exclude(name, visit.form.get("digest", ""), [notebook_id], visit.actor)
        except DraftChangedError as changed:
            return await self._changed(visit, changed)
        said = message("Notebook %(id)s is excluded from this plan. Later plans may have it again.", id=notebook_id)
        return Moved(visit.form.get("next") or f"{PATH}/{name}", said)

    async def approve(self, visit: Visit) -> Moved | Shown:
        """Approve the plan that was shown, or show what has changed since."""
        try:
            plan = await self.desk.approve(self._state(visit).name, visit.form.get("digest", ""), visit.actor)
        except DraftChangedError as changed:
            return await self._changed(visit, changed)
        return Moved(
            f"{PATH}/approved/{plan.plan_id}",
            message("The plan is approved. Nothing is deleted before somebody carries it out."),
        )

    # ---- approved plans

    async def show_approved(self, visit: Visit) -> Shown:
        """Show an approved plan, and what had changed when it was last compared."""
        plan_id = self._plan_id(visit)
        plan = await self.desk.approved(plan_id)
        state = next((each for each in self.control.targets() if each.name == plan.target), None)
        rows = await self.desk.rows(plan_id)
        removals = await self._removals(plan, shown_rows(rows, paging("", visit.query, len(rows), ROWS)))
        found = ApprovedInputs(plan, rows, self.desk.comparison(plan_id), state, removals)
        view = build_approved(found, visit.query, self.clock.now(), may_carry_out=visit.visitor.may(Needs.APPROVER))
        return Shown("approved.html", view, APPROVED)

    async def compare(self, visit: Visit) -> Moved:
        """Hold an approved plan against the notebooks of now."""
        plan_id = self._plan_id(visit)
        await self.desk.compare(plan_id)
        return Moved(f"{PATH}/approved/{plan_id}")

    async def carry_out(self, visit: Visit) -> Moved:
        """Request a sweep by an approved plan.

        Raises:
            Refused: the plan is not valid under the configuration in force.
        """
        plan_id = self._plan_id(visit)
        try:
            plan = await self.desk.carry_out(plan_id, visit.actor)
        except ConfigurationError as error:
            raise Refused(Code.CONFLICT, str(error)) from error
        dry_run = any(each.dry_run for each in self.control.targets() if each.name == plan.target)
        if dry_run:
            said = message("A dry run by this plan begins: nothing is deleted, because the mode is dry-run.")
        else:
            said = message("The sweep begins. Each notebook is looked at again before it is deleted.")
        return Moved(f"{PATH}/approved/{plan_id}", said)

    # ---- helpers

    async def _removals(self, plan: ApprovedPlan, rows: Sequence[SavedRow]) -> Mapping[str, Removal]:
        """Return what became of notebooks of a plan that was carried out, by ID."""
        if plan.carried_out_at is None or not rows:
            return {}
        found = await self.journal.removals(plan.run_id, notebook_ids=[row.id for row in rows])
        return {each.notebook_id: each for each in found}

    async def _changed(self, visit: Visit, changed: DraftChangedError) -> Shown:
        view = await self._view(visit)
        change = change_since(changed.before, self.desk.draft(view.target))
        return Shown("plan.html", replace(view, change=change), TITLE, HTTPStatus.CONFLICT)

    async def _view(self, visit: Visit) -> PlanView:
        state, query = self._state(visit), visit.query if visit.request.method in ("GET", "HEAD") else {}
        may = visit.visitor.may(Needs.APPROVER), visit.visitor.may(Needs.ADMIN)
        draft = self.desk.draft(state.name)
        approved, now = await self.journal.plans.find(draft.plan_id) if draft else None, self.clock.now()
        granted = await self.journal.exemptions.in_force(now) if draft else ()
        return build_plan(state, Drafted(draft, approved, granted), query, now, may)

    def _state(self, visit: Visit) -> TargetState:
        for state in self.control.targets():
            if state.name == visit.parts["target"]:
                return state
        raise UnknownTargetError(visit.parts["target"])

    @staticmethod
    def _plan_id(visit: Visit) -> str:
        return checked_id("plan_id", visit.parts["plan_id"])
