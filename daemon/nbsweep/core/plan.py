"""The verdicts of a survey in, a plan out: what may go, in which order, and whether a brake refuses it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.brakes import (
    Brakes,
    OnExcess,
    Refusal,
    describe_trim,
    judge_excess,
    judge_fall,
    judge_gaps,
    judge_skew,
    trim,
)
from nbsweep.core.cool_down import CoolDown, judge_cooling, streaks
from nbsweep.core.facts import Moment, idle_since
from nbsweep.core.listing.belonging import differs_from
from nbsweep.core.missing_facts import left_out
from nbsweep.core.model import AT_REST, MalformedRow, Named, Notebook, Scope
from nbsweep.core.policy import Decision, Reason, Rules, Verdict, judge, may_go
from nbsweep.core.runs import NO_HISTORY, History


class Candidate(Struct, frozen=True):
    """A notebook that may go, and why."""

    notebook: Notebook
    scope: Scope
    verdict: Verdict
    idle_since: datetime | None
    position: int = -1
    """Which row of its listing it was, from 0; -1 when that is unknown."""


class WorkspaceGap(Struct, frozen=True):
    """A workspace that refused to be listed; none of its notebooks is counted, and none is deleted."""

    scope: Scope
    problem: str
    """In the cloud's words."""

    def __str__(self) -> str:
        """Say which, and why."""
        return f"workspace {self.scope.workspace_id} ({self.scope.feature}): {self.problem}"


class Survey(Struct, frozen=True):
    """What one full listing of a target came to."""

    target: str
    taken_at: datetime
    fleet: int
    """How many notebooks there are, malformed rows included."""
    candidates: tuple[Candidate, ...] = ()
    kept: Mapping[Reason, int] = {}
    malformed: tuple[MalformedRow, ...] = ()
    gaps: tuple[str, ...] = ()
    """Why it is not complete; empty when it is."""
    refused: tuple[WorkspaceGap, ...] = ()
    """Workspaces that could not be listed; what was seen of the others is whole."""


class Circumstances(Struct, frozen=True):
    """What a plan depends on besides the survey."""

    history: History = NO_HISTORY
    skew_s: float | None = 0.0
    """How far this machine's clock is ahead of the cloud's; None when that is not known."""
    cool_down: CoolDown | None = None


ORDINARY = Circumstances()
"""Nothing is known of the past, and the clock is right."""


class Plan(Struct, frozen=True):
    """The ordered verdicts of one target that may go; permission to look again, not permission to delete."""

    target: str
    created_at: datetime
    fleet: int
    items: tuple[Candidate, ...]
    kept: Mapping[Reason, int]
    refusal: Refusal | None = None
    malformed: tuple[MalformedRow, ...] = ()
    trimmed: str = ""
    """What was left out for the brakes' sake, and by which; empty when nothing was."""
    refused: tuple[WorkspaceGap, ...] = ()
    """Workspaces that could not be listed."""
    cooling: Mapping[str, Verdict] = {}
    """By id: who would go, and is left alone for a while, each with until when and why."""
    project: str = ""
    """The endpoint and project that was surveyed, see `identity`."""

    @property
    def unseen(self) -> str:
        """Say what could not be looked at, where that is too much for a success; empty where it is not."""
        found = (describe_refused(self.refused), describe_malformed(self.malformed, self.fleet))
        return "; ".join(words for words in found if words)


NOBODY = Named()
OWNERS_NOTED = 3
"""So many owners are enough to tell that there are several."""


KEPT_PERHAPS_FOR_A_FACT = frozenset({Reason.UNKNOWN_FACT, Reason.RUNNING, Reason.FROZEN})
"""A policy that keeps what runs or is frozen may come after one that cannot be checked, and that would win."""


