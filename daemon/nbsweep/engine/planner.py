"""Surveys one target and plans its sweep: the notebooks that go, and those that are marked."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.events.sweep import PlanBuilt, PlanRefused, PlanTrimmed
from nbsweep.core.facts import Moment
from nbsweep.core.holdout.model import Hold
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.planning.brakes import A_DAY, Brakes
from nbsweep.core.planning.holding import new_holds
from nbsweep.core.planning.marking import Marking, MarkLimits, SurveyedMarks, mark_survey, outlook
from nbsweep.core.planning.plan import Candidate, Circumstances, Plan, Survey, build_plan, longest_idle_first
from nbsweep.core.ports import Ports
from nbsweep.core.saved_plan.model import Spared
from nbsweep.core.saved_plan.narrow import permit
from nbsweep.engine.announcing import surveyed_marks
from nbsweep.engine.current_rules import current_rules
from nbsweep.engine.inventory import open_inventory
from nbsweep.engine.options import SurveyFacts, SweepOptions
from nbsweep.engine.saved_plan import PlanConstraint, describe_narrowing, require_valid, spared_of
from nbsweep.engine.survey import Area, Surveyor


class Execution(Struct, frozen=True):
    """What the execution of a plan needs besides the plan."""

    options: SweepOptions
    """With the marks and exemptions of this sweep in the rules."""
    facts: SurveyFacts


class PlannedSweep(Struct, frozen=True):
    """A plan, and the marks of the same survey."""

    plan: Plan
    spared: tuple[Spared, ...]
    """What a saved plan permits besides."""
    execution: Execution
    marks: SurveyedMarks
    limits: MarkLimits
    holds: tuple[Hold, ...] = ()
    """The notebooks that would have been deleted, and are held out from now on."""


@dataclass(slots=True, frozen=True)
class Planner:
    """Surveys and plans one target."""

    area: Area
    identity: TargetIdentity
    ports: Ports
    options: SweepOptions
    brakes: Brakes
    permit: PlanConstraint | None = None
    """What a saved plan permits; None if the policies alone decide."""

    async def recording_surveyor(self) -> Surveyor:
        """Return a surveyor as `surveyor` does, whose survey is recorded in the inventory if the options say so."""
        surveyor = await self.surveyor()
        if self.options.inventory is not None:
            surveyor.inventory = await open_inventory(self.area.target, self.identity, self.options.inventory, self.ports)
        return surveyor

    async def surveyor(self, *, watch_all: bool = False, counts_matches: bool = False) -> Surveyor:
        """Return a surveyor with the rules, marks and exemptions of this moment.

        Raises:
            JournalError: the journal cannot be read.
        """
        last_active = await self.ports.journal.sightings.latest(self.identity.project)
        current = await current_rules(self.options.rules, self.area.target, self.identity, self.ports)
        watched = frozenset(current.rules.marks) | (self.permit.ids if self.permit else frozenset())
        moment = Moment(self.ports.clock.now(), last_active)
        surveyor = Surveyor(self.area, self.ports, current.rules, moment, watched, watch_all, counts_matches)
        surveyor.exemptions_version = current.exemptions_version
        return surveyor

    async def plan(self, surveyor: Surveyor) -> PlannedSweep:
        """Survey and plan.

        Raises:
            NbsweepError: the target cannot be surveyed.
        """
        survey = await surveyor.survey()
        surveyor.inventory = None
        circumstances = await self._circumstances(surveyor.moment.now)
        plan, spared = self._narrowed(survey, surveyor, circumstances)
        seen = SurveyedMarks(self.identity, survey, surveyor.rows_by_id, surveyor.rules, surveyor.moment, plan.refusals)
        looked_for = None if surveyor.watch_all else surveyor.watched
        marks = await surveyed_marks(replace(seen, looked_for=looked_for), self.ports)
        plan = replace(plan, project=self.identity.project, policies=self.options.rules.selection.policies)
        marking = mark_survey(marks, self._mark_limits)
        plan = replace(plan, to_mark=_to_mark(marks, marking), marks=outlook(marks, marking))
        self._emit_plan(plan)
        options = replace(self.options, rules=surveyor.rules, exemptions_version=surveyor.exemptions_version)
        holds = tuple(new_holds(survey, self.identity, surveyor.rules, surveyor.moment))
        execution = Execution(options, self._facts(plan, surveyor))
        return PlannedSweep(plan, spared, execution, marks, self._mark_limits, holds)

    def _facts(self, plan: Plan, surveyor: Surveyor) -> SurveyFacts:
        """Return the facts for second looks."""
        never_stop = self.permit.never_stop if self.permit else frozenset()
        positions = {item.notebook.id: item.position for item in plan.items}
        return SurveyFacts(surveyor.moment.last_active, positions, never_stop)

    @property
    def _mark_limits(self) -> MarkLimits:
        """The limits of marking; a saved plan permits no marks."""
        return MarkLimits(self.brakes, 0 if self.permit else self.options.max_new_marks)

    def _narrowed(self, survey: Survey, surveyor: Surveyor, circumstances: Circumstances) -> tuple[Plan, tuple[Spared, ...]]:
        """Build the plan, narrowed to what a saved plan permits if there is one."""
        if self.permit is None:
            return build_plan(survey, self.brakes, circumstances), ()
        require_valid(self.permit, self.identity, self.ports.clock.now())
        permission = permit(survey, self.permit.saved.items, surveyor.rows_by_id, surveyor.rules, surveyor.moment)
        self.ports.telemetry.emit(describe_narrowing(self.permit, permission))
        plan = build_plan(permission.survey, self.brakes, circumstances)
        return plan, spared_of(self.permit, permission, plan)

    async def _circumstances(self, now: datetime) -> Circumstances:
        """Return what a plan depends on besides its survey."""
        cool_down = self.options.cool_down
        failed_since = now - cool_down.longest if cool_down else now
        history = await self.ports.journal.history(self.area.target, self.identity, now - A_DAY, failed_since)
        return Circumstances(history, self.ports.cloud.clock_skew_s(), cool_down)

    def _emit_plan(self, plan: Plan) -> None:
        kept = {reason.value: count for reason, count in plan.kept.items()}
        emit = self.ports.telemetry.emit
        emit(PlanBuilt(plan.fleet, len(plan.items), kept, plan.refusal.brake if plan.refusal else None))
        for refusal in plan.refusals:
            emit(PlanRefused(refusal.brake, refusal.message))
        if plan.trimmed:
            emit(PlanTrimmed(len(plan.items), plan.trimmed))


def _to_mark(marks: SurveyedMarks, marking: Marking) -> tuple[Candidate, ...]:
    """Return the notebooks that get a mark, the longest idle first."""
    new = {mark.notebook_id for mark in marking.new}
    return tuple(sorted((each for each in marks.survey.awaiting if each.notebook.id in new), key=longest_idle_first))
