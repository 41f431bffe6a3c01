"""Builds a plan from the verdicts of a survey: the notebooks to delete in order, or the brakes that refuse the plan."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.judging.verdict import Reason, Verdict
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.shown import MarkTotals
from nbsweep.core.model import MalformedRow, Notebook, Scope
from nbsweep.core.planning.brakes import (
    Brakes,
    OnExcess,
    Refusal,
    describe_trim,
    judge_drop,
    judge_excess,
    judge_gaps,
    judge_skew,
    trim,
)
from nbsweep.core.planning.cool_down import CoolDown, judge_cooling, streaks
from nbsweep.core.planning.matches import RuleMatch
from nbsweep.core.reasons.sentences.brakes import BrakeCode
from nbsweep.core.reasons.statement import SEVERAL, Statement
from nbsweep.core.reasons.statement_wordings import describe_statement
from nbsweep.core.runs import NO_HISTORY, History
from nbsweep.core.selection import Excluded


class Candidate(Struct, frozen=True):
    """A notebook that may be deleted, and its verdict."""

    notebook: Notebook
    scope: Scope
    verdict: Verdict
    idle_since: datetime | None
    position: int = -1
    """Its row in the listing, from 0; -1 if it is unknown."""


class WorkspaceGap(Struct, frozen=True):
    """A workspace that cannot be listed; none of its notebooks is counted or deleted."""

    scope: Scope
    problem: str
    """The cloud's answer."""

    def __str__(self) -> str:
        """Return the workspace, the feature and the problem."""
        return f"workspace {self.scope.workspace_id} ({self.scope.feature}): {self.problem}"


class Survey(Struct, frozen=True):
    """The result of one full listing of a target."""

    target: str
    taken_at: datetime
    fleet: int
    """The number of notebooks, malformed rows included."""
    candidates: tuple[Candidate, ...] = ()
    kept: Mapping[Reason, int] = {}
    malformed: tuple[MalformedRow, ...] = ()
    gaps: tuple[str, ...] = ()
    """Why the survey is not complete; empty if it is."""
    refused: tuple[WorkspaceGap, ...] = ()
    """Workspaces that could not be listed; the listings of the other workspaces are complete."""
    excluded: tuple[Excluded, ...] = ()
    """The notebooks that a person has excluded."""
    matched: tuple[RuleMatch, ...] = ()
    """How many notebooks each rule matches; empty if that was not counted."""
    awaiting: tuple[Candidate, ...] = ()
    """Notebooks that a policy with grace matches, and that are not due yet; with the verdict as if it had no grace."""
    opens_at: datetime | None = None
    """When the next window opens, of notebooks that wait for one; None if none waits, or none opens within a year."""
    held: tuple[Candidate, ...] = ()
    """Notebooks that are held out; with the verdict that keeps them."""


class Circumstances(Struct, frozen=True):
    """What a plan depends on besides the survey."""

    history: History = NO_HISTORY
    skew_s: float | None = 0.0
    """How far this machine's clock is ahead of the cloud's, in seconds; None if that is unknown."""
    cool_down: CoolDown | None = None


ORDINARY = Circumstances()
"""No history, and a correct clock."""


class MarkOutlook(Struct, frozen=True):
    """The marks of a target at a survey, and what its sweep does to them besides making new ones."""

    graces: Mapping[str, Grace] = {}
    """The grace of each policy that has one."""
    totals: MarkTotals = MarkTotals()
    """The open marks, without those that the sweep makes or ends."""
    to_clear: int = 0
    """How many marks the sweep clears."""
    waiting: int = 0
    """How many notebooks wait for a mark, because a limit or a brake leaves them to a later sweep."""
    refusals: tuple[Refusal, ...] = ()
    """One for each brake that refuses new marks."""


NO_MARKS = MarkOutlook()
"""No policy has a grace, and nothing is marked."""


