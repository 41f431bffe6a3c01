"""A saved plan as permission: the current survey, narrowed to what the plan permits, and the notebooks that are spared.

Today's rules decide again, so a saved plan can only remove candidates: a notebook is deleted if it was planned then and may be
deleted now. It must be the same notebook, with the same id and date of creation. The policy that matches now is recorded.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.model import AT_REST, MalformedRow, Notebook, Status
from nbsweep.core.planning.plan import Candidate, Survey, WorkspaceGap
from nbsweep.core.policy import judge
from nbsweep.core.reasons.model import Cause, CauseCode
from nbsweep.core.saved_plan.model import SavedItem, Spared
from nbsweep.core.second_look import why_no_longer

NO_LONGER_THERE = Cause(CauseCode.NO_LONGER_THERE)
OVER_BRAKE = Cause(CauseCode.CUT_FROM_PLAN)
IN_USE = frozenset({Status.RUNNING, Status.STARTING})


class Permission(Struct, frozen=True):
    """The part of today's survey that a saved plan permits."""

    survey: Survey
    """The survey without the candidates that the plan does not permit; those count as kept, `not-in-plan`."""
    spared: tuple[Spared, ...]
    """In the order of the saved plan."""


def permit(
    survey: Survey, items: Sequence[SavedItem], rows_by_id: Mapping[str, Notebook | MalformedRow], rules: Rules, moment: Moment
) -> Permission:
    """Narrow a survey to the items of a saved plan; `rows_by_id` has today's rows of these items."""
    candidates = {candidate.notebook.id: candidate for candidate in survey.candidates}
    closed = {gap.scope.workspace_id: _not_looked_at(gap) for gap in survey.refused}
    spared = []
    permitted = set()
    for item in items:
        candidate = candidates.get(item.id)
        hidden = closed.get(item.workspace) if candidate is None else None
        why = _why_changed(item, candidate) if candidate else hidden or _why_kept(item, rows_by_id.get(item.id), rules, moment)
        if why is None:
            permitted.add(item.id)
        else:
            spared.append(Spared(item, why))
    return Permission(_narrowed(survey, permitted), tuple(spared))


def left_out_of_plan(
    items: Sequence[SavedItem], permission: Permission, planned: Collection[str], cooling: Mapping[str, Verdict]
) -> Iterator[Spared]:
    """Yield the permitted items that are not in the final plan, because they are cooling down or a brake trimmed the plan."""
    spared = {each.item.id for each in permission.spared}
    for item in items:
        if item.id not in spared and item.id not in planned:
            yield Spared(item, cooling[item.id].cause if item.id in cooling else OVER_BRAKE)


def _narrowed(survey: Survey, permitted: set[str]) -> Survey:
    candidates = tuple(candidate for candidate in survey.candidates if candidate.notebook.id in permitted)
    left_out = len(survey.candidates) - len(candidates)
    kept = {**survey.kept, Reason.NOT_IN_PLAN: left_out} if left_out else survey.kept
    return replace(survey, candidates=candidates, kept=kept)


def _not_looked_at(gap: WorkspaceGap) -> Cause:
    scope = gap.scope
    params = {"workspace": scope.workspace_id, "feature": scope.feature, "problem": gap.problem}
    return Cause(CauseCode.NOT_LOOKED_AT, params=params)


def _why_changed(item: SavedItem, candidate: Candidate) -> Cause | None:
    """Return how a candidate of today differs from the saved item; None if it may be deleted as planned."""
    if other := _why_another(item, candidate.notebook):
        return other
    if candidate.verdict.stop_first and not item.stop_first:
        return Cause(CauseCode.STARTED_WITHOUT_STOP, params={"before": item.evidence.status.value})
    return None


def _why_another(item: SavedItem, notebook: Notebook) -> Cause | None:
    before, now = item.evidence.created_at, notebook.created_at
    if before is None or now is None:
        return Cause(CauseCode.CREATION_NOT_PLANNED if before is None else CauseCode.CREATION_NOT_SHOWN)
    if before != now:
        params = {"planned_created_at": before.isoformat(), "created_at": now.isoformat()}
        return Cause(CauseCode.ANOTHER_NOTEBOOK, params=params)
    return None


def _why_kept(item: SavedItem, row: Notebook | MalformedRow | None, rules: Rules, moment: Moment) -> Cause:
    """Return why a saved item is not among today's candidates."""
    if row is None:
        return NO_LONGER_THERE
    if isinstance(row, MalformedRow):
        return Cause(CauseCode.ROW_UNREADABLE, params={"problem": row.problem})
    verdict = judge(row, rules, moment)
    if verdict.decision is Decision.DELETE:
        # Its row was on a page that was read again, and it was gone by then.
        return NO_LONGER_THERE
    cause = _cause(item, row, verdict, rules, moment)
    before = item.evidence.status
    if row.status in IN_USE and before in AT_REST:
        params = {"before": before.value, "status": row.status.value}
        return Cause(CauseCode.STARTED_SINCE, params=params, because=cause)
    return cause


def _cause(item: SavedItem, row: Notebook, verdict: Verdict, rules: Rules, moment: Moment) -> Cause:
    known = {policy.name for policy in rules.policies}
    if verdict.reason is Reason.NO_POLICY and item.policy in known:
        return why_no_longer(row, rules, item.policy, moment)
    return verdict.cause
