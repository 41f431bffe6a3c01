"""Decides which marks a survey makes, confirms and clears, and what their owners are told. Pure.

A survey that cannot be trusted makes no mark and confirms none. A notebook that it does not show has gone only if it is
complete.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from nbsweep.core.facts import Moment
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.shown_marks import count_marks, mark_rules_of
from nbsweep.core.judging.verdict import Reason, Verdict
from nbsweep.core.marks.clearing import sign_of_use
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import (
    ClearCause,
    Mark,
    MarkState,
    clear,
    confirm,
    is_stale,
    mark_id,
    remove,
    renew_notice,
    tag_digests,
    verify_clock,
)
from nbsweep.core.model import MalformedRow, Notebook
from nbsweep.core.planning.brakes import Brakes, OnExcess, Refusal, judge_announcing, trim
from nbsweep.core.planning.plan import Candidate, MarkOutlook, Survey, longest_idle_first
from nbsweep.core.policy import judge
from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.keeping import encode_cause

MOST_NEW = 50


class MarkLimits(Struct, frozen=True):
    """The limits of marking."""

    brakes: Brakes
    max_new_per_sweep: int = MOST_NEW
    """New marks of one sweep; those of the longest idle notebooks come first, and the others wait for the next sweep."""


class SurveyedMarks(Struct, frozen=True):
    """What a survey says about marks."""

    identity: TargetIdentity
    survey: Survey
    rows: Mapping[str, Notebook | MalformedRow]
    """The row of each marked notebook that the survey has met, by id."""
    rules: Rules
    """The rules with the open marks of the project."""
    moment: Moment
    refusals: tuple[Refusal, ...] = ()
    """Why the survey or the clock cannot be trusted, or why a brake refuses the plan."""
    deleted: Mapping[str, str] = {}
    """The run that deleted a notebook of an open mark, by notebook id, as far as the journal knows."""
    looked_for: frozenset[str] | None = None
    """The ids of the notebooks whose rows the survey stored in `rows` if it met them; None for all. A mark that another process
    has made meanwhile is not among them."""

    @property
    def trusted(self) -> bool:
        """Whether the survey is complete and nothing refuses it."""
        return not (self.survey.gaps or self.survey.refused or self.refusals)

    def shows(self, mark: Mark) -> bool:
        """Return whether the survey must show the notebook of a mark if it still exists."""
        if self.looked_for is not None and mark.notebook_id not in self.looked_for:
            return False
        if self.identity.scope == "own" and mark.target != self.survey.target:
            return False
        return self.identity.covers(mark.workspace_id, mark.feature)


class Marking(Struct, frozen=True):
    """The result: what is written to the journal."""

    new: tuple[Mark, ...] = ()
    kept: tuple[Mark, ...] = ()
    """Open marks that have changed and stay open."""
    ended: tuple[Mark, ...] = ()
    """Marks that are cleared, or whose notebooks were deleted."""
    to_announce: tuple[Mark, ...] = ()
    """The marks among them whose owners are to be told."""
    told_before: frozenset[str] = frozenset()
    """The ids of those ended marks whose owners had been told."""
    again: frozenset[str] = frozenset()
    """The ids of cleared marks whose notebooks still match, so that a new mark, or the deletion, will follow."""
    refusals: tuple[Refusal, ...] = ()
    """One for each brake that refuses new marks."""
    waiting: int = 0
    """How many notebooks wait for a mark, because a limit leaves them to a later sweep."""


def mark_survey(seen: SurveyedMarks, limits: MarkLimits) -> Marking:
    """Return the marks that a survey makes, confirms and clears."""
    awaiting = {candidate.notebook.id: candidate for candidate in seen.survey.awaiting}
    matching = awaiting.keys() | {each.notebook.id for each in (*seen.survey.candidates, *seen.survey.held)}
    mine = [mark for mark in seen.rules.marks.values() if seen.shows(mark)]
    changes = [(mark, _looked_at(mark, seen, awaiting.get(mark.notebook_id))) for mark in mine]
    kept = [after for before, after in changes if after.open and after != before]
    ended = [after for _, after in changes if not after.open]
    still_open = [after for _, after in changes if after.open]
    new, refusals, waiting = _new_marks(seen, limits, still_open, awaiting)
    return Marking(
        new=tuple(new),
        kept=tuple(kept),
        ended=tuple(ended),
        to_announce=tuple(_to_announce([*still_open, *new], seen, awaiting)),
        told_before=frozenset(mark.id for mark in ended if mark.was_told),
        again=frozenset(mark.id for mark in ended if mark.notebook_id in matching and mark.cleared is not ClearCause.GONE),
        refusals=refusals,
        waiting=waiting,
    )


def outlook(seen: SurveyedMarks, marking: Marking) -> MarkOutlook:
    """Return the marks that a sweep finds, and what it does to them besides making new ones."""
    ended = {mark.id for mark in marking.ended}
    after = {mark.id: mark for mark in seen.rules.marks.values() if seen.shows(mark) and mark.id not in ended}
    after |= {mark.id: mark for mark in marking.kept}
    return MarkOutlook(
        graces=seen.rules.graces,
        totals=count_marks(after.values(), mark_rules_of(seen.rules), seen.moment.now),
        to_clear=sum(mark.cleared is not None for mark in marking.ended),
        waiting=marking.waiting,
        refusals=marking.refusals,
    )


# ---- known marks ----------------------------------------------------------------------------------------------------------


def _looked_at(mark: Mark, seen: SurveyedMarks, candidate: Candidate | None) -> Mark:
    """Return a mark after the survey: cleared, confirmed, or as it was."""
    row = seen.rows.get(mark.notebook_id)
    if row is None:
        return _not_met(mark, seen)
    if isinstance(row, MalformedRow):
        return mark
    verdict = judge(row, seen.rules.unannounced, seen.moment)
    if cause := clearing_cause(mark, row, verdict, seen.rules, seen.moment):
        return clear(mark, seen.moment.now, cause)
    grace = _grace_of(mark.policy, seen.rules)
    if grace is None or not seen.trusted or not _selects(candidate, mark):
        return mark
    return _confirmed(mark, grace, seen.moment.now)


def _selects(candidate: Candidate | None, mark: Mark) -> bool:
    """Return whether the survey still selects the notebook of a mark by the mark's policy."""
    return candidate is not None and candidate.verdict.rule == mark.policy