class Tally:
    """Adds up one listing row by row, and holds no more of it than the ids, their reasons, and what may go."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.reasons: dict[str, Reason] = {}
        """Why each id is kept, or may go."""
        self.nameless = 0
        """Rows without an id: they are counted, and cannot be told apart."""
        self.candidates: list[Candidate] = []
        self.malformed: list[MalformedRow] = []
        self.active: list[str] = []
        """Ids of those that are not at rest, for the journal to remember."""
        self.undecided: dict[str, int] = {}
        """Ids of those that may go once facts are known that the listing leaves out, and which row of it each was."""
        self.left_out: set[str] = set()
        """What it leaves out of each of those, in the API's own words."""
        self.owners: dict[str, str] = {}
        """By what tells them apart, the names of the first few whose rows it shows."""
        self.strays = 0
        """Rows of another workspace or feature than was asked for."""
        self.foreign = 0
        """How many of them are of another workspace."""
        self.first_stray = ""
        """What is other about the first of them."""

    @property
    def rows(self) -> int:
        """How many different rows there were."""
        return len(self.reasons) + self.nameless

    def add(self, row: Notebook | MalformedRow, scope: Scope, rules: Rules, moment: Moment) -> None:
        """Judge one row; one whose id is here already changes nothing."""
        if row.id is not None and row.id in self.reasons:
            return
        if isinstance(row, MalformedRow):
            self.malformed.append(row)
            if row.id is None:
                self.nameless += 1
            else:
                self.reasons[row.id] = Reason.MALFORMED
        elif difference := differs_from(row, scope):
            self.reasons[row.id] = Reason.ELSEWHERE
            self.strays += 1
            self.foreign += row.workspace_id not in (None, scope.workspace_id)
            self.first_stray = self.first_stray or difference
        else:
            self._judge(row, scope, rules, moment)

    def decide(self, shown: Notebook | None, notebook_id: str, scope: Scope, rules: Rules, moment: Moment) -> None:
        """Judge a row that was undecided by an answer about that notebook alone; None when it is no more.

        Its place in the listing is of no use: what the listing leaves out, a page of it leaves out as well.
        """
        del self.undecided[notebook_id]
        if shown is None:
            self.reasons[notebook_id] = Reason.ALREADY_DELETED
        elif differs_from(shown, scope):
            self.reasons[notebook_id] = Reason.ELSEWHERE
        else:
            verdict = judge(shown, rules, moment)
            self.reasons[notebook_id] = verdict.reason
            self._note_owner(shown)
            if shown.status not in AT_REST:
                self.active.append(notebook_id)
            if verdict.decision is Decision.DELETE:
                self.candidates.append(Candidate(shown, scope, verdict, idle_since(shown, moment)))

    def _note_owner(self, notebook: Notebook) -> None:
        if notebook.owner != NOBODY and len(self.owners) < OWNERS_NOTED:
            self.owners.setdefault(notebook.owner_key, notebook.owner_label)

    def _judge(self, notebook: Notebook, scope: Scope, rules: Rules, moment: Moment) -> None:
        verdict = judge(notebook, rules, moment)
        self.reasons[notebook.id] = verdict.reason
        self._note_owner(notebook)
        position = self.rows - 1
        if notebook.status not in AT_REST:
            self.active.append(notebook.id)
        if verdict.decision is Decision.DELETE:
            self.candidates.append(Candidate(notebook, scope, verdict, idle_since(notebook, moment), position))
        elif verdict.reason in KEPT_PERHAPS_FOR_A_FACT and may_go(notebook, rules, moment):
            missing = set(left_out(notebook))
            self.left_out = self.left_out & missing if self.undecided else missing
            self.undecided[notebook.id] = position


def join_tallies(target: str, taken_at: datetime, tallies: Iterable[Tally], gaps: Iterable[str]) -> Survey:
    """Make one survey of the listings of all scopes.

    A notebook that two of them show counts once, as it was seen first in a listing that was asked for it.
    """
    reasons: dict[str, Reason] = {}
    candidates: list[Candidate] = []
    malformed: list[MalformedRow] = []
    for tally in tallies:
        new = {key for key in tally.reasons if reasons.get(key, Reason.ELSEWHERE) is Reason.ELSEWHERE}
        candidates += [candidate for candidate in tally.candidates if candidate.notebook.id in new]
        malformed += [row for row in tally.malformed if row.id is None or row.id in new]
        reasons |= {key: reason for key, reason in tally.reasons.items() if key in new}
    kept = Counter(reasons.values())
    kept[Reason.MALFORMED] += sum(row.id is None for row in malformed)
    fleet = kept.total() - kept.pop(Reason.ALREADY_DELETED, 0) - kept[Reason.ELSEWHERE]
    del kept[Reason.POLICY]
    return Survey(target, taken_at, fleet, tuple(candidates), dict(+kept), tuple(malformed), tuple(gaps))


