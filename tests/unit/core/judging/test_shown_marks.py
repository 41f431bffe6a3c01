"""Marks as people see them: which are due, and which a holdout or an exemption keeps."""

from datetime import timedelta
from fractions import Fraction

import pytest
from msgspec.structs import replace

from builders import NOON, ago, announcing, exemption, mark, rules, told_mark
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.holdout.model import Hold, Holdout
from nbsweep.core.judging.shown_marks import MarkRules, count_marks, mark_rules, mark_rules_of, show_mark
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.marks.shown import MarkTotals, ShownState

WEEK = {"old": Grace(timedelta(days=7))}
DAYS_30 = timedelta(days=30)
TENTH = {"old": Holdout(Fraction(1, 10), DAYS_30)}
"""Takes nb1 of the notebooks from nb1 to nb4."""
PASSED = ago(hours=20)
END = NOON + timedelta(days=9)


def knowing(*exemptions: Exemption, holds: tuple[Hold, ...] = ()) -> MarkRules:
    """Return rules with a grace of a week and a holdout of a tenth."""
    by_project: dict[str, dict[str, Hold]] = {}
    for hold in holds:
        by_project.setdefault(hold.project, {})[hold.notebook_id] = hold
    return mark_rules(WEEK, TENTH, by_project, exemptions)


def hold_of(held: Mark, **changes: object) -> Hold:
    """Return the hold of a marked notebook that began when its grace ended."""
    plain = Hold(
        held.project,
        held.notebook_id,
        held.notebook_created_at,
        PASSED,
        PASSED + DAYS_30,
        held.target,
        held.policy,
        held.name,
        held.owner_label,
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    "exempt",
    [
        exemption(notebook_id="nb2"),
        exemption(notebook_id="nb2", notebook_created_at=mark(2).notebook_created_at),
        exemption(owner="ALICE"),
        exemption(name="experiment-*"),
        exemption(notebook_id="nb2", target="research"),
    ],
    ids=["notebook", "instance", "owner", "name", "target"],
)
def test_a_due_mark_whose_notebook_was_exempted_is_exempt(exempt: Exemption) -> None:
    """Until the next sweep clears it; by notebook, owner or name, on its target."""
    shown = show_mark(told_mark(2), knowing(exempt), NOON)
    assert (shown.state, shown.due_at, shown.exempt_until) == (ShownState.EXEMPT, END, END)


@pytest.mark.parametrize(
    "other",
    [
        exemption(notebook_id="nb3"),
        exemption(notebook_id="nb2", notebook_created_at=ago(days=1)),
        exemption(owner="bob"),
        exemption(notebook_id="nb2", target="training"),
        exemption(notebook_id="nb2", until=NOON),
        exemption(notebook_id="nb2", revoked_at=ago(hours=1)),
    ],
    ids=["another notebook", "another instance", "another owner", "another target", "ended", "revoked"],
)
def test_an_exemption_of_something_else_or_one_that_has_ended_leaves_a_mark_due(other: Exemption) -> None:
    """The deadline that was told is the time from which it may be deleted."""
    shown = show_mark(told_mark(2), knowing(other), NOON)
    assert (shown.state, shown.due_at, shown.exempt_until) == (ShownState.DUE, PASSED, None)


def test_whether_an_exemption_covers_a_notebook_without_a_known_name_is_uncertain_so_its_mark_stays_due() -> None:
    """Only what is certain is said; the sweep keeps the notebook all the same."""
    assert show_mark(told_mark(2, name=""), knowing(exemption(name="experiment-*")), NOON).state is ShownState.DUE


def test_a_deadline_after_the_end_of_the_exemption_is_the_later_one_that_counts() -> None:
    """And a mark about which nobody was told yet has no such time."""
    deadline = NOON + timedelta(days=12)
    shown = show_mark(told_mark(2, told_at=ago(days=1), deadline=deadline), knowing(exemption(notebook_id="nb2")), NOON)
    assert (shown.state, shown.due_at) == (ShownState.EXEMPT, deadline)
    untold = show_mark(mark(2), knowing(exemption(notebook_id="nb2")), NOON)
    assert (untold.state, untold.due_at) == (ShownState.EXEMPT, None)


def test_marks_are_counted_by_what_keeps_their_notebooks() -> None:
    """Only what a sweep would delete is due: not nb1, which is one of the share, and not nb3, which was exempted."""
    marks = [told_mark(1), told_mark(2), told_mark(3, untold="no address"), mark(4, untold="no address")]
    assert count_marks(marks, knowing(exemption(notebook_id="nb3")), NOON) == MarkTotals(
        marked=1, due=1, untold=1, held_out=1, exempt=1
    )
    assert count_marks(marks, MarkRules(WEEK), NOON) == MarkTotals(marked=1, due=3, untold=1)


def test_a_told_mark_of_the_share_is_no_next_due_one_at_its_deadline() -> None:
    """It is spared for the time of the holdout first."""
    marks = [told_mark(number, told_at=ago(days=1), deadline=NOON + timedelta(days=6)) for number in (1, 2)]
    assert count_marks(marks[:1], knowing(), NOON) == MarkTotals(told=1, next_due=NOON + timedelta(days=36))
    assert count_marks(marks, knowing(), NOON) == MarkTotals(told=2, next_due=NOON + timedelta(days=6))


def test_after_the_end_of_its_holdout_a_mark_is_due() -> None:
    """By the record of the sweep that held it out; all states together are the open marks."""
    over = hold_of(told_mark(1), since=ago(days=40), until=ago(days=10))
    marked = told_mark(1, marked_at=ago(days=60))
    counted = count_marks([marked], knowing(holds=(over,)), NOON)
    assert (counted, counted.open) == (MarkTotals(due=1), 1)
    again = count_marks([told_mark(1), told_mark(2)], knowing(exemption(notebook_id="nb2")), NOON)
    assert (again.held_out, again.exempt, again.open) == (1, 1, 2)


def test_the_rules_of_a_sweep_know_its_exemptions_and_holds() -> None:
    """So that a sweep counts marks as the pages do."""
    spared = replace(announcing(), holdout=TENTH["old"])
    over = hold_of(told_mark(1), since=ago(days=40), until=ago(days=10))
    of_sweep = replace(rules(spared), holds={"nb1": over}, exemptions=(exemption(notebook_id="nb2"),))
    marks = [told_mark(1, marked_at=ago(days=60)), told_mark(2)]
    assert count_marks(marks, mark_rules_of(of_sweep), NOON) == MarkTotals(due=1, exempt=1)