def _confirmed(mark: Mark, grace: Grace, now: datetime) -> Mark:
    """Return the mark of a notebook that a complete survey would still delete."""
    if mark.state is MarkState.MARKED:
        counted = mark.last_survey_at is not None and mark.last_survey_at >= now
        return mark if counted else confirm(mark, now, grace.tell)
    if is_stale(mark, grace, now):
        return renew_notice(mark, grace.tell)
    return mark if mark.clock_verified else verify_clock(mark, now)


def _not_met(mark: Mark, seen: SurveyedMarks) -> Mark:
    """Return the mark of a notebook that the survey does not show."""
    if not seen.trusted:
        return mark
    run_id = seen.deleted.get(mark.notebook_id)
    if run_id is not None and mark.state is MarkState.TOLD:
        return remove(mark, seen.moment.now, run_id)
    return clear(mark, seen.moment.now, ClearCause.GONE)


def clearing_cause(mark: Mark, row: Notebook, verdict: Verdict, rules: Rules, moment: Moment) -> ClearCause | None:
    """Return why a notebook that the survey shows is no longer to be deleted; None if it still is, or if that is unknown.

    `verdict` is that of the rules as if no policy had a grace.
    """
    if cause := sign_of_use(mark, row, moment):
        return cause
    tagged = row.tags is not None and tag_digests(row) != mark.tags
    if verdict.reason in (Reason.EXEMPT, Reason.PROTECTED):
        by_tag = tagged and verdict.reason is Reason.PROTECTED
        return ClearCause.TAGGED if by_tag else ClearCause(verdict.reason.value)
    if verdict.reason is Reason.POLICY and mark.deadline is not None and _grace_of(verdict.rule, rules) is None:
        # What was promised to the owner binds this policy too, so that the mark has to stay.
        return None
    if _policy_changed(mark, rules) or (verdict.reason is Reason.POLICY and verdict.rule != mark.policy):
        # Whatever keeps the notebook now, its mark can never become due.
        return ClearCause.POLICY_CHANGED
    if verdict.reason is Reason.NO_POLICY:
        return ClearCause.TAGGED if tagged else ClearCause.NO_LONGER_MATCHES
    return None


def _policy_changed(mark: Mark, rules: Rules) -> bool:
    """Return whether the policy of a mark was removed or edited, or has no grace any more."""
    policy = next((policy for policy in rules.policies if policy.name == mark.policy), None)
    return policy is None or policy.grace is None or policy.digest != mark.policy_digest