class Plan(Struct, frozen=True):
    """The notebooks of one target to delete, in order. Each is read and decided again before its DELETE."""

    target: str
    created_at: datetime
    fleet: int
    items: tuple[Candidate, ...]
    kept: Mapping[Reason, int]
    refusals: tuple[Refusal, ...] = ()
    """One for each brake that refuses the plan."""
    malformed: tuple[MalformedRow, ...] = ()
    cut: Statement | None = None
    """What the brakes have cut from the plan; None if they cut nothing."""
    refused: tuple[WorkspaceGap, ...] = ()
    """Workspaces that could not be listed."""
    cooling: Mapping[str, Verdict] = {}
    """The verdicts of notebooks that are left alone during a cool-down, by notebook id."""
    project: str = ""
    """The endpoint and project of the survey, see `identity`."""
    excluded: tuple[Excluded, ...] = ()
    """The notebooks that a person has excluded."""
    policies: tuple[str, ...] = ()
    """The policies that the plan is restricted to; empty for all."""
    matched: tuple[RuleMatch, ...] = ()
    """How many notebooks each rule matches; empty if that was not counted."""
    to_mark: tuple[Candidate, ...] = ()
    """The notebooks that this sweep marks, the longest idle first, in case nobody else writes marks meanwhile."""
    marks: MarkOutlook = NO_MARKS
    """The other marks."""
    opens_at: datetime | None = None
    """When the next window opens, of notebooks that wait for one."""
    handed_over: int = 0
    """How many items were handed to the executor, and are not among `items` any more."""

    @property
    def refusal(self) -> Refusal | None:
        """The first refusal; None if no brake refuses the plan."""
        return self.refusals[0] if self.refusals else None

    @property
    def trimmed(self) -> str:
        """What the brakes have cut from the plan, in English; empty if they cut nothing."""
        return describe_statement(self.cut) if self.cut else ""

    @property
    def planned(self) -> int:
        """How many notebooks may go, or could go before they were handed over."""
        return len(self.items) + self.handed_over

    @property
    def unseen(self) -> tuple[Statement, ...]:
        """What could not be read, if that is too much for a success."""
        return tuple(filter(None, (describe_refused(self.refused), describe_malformed(self.malformed, self.fleet))))


def build_plan(survey: Survey, brakes: Brakes, circumstances: Circumstances = ORDINARY) -> Plan:
    """Order the candidates, the longest idle first, leave out those in a cool-down, and apply the brakes."""
    cooling = _cooling(survey, circumstances)
    warm = (candidate for candidate in survey.candidates if candidate.notebook.id not in cooling)
    items = tuple(sorted(warm, key=longest_idle_first))
    kept = Counter(survey.kept)
    kept[Reason.COOLING_DOWN] += len(cooling)
    fleet, requested, trimmed = survey.fleet, circumstances.history.requested, None
    refusals = _distrust(survey, brakes, circumstances)
    if brakes.on_excess is OnExcess.REFUSE:
        known = None if survey.gaps else fleet
        refusals += judge_excess([item.notebook for item in items], brakes, known, requested)
    elif not refusals:
        within = trim([item.notebook for item in items], brakes, fleet, requested)
        trimmed = describe_trim(within, brakes, fleet, requested)
        kept[Reason.OVER_BRAKE] += len(items) - len(within.items)
        left = {notebook.id for notebook in within.items}
        items = tuple(item for item in items if item.notebook.id in left)
    plan = Plan(survey.target, survey.taken_at, survey.fleet, items, dict(+kept), refusals, survey.malformed)
    return replace(
        plan,
        cut=trimmed,
        opens_at=survey.opens_at,
        cooling=cooling,
        refused=survey.refused,
        excluded=survey.excluded,
        matched=survey.matched,
    )


def _cooling(survey: Survey, circumstances: Circumstances) -> dict[str, Verdict]:
    """Return the verdict of each candidate in a cool-down, by notebook id."""
    failing = streaks(circumstances.history.ends)
    judged = {
        candidate.notebook.id: judge_cooling(failing.get(candidate.notebook.id), circumstances.cool_down, survey.taken_at)
        for candidate in survey.candidates
    }
    return {notebook_id: verdict for notebook_id, verdict in judged.items() if verdict is not None}


def _distrust(survey: Survey, brakes: Brakes, circumstances: Circumstances) -> tuple[Refusal, ...]:
    """Return a refusal for each reason why the survey or the clock cannot be trusted."""
    hidden = describe_refused(survey.refused)
    # An incomplete survey does not show the size of the fleet, so it shows no drop either.
    drop = None if survey.gaps else judge_drop(survey.fleet, circumstances.history.before, brakes.max_fleet_drop, hidden)
    return tuple(filter(None, (judge_gaps(survey.gaps), judge_skew(circumstances.skew_s), drop)))


def describe_refused(refused: Sequence[WorkspaceGap]) -> Statement | None:
    """Return the workspaces that could not be listed; None if there are none."""
    count = len({gap.scope.workspace_id for gap in refused})
    if not count:
        return None
    workspaces = SEVERAL.join(f"{gap.scope.workspace_id} ({gap.scope.feature}): {gap.problem}" for gap in refused)
    return Statement(BrakeCode.WORKSPACES_HIDDEN, {"hidden": count, "workspaces": workspaces})


def describe_malformed(malformed: Sequence[MalformedRow], fleet: int) -> Statement | None:
    """Return that half of the fleet or more cannot be read, which is no success; None if it is less."""
    if not malformed or 2 * len(malformed) < fleet:
        return None
    count, problem = len(malformed), malformed[0].problem
    return Statement(BrakeCode.ROWS_UNREADABLE, {"count": count, "fleet": fleet, "problem": problem})


def longest_idle_first(candidate: Candidate) -> tuple[bool, float, str]:
    """Return the key that sorts candidates: the longest idle first, and last those whose idle time is unknown."""
    since = candidate.idle_since or candidate.notebook.created_at
    return (since is None, since.timestamp() if since else 0.0, candidate.notebook.id)