def build_plan(survey: Survey, brakes: Brakes, circumstances: Circumstances = ORDINARY) -> Plan:
    """Put the candidates in order, the longest idle first, leave out who cools down, and hold the rest against the brakes."""
    cooling = _cooling(survey, circumstances)
    warm = (candidate for candidate in survey.candidates if candidate.notebook.id not in cooling)
    items = tuple(sorted(warm, key=_longest_idle_first))
    kept = Counter(survey.kept)
    kept[Reason.COOLING_DOWN] += len(cooling)
    fleet, requested, trimmed = survey.fleet, circumstances.history.requested, ""
    refusal = _distrust(survey, brakes, circumstances)
    if refusal is None and brakes.on_excess is OnExcess.REFUSE:
        refusal = judge_excess([item.notebook for item in items], brakes, fleet, requested)
    elif refusal is None:
        within = trim([item.notebook for item in items], brakes, fleet, requested)
        trimmed = describe_trim(within, brakes, fleet, requested)
        kept[Reason.OVER_BRAKE] += len(items) - len(within.items)
        left = {notebook.id for notebook in within.items}
        items = tuple(item for item in items if item.notebook.id in left)
    plan = Plan(survey.target, survey.taken_at, survey.fleet, items, dict(+kept), refusal, survey.malformed)
    return replace(plan, trimmed=trimmed, cooling=cooling, refused=survey.refused)


def for_report(plan: Plan) -> Plan:
    """Return the plan with no more of each notebook than a report needs: its id, state, name, owner and disk."""
    return replace(plan, items=tuple(_for_report(item) for item in plan.items))


def _for_report(item: Candidate) -> Candidate:
    seen = item.notebook
    known = Notebook(seen.id, seen.status, seen.name, owner=seen.owner, volume=seen.volume, created_at=seen.created_at)
    return replace(item, notebook=known, verdict=replace(item.verdict, findings=()))


def _cooling(survey: Survey, circumstances: Circumstances) -> dict[str, Verdict]:
    """Say of each candidate that is left alone for a while, by its id, until when and why."""
    failing = streaks(circumstances.history.ends)
    judged = {
        candidate.notebook.id: judge_cooling(failing.get(candidate.notebook.id), circumstances.cool_down, survey.taken_at)
        for candidate in survey.candidates
    }
    return {notebook_id: verdict for notebook_id, verdict in judged.items() if verdict is not None}


def _distrust(survey: Survey, brakes: Brakes, circumstances: Circumstances) -> Refusal | None:
    """Refuse whatever would go when what was seen cannot be trusted."""
    return (
        judge_gaps(survey.gaps)
        or judge_skew(circumstances.skew_s)
        or judge_fall(survey.fleet, circumstances.history.before, brakes.max_fleet_drop, describe_refused(survey.refused))
    )


def describe_refused(refused: Sequence[WorkspaceGap]) -> str:
    """Name the workspaces that could not be listed; empty where there are none."""
    count = len({gap.scope.workspace_id for gap in refused})
    if not count:
        return ""
    return f"{count} workspace{'s' if count > 1 else ''} could not be listed: {'; '.join(map(str, refused))}"


def describe_malformed(malformed: Sequence[MalformedRow], fleet: int) -> str:
    """Say that half of the fleet or more cannot be read, which is no success; empty where it is less."""
    if not malformed or 2 * len(malformed) < fleet:
        return ""
    return f"{len(malformed)} of {fleet} notebooks cannot be read, and are kept: {malformed[0].problem}"


def _longest_idle_first(candidate: Candidate) -> tuple[bool, float, str]:
    since = candidate.idle_since or candidate.notebook.created_at
    return (since is None, since.timestamp() if since else 0.0, candidate.notebook.id)
