"""The view of `marks`."""

from datetime import timedelta
from fractions import Fraction

from builders import NOON, ago, exemption, mark, told_mark
from nbsweep.cli.views.marks import marks_view
from nbsweep.core.holdout.model import Holdout
from nbsweep.core.judging.shown_marks import MarkRules, mark_rules
from rendering import rendered


def test_an_owner_who_is_tried_again_is_told_apart_from_one_who_cannot_be_told() -> None:
    """The one needs nothing, the other one an action."""
    refused = mark(1, untold="mail: 550 no such user", untold_at=ago(hours=1))
    busy = mark(2, untold="mail: 451 busy", untold_at=ago(hours=1), retried=True)
    text = rendered(marks_view([refused, busy, mark(3)], MarkRules({}), NOON, wide=True))
    assert "untold: mail: 550 no such user" in text
    assert "not told yet: mail: 451 busy" in text
    assert text.splitlines()[-3:] == [
        "3 marked.",
        "1 cannot be told: their notebooks are kept as `unless_told` says.",
        "1 not told yet after a failed attempt: another one follows, see `nbsweep outbox`.",
    ]


def test_a_notebook_of_the_holdout_is_held_out_and_not_due() -> None:
    """As on the page: it is kept for 30 days after its deadline. The share is nb1."""
    rules = MarkRules({}, {"old": Holdout(Fraction(1, 10), timedelta(days=30))})
    passed = [told_mark(number, deadline=ago(days=1)) for number in (1, 2)]
    text = rendered(marks_view(passed, rules, NOON, wide=True))
    assert "held-out" in text
    assert "2026-03-31 12:00Z (30d)" in text
    assert text.splitlines()[-1] == "1 due, 1 held-out."


def test_a_notebook_that_was_exempted_is_exempt_until_the_next_sweep_clears_its_mark() -> None:
    """With the end of the exemption; its earlier deadline counts no more."""
    rules = mark_rules({}, {}, {}, [exemption(notebook_id="nb2")])
    text = rendered(marks_view([told_mark(1), told_mark(2)], rules, NOON, wide=True))
    assert "2026-03-10 12:00Z (9d)" in text
    assert "exempt until 2026-03-10 12:00Z; the next sweep clears the mark" in text
    assert text.splitlines()[-1] == "1 due, 1 exempt."
