from typing import Any

from builders import NOON, ago, notebook, plan
from nbsweep.core.facts import Moment
from nbsweep.core.judging.verdict import Reason, keep
from nbsweep.core.model import Notebook, Status
from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.model import recorded
from nbsweep.core.saved_plan.changes import PlanChanges, changes_since
from unit.core.saved_plan.test_narrow import RULES, saved, surveyed


def number(each: int, **changes: Any) -> Notebook:
    """Return a notebook that the policies let go."""
    return notebook(each, **{"updated_at": ago(days=100), "lease": None, **changes})


def changes(items: list[Notebook], *rows: Notebook, planned: list[str] | None = None, **fields: Any) -> PlanChanges:
    """Hold a plan of today's rows, or of those that are named, against items that were saved."""
    found = surveyed(*rows).candidates
    chosen = [each for each in found if planned is None or each.notebook.id in planned]
    today = plan(*chosen, fleet=len(rows), **fields)
    return changes_since([saved(each) for each in items], today, {row.id: row for row in rows}, RULES, Moment(NOON))


def told(found: PlanChanges) -> dict[str, str]:
    """Return why each notebook would be kept."""
    return {each.item.id: describe(each.cause) for each in found.spared}


def test_a_plan_of_the_same_notebooks_has_not_changed() -> None:
    """Both still match; nothing is new."""
    found = changes([number(1), number(2)], number(1), number(2))
    assert (found.still, found.new, found.spared) == (2, (), ())


def test_a_notebook_that_matches_only_now_is_new() -> None:
    """The saved plan does not permit to delete it."""
    found = changes([number(1)], number(1), number(2))
    assert (found.still, [each.notebook.id for each in found.new], found.spared) == (1, ["nb2"], ())


def test_what_would_be_kept_says_why() -> None:
    """Gone, started, tagged since, and another notebook with the same ID."""
    found = changes(
        [number(1), number(2), number(3), number(4)],
        number(2, status=Status.RUNNING),
        number(3, tags={"keep": "yes"}),
        number(4, created_at=ago(days=150)),
    )
    reasons = told(found)
    assert (found.still, list(reasons)) == (0, ["nb1", "nb2", "nb3", "nb4"])
    assert "no longer" in reasons["nb1"]
    assert "STOPPED" in reasons["nb2"]
    assert "started again" in reasons["nb2"]
    assert "tags.keep" in reasons["nb3"]
    assert "another notebook" in reasons["nb4"]
    assert [each.notebook.id for each in found.new] == []


def test_a_notebook_that_still_matches_and_is_not_planned_is_not_called_gone() -> None:
    """It cools down after a failed deletion, or a brake has cut it from the plan."""
    cooling = {"nb1": keep(Reason.COOLING_DOWN, recorded("failed an hour ago"))}
    found = changes([number(1), number(2)], number(1), number(2), planned=[], cooling=cooling)
    assert told(found) == {"nb1": "failed an hour ago", "nb2": "a brake that trims has cut it from today's plan"}
