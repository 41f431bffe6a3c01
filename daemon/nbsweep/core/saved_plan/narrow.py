"""A saved plan as permission: the current survey, narrowed to what the plan permits, and the notebooks that are spared.

Today's rules decide again, so a saved plan can only remove candidates: a notebook is deleted if it was planned then and may be
deleted now. It must be the same notebook, with the same id and date of creation. The policy that matches now is recorded.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.facts import Moment
from nbsweep.core.model import AT_REST, MalformedRow, Notebook, Status
from nbsweep.core.planning.plan import Candidate, Survey
from nbsweep.core.policy import Decision, Reason, Rules, Verdict, judge
from nbsweep.core.saved_plan.model import SavedItem, Spared
from nbsweep.core.second_look import why_no_longer

NO_LONGER_THERE = "no longer there: today's survey does not show it"
OVER_BRAKE = "a brake that trims has cut it from today's plan"
DATE = "%Y-%m-%d %H:%M:%SZ"
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
    closed = {gap.scope.workspace_id: f"not looked at: {gap}" for gap in survey.refused}
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
            yield Spared(item, cooling[item.id].sentence if item.id in cooling else OVER_BRAKE)


def _narrowed(survey: Survey, permitted: set[str]) -> Survey:
    candidates = tuple(candidate for candidate in survey.candidates if candidate.notebook.id in permitted)
    left_out = len(survey.candidates) - len(candidates)
    kept = {**survey.kept, Reason.NOT_IN_PLAN: left_out} if left_out else survey.kept
    return replace(survey, candidates=candidates, kept=kept)


def _why_changed(item: SavedItem, candidate: Candidate) -> str | None:
    """Describe how a candidate of today differs from the saved item; None if it may be deleted as planned."""
    if other := _why_another(item, candidate.notebook):
        return other
    if candidate.verdict.stop_first and not item.stop_first:
        return f"started again since: it was {item.evidence.status}, and the plan does not say to stop it"
    return None


def _why_another(item: SavedItem, notebook: Notebook) -> str | None:
    before, now = item.evidence.created_at, notebook.created_at
    if before is None or now is None:
        when = "in the plan" if before is None else "today"
        return f"its date of creation is missing {when}, so that it cannot be shown to be the same notebook"
    if before != now:
        return f"another notebook has its id: the one in the plan was created on {before:{DATE}}, this one on {now:{DATE}}"
    return None


def _why_kept(item: SavedItem, row: Notebook | MalformedRow | None, rules: Rules, moment: Moment) -> str:
    """Describe why a saved item is not among today's candidates."""
    if row is None:
        return NO_LONGER_THERE
    if isinstance(row, MalformedRow):
        return f"its row cannot be read today: {row.problem}"
    verdict = judge(row, rules, moment)
    if verdict.decision is Decision.DELETE:
        # Its row was on a page that was read again, and it was gone by then.
        return NO_LONGER_THERE
    sentence = _sentence(item, row, verdict, rules, moment)
    if row.status in IN_USE and item.evidence.status in AT_REST:
        return f"started again since: it was {item.evidence.status}, and is {row.status} ({sentence})"
    return sentence


def _sentence(item: SavedItem, row: Notebook, verdict: Verdict, rules: Rules, moment: Moment) -> str:
    known = {policy.name for policy in rules.policies}
    if verdict.reason is Reason.NO_POLICY and item.policy in known:
        return why_no_longer(row, rules, item.policy, moment)
    return verdict.sentence
