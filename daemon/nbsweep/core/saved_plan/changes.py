"""What has changed since a plan was saved: what is new, what still matches, and why the others would be kept."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.model import MalformedRow, Notebook
from nbsweep.core.planning.plan import Candidate, Plan, Survey
from nbsweep.core.policy import judge
from nbsweep.core.saved_plan.model import SavedItem, Spared
from nbsweep.core.saved_plan.narrow import NO_LONGER_THERE, OVER_BRAKE, permit


class PlanChanges(Struct, frozen=True):
    """A plan of now, held against a saved one."""

    plan: Plan
    new: tuple[Candidate, ...]
    """What the saved plan does not have, and so does not permit."""
    still: int
    """How many notebooks are in both."""
    spared: tuple[Spared, ...]
    """What the saved plan permits to delete, and would be kept now; with the reason."""


def changes_since(
    items: Sequence[SavedItem], plan: Plan, rows_by_id: Mapping[str, Notebook | MalformedRow], rules: Rules, moment: Moment
) -> PlanChanges:
    """Return what has changed since items were saved; `rows_by_id` has today's rows of these items."""
    saved = {item.id for item in items}
    survey = Survey(plan.target, plan.created_at, plan.fleet, plan.items, refused=plan.refused)
    found = permit(survey, items, rows_by_id, rules, moment).spared
    spared = tuple(_explained(each, plan, rows_by_id.get(each.item.id), rules, moment) for each in found)
    new = tuple(candidate for candidate in plan.items if candidate.notebook.id not in saved)
    return PlanChanges(plan, new, len(items) - len(spared), spared)


def _explained(each: Spared, plan: Plan, row: Notebook | MalformedRow | None, rules: Rules, moment: Moment) -> Spared:
    """Return why a notebook that still matches is not in the plan: a cool-down, or a brake that trimmed the plan."""
    if each.item.id in plan.cooling:
        return replace(each, cause=plan.cooling[each.item.id].cause)
    is_there = each.cause == NO_LONGER_THERE and isinstance(row, Notebook)
    if is_there and isinstance(row, Notebook) and judge(row, rules, moment).decision is Decision.DELETE:
        return replace(each, cause=OVER_BRAKE)
    return each
