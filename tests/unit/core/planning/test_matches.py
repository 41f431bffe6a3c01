"""How many notebooks each rule matches, whichever rule decides."""

from builders import SCOPE, ago, moment, notebook, over, policy, protection, rules, tag
from nbsweep.core.checks import Grade, judge_rules
from nbsweep.core.model import Notebook, Page, Status
from nbsweep.core.planning.matches import RuleMatch, describe_matches, name_matches
from nbsweep.core.planning.tally import Tally

RULES = rules(
    policy(over("age", days=10), name="old"),
    policy(over("age", days=100), name="older"),
    policy(over("age", days=1000), name="oldest"),
    protect=(protection(tag("keep", "*"), name="keep"), protection(tag("hold", "*"), name="hold")),
)
ROWS = (
    notebook(1, created_at=ago(days=5)),
    notebook(2, created_at=ago(days=50)),
    notebook(3, created_at=ago(days=500)),
    notebook(4, created_at=ago(days=500), tags={"keep": "yes"}),
    notebook(5, created_at=ago(days=500), status=Status.DELETED),
    notebook(6, created_at=None),
)
MATCHES = (
    RuleMatch("policy", "old", 3),
    RuleMatch("policy", "older", 2),
    RuleMatch("policy", "oldest", 0),
    RuleMatch("protection", "keep", 1),
    RuleMatch("protection", "hold", 0),
)


def counted(*rows: Notebook) -> Tally:
    """Return the tally of these rows."""
    tally = Tally(counts_matches=True)
    for row in rows:
        tally.add(row, SCOPE, RULES, moment())
    return tally


def test_every_rule_counts_whichever_decides() -> None:
    """An earlier policy or a protection hides no match, a missing fact is none, and what is deleted does not count."""
    tallies = [counted(*ROWS[:3]), counted(*ROWS[3:])]
    assert name_matches(RULES, [tally.matched for tally in tallies if tally.matched is not None]) == MATCHES


def test_what_was_left_out_counts_by_the_answer() -> None:
    """Once, and not by the row of the listing."""
    tally = counted(notebook(1, created_at=None, listed=True))
    [left_out] = tally.undecided
    tally.decide(notebook(1, created_at=ago(days=50)), left_out, SCOPE, RULES, moment())
    assert tally.matched is not None
    assert name_matches(RULES, [tally.matched])[0] == RuleMatch("policy", "old", 1)


def test_nothing_is_counted_unless_it_was_asked_for() -> None:
    """It takes as long as judging does."""
    assert Tally().matched is None


def test_the_numbers_in_words() -> None:
    """In the order of the configuration."""
    assert describe_matches(MATCHES) == "3 old; 2 older; 0 oldest; 1 keep; 0 hold"


def test_a_check_names_the_rules_that_match_nothing() -> None:
    """As advice: it may be meant so."""
    found = judge_rules([Page(ROWS[:4], 4)], RULES, moment())
    assert (found.grade, found.finding) == (
        Grade.OK,
        "of 4 rows that were read, matched: 3 old; 2 older; 0 oldest; 1 keep; 0 hold",
    )
    assert found.advice.endswith("they matched nothing: policy oldest; protection hold.")
    assert judge_rules([Page((), 0)], RULES, moment()).grade is Grade.NOT_TRIED
