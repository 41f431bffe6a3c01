"""Counts the rows of a survey: judges each row, keeps those that may be deleted, and joins all listings into one survey."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.facts import Moment, idle_since
from nbsweep.core.inventory.recording import Listed, Recorder
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import AWAITING, Decision, Reason
from nbsweep.core.listing.belonging import differs_from
from nbsweep.core.matching.missing_facts import left_out
from nbsweep.core.model import AT_REST, MalformedRow, Named, Notebook, Scope, Status
from nbsweep.core.planning.matches import MatchCounts, count_matches
from nbsweep.core.planning.plan import Candidate, Survey
from nbsweep.core.policy import judge, may_go
from nbsweep.core.reasons.english import describe
from nbsweep.core.selection import Excluded

NOBODY = Named()
WAITING = AWAITING | {Reason.OUTSIDE_WINDOW, Reason.HELD_OUT}
"""Reasons for which a notebook that a policy would delete waits: for its owner, a window, or the end of the grace or a hold."""
OWNERS_NOTED = 3
"""The number of owners whose names are kept: enough to show that there are several."""


KEPT_PERHAPS_FOR_A_FACT = frozenset({Reason.UNKNOWN_FACT, Reason.RUNNING, Reason.FROZEN})
"""Reasons behind which a missing fact may stand: an earlier policy that cannot be checked might win with that fact."""


class Tally:
    """Counts one listing row by row; keeps only the ids, their reasons, and the candidates."""

    def __init__(self, *, counts_matches: bool = False, recorder: Recorder | None = None) -> None:
        """Start with no rows.

        `counts_matches` also counts the notebooks of each rule, which takes time; `recorder` collects what the inventory needs.
        """
        self.recorder = recorder
        self.matched: MatchCounts | None = Counter() if counts_matches else None
        self.reasons: dict[str, Reason] = {}
        """The reason of each verdict, by notebook id."""
        self.nameless = 0
        """The number of rows without an id."""
        self.candidates: list[Candidate] = []
        self.awaiting: list[Candidate] = []
        """Notebooks that would be candidates if their policies had no grace."""
        self.held: list[Candidate] = []
        """Notebooks that would be candidates if their policies had no holdout."""
        self.opens_at: datetime | None = None
        """When the next window opens, of notebooks that wait for one; None if none waits."""
        self.malformed: list[MalformedRow] = []
        self.excluded: list[Excluded] = []
        self.active: list[str] = []
        """Ids of notebooks that are not at rest, for the journal."""
        self.undecided: dict[str, int] = {}
        """The row of each notebook that needs facts which the listing leaves out, by notebook id."""
        self.left_out: set[str] = set()
        """The fields that the listing leaves out of each of those, as the API names them."""
        self.owners: dict[str, str] = {}
        """The names of the first few owners, by their key."""
        self.strays = 0
        """The number of rows of another workspace or feature."""
        self.foreign = 0
        """The number of rows of another workspace."""
        self.first_stray = ""
        """How the first of those rows differs."""

    @property
    def rows(self) -> int:
        """The number of different rows."""
        return len(self.reasons) + self.nameless

    def add(self, row: Notebook | MalformedRow, scope: Scope, rules: Rules, moment: Moment) -> None:
        """Judge and count one row; a row with a known id changes nothing."""
        if row.id is not None and row.id in self.reasons:
            return
        if isinstance(row, MalformedRow):
            self.malformed.append(row)
            if row.id is None:
                self.nameless += 1
            else:
                self.reasons[row.id] = Reason.MALFORMED
                if self.recorder is not None:
                    self.recorder.see_unread(row.id, scope)
        elif difference := differs_from(row, scope):
            self.reasons[row.id] = Reason.ELSEWHERE
            self.strays += 1
            self.foreign += row.workspace_id not in (None, scope.workspace_id)
            self.first_stray = self.first_stray or describe(difference)
        else:
            self._judge(row, scope, rules, moment)

    def decide(self, shown: Notebook | None, notebook_id: str, scope: Scope, rules: Rules, moment: Moment) -> None:
        """Judge an undecided row by an answer about that notebook; `shown` is None if the notebook is gone.

        Its row is not kept: a page of the listing would leave out the same facts again.
        """
        del self.undecided[notebook_id]
        if self.recorder is not None:
            self.recorder.forget(notebook_id)
        if shown is None:
            self.reasons[notebook_id] = Reason.ALREADY_DELETED
        elif differs_from(shown, scope):
            self.reasons[notebook_id] = Reason.ELSEWHERE
        else:
            verdict = judge(shown, rules, moment)
            self.reasons[notebook_id] = verdict.reason
            self._count_matches(shown, rules, moment)
            self._note_owner(shown)
            if shown.status not in AT_REST:
                self.active.append(notebook_id)
            self._take(Candidate(shown, scope, verdict, idle_since(shown, moment)), rules, moment)
            self._record(shown, scope, verdict.reason, moment)

    def _take(self, candidate: Candidate, rules: Rules, moment: Moment) -> None:
        """Keep a candidate, or one that would be a candidate if its policy had no grace."""
        if candidate.verdict.decision is Decision.DELETE:
            self.candidates.append(candidate)
        elif candidate.verdict.reason is Reason.OUTSIDE_WINDOW:
            self.opens_at = earliest(self.opens_at, candidate.verdict.until)
        elif candidate.verdict.reason is Reason.HELD_OUT:
            self.held.append(candidate)
        elif candidate.verdict.reason in AWAITING:
            verdict = judge(candidate.notebook, rules.unannounced, moment)
            self.awaiting.append(replace(candidate, verdict=verdict))

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
        if verdict.reason is Reason.EXCLUDED:
            self.excluded.append(Excluded(notebook.id, notebook.name, rules.selection.by))
        if verdict.decision is Decision.DELETE or verdict.reason in WAITING:
            self._take(Candidate(notebook, scope, verdict, idle_since(notebook, moment), position), rules, moment)
        elif verdict.reason in KEPT_PERHAPS_FOR_A_FACT and may_go(notebook, rules, moment):
            missing = set(left_out(notebook))
            self.left_out = self.left_out & missing if self.undecided else missing
            self.undecided[notebook.id] = position
        if notebook.id not in self.undecided:
            self._count_matches(notebook, rules, moment)
        self._record(notebook, scope, verdict.reason, moment)

    def _record(self, notebook: Notebook, scope: Scope, reason: Reason, moment: Moment) -> None:
        """Pass a row on to the inventory; an undecided one may be replaced later."""
        if self.recorder is not None and reason is not Reason.ALREADY_DELETED:
            provisional = notebook.id in self.undecided
            self.recorder.see(notebook, scope, moment.last_active.get(notebook.id), provisional=provisional)

    def _count_matches(self, notebook: Notebook, rules: Rules, moment: Moment) -> None:
        if self.matched is not None and notebook.status is not Status.DELETED:
            count_matches(notebook, rules, moment, self.matched)


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the earlier of two moments, of which any may be missing."""
    return min(one, other) if one and other else one or other