def _grace_of(policy: str, rules: Rules) -> Grace | None:
    return next((each.grace for each in rules.policies if each.name == policy), None)


# ---- new marks ------------------------------------------------------------------------------------------------------------


def _new_marks(
    seen: SurveyedMarks, limits: MarkLimits, still_open: Sequence[Mark], awaiting: Mapping[str, Candidate]
) -> tuple[list[Mark], tuple[Refusal, ...], int]:
    """Return new marks within all limits, the refusals of brakes, and how many notebooks wait for a later sweep."""
    fresh = sorted((each for each in awaiting.values() if _may_be_marked(each, seen.rules)), key=longest_idle_first)
    if not fresh or not seen.trusted or not limits.max_new_per_sweep:
        return [], (), len(fresh)
    matched = {
        candidate.notebook.id: candidate for candidate in (*seen.survey.candidates, *seen.survey.held, *awaiting.values())
    }
    before = [each for key in (mark.notebook_id for mark in still_open) if (each := matched.get(key))]
    allowed, refusals = _within_brakes([*before, *fresh], limits.brakes, seen.survey.fleet)
    taken = [each for each in fresh if each.notebook.id in allowed][: limits.max_new_per_sweep]
    return [_mark_of(each, seen) for each in taken], refusals, len(fresh) - len(taken)


def _may_be_marked(candidate: Candidate, rules: Rules) -> bool:
    notebook = candidate.notebook
    unmarked = notebook.id not in rules.marks and notebook.created_at is not None
    return unmarked and _grace_of(candidate.verdict.rule, rules) is not None


def _within_brakes(candidates: Sequence[Candidate], brakes: Brakes, fleet: int) -> tuple[frozenset[str], tuple[Refusal, ...]]:
    """Return the ids of the notebooks that may be marked: brakes bind over all that are marked, as they do over a plan.

    `max_per_day` does not apply: it counts DELETEs.
    """
    notebooks = [candidate.notebook for candidate in candidates]
    if brakes.on_excess is OnExcess.TRIM:
        return frozenset(notebook.id for notebook in trim(notebooks, _of_marks(brakes), fleet, 0).items), ()
    refusals = judge_announcing(notebooks, _of_marks(brakes), fleet)
    return frozenset() if refusals else frozenset(notebook.id for notebook in notebooks), refusals


def _of_marks(brakes: Brakes) -> Brakes:
    return Brakes(brakes.max_deletions, brakes.max_share, brakes.max_per_owner, brakes.on_excess)


def _mark_of(candidate: Candidate, seen: SurveyedMarks) -> Mark:
    notebook, verdict, now = candidate.notebook, candidate.verdict, seen.moment.now
    # That the notebook is not announced yet is no reason: the owner is told why the policy matches.
    cause = verdict.cause.because or verdict.cause
    policy = next(policy for policy in seen.rules.policies if policy.name == verdict.rule)
    created_at = notebook.created_at or now
    return Mark(
        id=mark_id(seen.identity.project, notebook.id, created_at, now),
        target=seen.survey.target,
        project=seen.identity.project,
        notebook_id=notebook.id,
        notebook_created_at=created_at,
        name=notebook.label,
        owner_id=notebook.owner.id or "",
        owner_name=notebook.owner.name or "",
        workspace_id=candidate.scope.workspace_id,
        feature=candidate.scope.feature,
        policy=policy.name,
        policy_digest=policy.digest,
        reason=describe(cause),
        cause=encode_cause(cause),
        status=notebook.status,
        updated_at=notebook.updated_at,
        lease_updated_at=notebook.lease.updated_at if notebook.lease else None,
        marked_at=now,
        last_survey_at=now,
        capacity_gb=notebook.volume.reclaimable_gb if notebook.volume else None,
        tell=policy.grace.tell if policy.grace else (),
        tags=tag_digests(notebook),
    )


# ---- what owners are told -------------------------------------------------------------------------------------------------


def _to_announce(marks: Iterable[Mark], seen: SurveyedMarks, awaiting: Mapping[str, Candidate]) -> Iterator[Mark]:
    """Yield the marks that enough surveys agree on, this one among them, and whose owners have not been told."""
    for mark in marks if seen.trusted else ():
        grace = _grace_of(mark.policy, seen.rules)
        selected = _selects(awaiting.get(mark.notebook_id), mark)
        if selected and grace and mark.state is MarkState.MARKED and mark.surveys >= grace.surveys:
            yield mark
