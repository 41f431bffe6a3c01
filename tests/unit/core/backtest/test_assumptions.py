"""What a back-test says of its own limits."""

from collections.abc import Iterable
from datetime import timedelta

from builders import NOON, ago, announcing, policy, rules
from nbsweep.core.backtest.assumptions import assumptions
from nbsweep.core.backtest.model import Period, Trial
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.marking import MarkLimits
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.reasons.statement_wordings import describe_statement

PERIOD = Period(ago(days=90), NOON, timedelta(days=14))
PLAIN = Trial(rules(policy()), MarkLimits(Brakes()))
ANNOUNCES = Trial(rules(announcing()), MarkLimits(Brakes()))


def said(statements: Iterable[Statement]) -> list[str]:
    """Return the English sentences."""
    return list(map(describe_statement, statements))


def test_of_a_plain_past_only_what_holds_for_all_is_said() -> None:
    """What a return is, and that each survey is a sweep."""
    first, second = said(assumptions(PLAIN, PERIOD, [Coverage("research", 90)], [Replayed()]))
    assert first == (
        "Came back: within 14d the notebook was used, its lease was renewed, it was kept by a tag, a name or an exemption, "
        "renamed, or given to another owner. Later returns are not counted."
    )
    assert second == (
        "A sweep takes place at each recorded survey, and its deletions succeed at once. Each notebook counts at its first "
        "deletion."
    )


def test_each_limit_of_the_past_is_said_with_its_number() -> None:
    """Real deletions first; numbers of several targets are added."""
    coverages = [Coverage("a", 90, incomplete=2, clock_ahead=1, unreadable=3, ordered=1), Coverage("b", 10, ordered=1)]
    replayed = [Replayed(refused={"max_share": 80}, lacking=1), Replayed(refused={"max_share": 5, "max_deletions": 1})]
    text = said(assumptions(ANNOUNCES, PERIOD, coverages, replayed))
    beginnings = [
        "2 notebooks really got an order of nbsweep",
        "brakes.max_share refused the plans of 85 of 100 surveys",
        "brakes.max_deletions refused the plans of 1 of 100 surveys",
        "Every owner of a notebook with grace is told",
        "2 surveys did not show every notebook",
        "1 survey had a time later than that of a following one",
        "3 recorded states have no facts that this version of nbsweep can read",
        "1 notebook was kept because the inventory lacks a fact",
        "Came back: ",
        "A sweep takes place",
    ]
    assert len(text) == len(beginnings)
    assert all(one.startswith(beginning) for one, beginning in zip(text, beginnings, strict=True))


def test_a_horizon_that_is_longer_than_the_past_makes_the_rate_meaningless() -> None:
    """The longest past of a target counts; a past that is as long as the horizon says nothing."""
    short = Coverage("a", 5, first=ago(days=13, hours=23), last=NOON)
    words = "The surveys cover 13d 23h, less than the horizon of 14d."
    assert said(assumptions(PLAIN, PERIOD, [short, Coverage("empty")], [Replayed()]))[0].startswith(words)
    enough = Coverage("b", 5, first=ago(days=14), last=NOON)
    assert len(assumptions(PLAIN, PERIOD, [short, enough], [Replayed()])) == 2