NOT_SHOWN = frozenset({Reason.ELSEWHERE, Reason.ALREADY_DELETED})
"""Reasons of rows that show no notebook of their listing."""


def listed_in(tally: Tally) -> Listed | None:
    """Return what a listing has shown to the inventory; None if nothing is recorded."""
    if tally.recorder is None:
        return None
    return Listed(tally.recorder, tuple(key for key, reason in tally.reasons.items() if reason not in NOT_SHOWN))


def join_tallies(target: str, taken_at: datetime, tallies: Iterable[Tally], gaps: Iterable[str]) -> Survey:
    """Join the listings of all scopes into one survey.

    A notebook that is in two listings counts once, as the first listing of its own scope shows it.
    """
    reasons: dict[str, Reason] = {}
    candidates: list[Candidate] = []
    awaiting: list[Candidate] = []
    held: list[Candidate] = []
    opens_at: datetime | None = None
    malformed: list[MalformedRow] = []
    excluded: list[Excluded] = []
    for tally in tallies:
        opens_at = earliest(opens_at, tally.opens_at)
        new = {key for key in tally.reasons if reasons.get(key, Reason.ELSEWHERE) is Reason.ELSEWHERE}
        candidates += [candidate for candidate in tally.candidates if candidate.notebook.id in new]
        awaiting += [candidate for candidate in tally.awaiting if candidate.notebook.id in new]
        held += [candidate for candidate in tally.held if candidate.notebook.id in new]
        malformed += [row for row in tally.malformed if row.id is None or row.id in new]
        excluded += [each for each in tally.excluded if each.id in new]
        reasons |= {key: reason for key, reason in tally.reasons.items() if key in new}
    kept = Counter(reasons.values())
    kept[Reason.MALFORMED] += sum(row.id is None for row in malformed)
    fleet = kept.total() - kept.pop(Reason.ALREADY_DELETED, 0) - kept[Reason.ELSEWHERE]
    del kept[Reason.POLICY]
    survey = Survey(target, taken_at, fleet, tuple(candidates), dict(+kept), tuple(malformed), tuple(gaps), (), tuple(excluded))
    return replace(survey, awaiting=tuple(awaiting), held=tuple(held), opens_at=opens_at)
