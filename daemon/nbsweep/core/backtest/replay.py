"""Replays the surveys of a target's past, one after the other, as sweeps by other rules would have seen them.

A notebook that would have been deleted is out of the fleet from then on, so that the brakes see what would be left.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter

from msgspec.structs import replace

from nbsweep.core.backtest.announcing import ReplayedMarks
from nbsweep.core.backtest.deciding import Surveyed, coverage_of, row_of, survey_at
from nbsweep.core.backtest.following import Followed, is_another
from nbsweep.core.backtest.labels import Aftermath, label
from nbsweep.core.backtest.model import Labelled, Past, Period, RecordedNotebook, RecordedSurvey, Trial, WouldBe
from nbsweep.core.backtest.past import count_deleted, count_requested, ends_at, in_force_at
from nbsweep.core.backtest.result import Replayed
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.rules import Rules
from nbsweep.core.planning.brakes import A_DAY
from nbsweep.core.planning.marking import SurveyedMarks
from nbsweep.core.planning.plan import Candidate, Circumstances, Plan, build_plan
from nbsweep.core.runs import FleetBefore, History

NEEDS_A_PERSON = frozenset({"max_fleet_drop"})
"""Brakes that a person has to release once; the next survey is then compared with the one that was refused."""


@dataclass(slots=True)
class Replay:
    """What rules would have done to one target."""

    identity: TargetIdentity
    trial: Trial
    past: Past
    followed: dict[str, list[Followed]] = field(default_factory=dict)
    """The would-be deletions by notebook id; several if an id was created again."""
    _marks: ReplayedMarks = field(default_factory=ReplayedMarks)
    _refused: Counter[str] = field(default_factory=Counter)
    _lacking: set[str] = field(default_factory=set)
    _complete: list[tuple[int, datetime]] = field(default_factory=list)
    """The numbers and times of the complete surveys."""
    _before: FleetBefore | None = None
    _before_at: datetime | None = None

    def take(self, recorded: RecordedSurvey, horizon: timedelta) -> None:
        """Follow the notebooks that would be gone, and plan and delete as a sweep would at this survey."""
        if not recorded.clock_trusted:
            return
        for followed in self._all():
            if recorded.record.at <= followed.would_be.at + horizon:
                followed.see(recorded)
        if recorded.record.complete:
            self._complete.append((recorded.record.id, recorded.record.at))
        self._sweep(self._without_gone(recorded))

    def result(self, period: Period) -> Replayed:
        """Return the would-be deletions with their labels."""
        followed = sorted(self._all(), key=lambda each: (each.would_be.survey, each.would_be.notebook.id))
        found = tuple(self._labelled(each, period) for each in followed)
        return Replayed(found, dict(self._refused), self._marks.made, len(self._lacking))

    def _all(self) -> list[Followed]:
        return [each for listed in self.followed.values() for each in listed]

    def _without_gone(self, recorded: RecordedSurvey) -> RecordedSurvey:
        """Return a survey without the notebooks that would be gone."""
        gone = {key for key in self.followed.keys() & recorded.notebooks.keys() if self._is_gone(recorded.notebooks[key])}
        if not gone:
            return recorded
        left = {key: each for key, each in recorded.notebooks.items() if key not in gone}
        return replace(recorded, notebooks=left, record=replace(recorded.record, fleet=recorded.record.fleet - len(gone)))

    def _is_gone(self, notebook: RecordedNotebook) -> bool:
        return any(not is_another(notebook.facts, each.would_be) for each in self.followed[notebook.notebook_id])

    def _sweep(self, recorded: RecordedSurvey) -> None:
        """Plan, bring the marks up to date, and delete what may go, in the order of a sweep."""
        rules = self._rules_at(recorded)
        surveyed = survey_at(recorded, rules)
        self._lacking |= surveyed.undecided
        plan = build_plan(surveyed.survey, self.trial.limits.brakes, self._circumstances(recorded.record.at))
        if recorded.record.complete:
            self._refused.update(refusal.brake for refusal in plan.refusals)
        self._mark(recorded, rules, surveyed, plan)
        items = () if plan.refusals else plan.items
        for item in items:
            self._delete(item, recorded, surveyed)
        if plan.fleet and {refusal.brake for refusal in plan.refusals} <= NEEDS_A_PERSON:
            self._before = FleetBefore(f"survey {recorded.record.id}", plan.fleet, len(items))
            self._before_at = recorded.record.at

    def _rules_at(self, recorded: RecordedSurvey) -> Rules:
        return replace(
            self.trial.rules,
            coverage=coverage_of(self.identity),
            exemptions=in_force_at(self.past.exemptions, recorded.record.target, recorded.record.at),
            marks=dict(self._marks.open),
        )

    def _circumstances(self, at: datetime) -> Circumstances:
        """Return the history of this replay at a moment, with what nbsweep really did besides."""
        before, orders = self._before, self.past.orders
        if before is not None and self._before_at is not None:
            really = count_deleted(orders, self._before_at, at, self.followed.keys())
            before = replace(before, deleted=before.deleted + really)
        mine = sum(at - A_DAY <= each.would_be.at <= at for each in self._all())
        requested = mine + count_requested(orders, at, self.followed.keys())
        return Circumstances(History(requested, before, ends_at(orders, at)), cool_down=self.trial.cool_down)

    def _mark(self, recorded: RecordedSurvey, rules: Rules, surveyed: Surveyed, plan: Plan) -> None:
        if not (rules.marks or surveyed.survey.awaiting):
            return
        rows = {key: row_of(recorded.notebooks[key]) for key in rules.marks.keys() & recorded.notebooks.keys()}
        seen = SurveyedMarks(self.identity, surveyed.survey, rows, rules, surveyed.moment, plan.refusals)
        self._marks.update(seen, self.trial.limits)

    def _delete(self, item: Candidate, recorded: RecordedSurvey, surveyed: Surveyed) -> None:
        notebook = item.notebook
        would_be = WouldBe(
            target=recorded.record.target,
            survey=recorded.record.id,
            at=recorded.record.at,
            notebook=notebook,
            policy=item.verdict.rule,
            reason=item.verdict.sentence,
            last_active=surveyed.moment.last_active.get(notebook.id),
            stop_first=item.verdict.stop_first,
        )
        self.followed.setdefault(notebook.id, []).append(Followed(would_be))

    def _labelled(self, followed: Followed, period: Period) -> Labelled:
        later = bisect_right(self._complete, followed.would_be.survey, key=itemgetter(0))
        times = [at for _, at in self._complete[later:]]
        after = Aftermath(followed.sightings, times, period.until, self.past)
        return label(followed.would_be, after, self.trial.rules, period.horizon)
