from itertools import permutations, product

import pytest

from builders import moment, notebook, over, tag, text
from nbsweep.core.matching.conditions import AllOf, AnyOf, Condition, Not
from nbsweep.core.matching.structure import leaves, names_status
from nbsweep.core.model import Status
from nbsweep.core.reasons.finding import Finding, Truth

RANK = {Truth.FAIL: 0, Truth.UNKNOWN: 1, Truth.PASS: 2}
"""Kleene's logic in one line: `all` is the least, `any` the greatest, `not` turns the order round."""

SAYING: dict[Truth, Condition] = {
    Truth.PASS: text("name", "*"),
    Truth.FAIL: text("name", "no-such-name"),
    Truth.UNKNOWN: text("flavor", "*"),
}
"""Of a notebook without a flavor, each says what its key says."""


def check(condition: Condition) -> Finding:
    """Ask a notebook without a flavor."""
    return condition.check(notebook(flavor=None), moment())


TABLE = [row for width in (1, 2, 3) for row in product(Truth, repeat=width)]


@pytest.mark.parametrize("truths", TABLE, ids="-".join)
def test_all_is_as_true_as_its_least_true_part(truths: tuple[Truth, ...]) -> None:
    """Any failure fails it; without one, anything unknown leaves it unknown."""
    finding = check(AllOf(tuple(SAYING[truth] for truth in truths)))
    assert RANK[finding.truth] == min(RANK[truth] for truth in truths)


@pytest.mark.parametrize("truths", TABLE, ids="-".join)
def test_any_is_as_true_as_its_truest_part(truths: tuple[Truth, ...]) -> None:
    """Any pass passes it; without one, anything unknown leaves it unknown."""
    finding = check(AnyOf(tuple(SAYING[truth] for truth in truths)))
    assert RANK[finding.truth] == max(RANK[truth] for truth in truths)


@pytest.mark.parametrize("truth", Truth)
def test_not_turns_a_part_round_and_leaves_unknown_unknown(truth: Truth) -> None:
    """What is unknown does not become true by being denied."""
    assert RANK[check(Not(SAYING[truth])).truth] == 2 - RANK[truth]
    assert check(Not(Not(SAYING[truth]))).truth is truth


@pytest.mark.parametrize(("outer", "inner"), list(product([AllOf, AnyOf], repeat=2)))
def test_groups_nest(outer: type[AllOf | AnyOf], inner: type[AllOf | AnyOf]) -> None:
    """A group inside a group, under a `not` or not, counts as the one answer it gives."""
    best: dict[type[AllOf | AnyOf], object] = {AllOf: min, AnyOf: max}
    join_outer, join_inner = best[outer], best[inner]
    assert callable(join_outer)
    assert callable(join_inner)
    for one, two, three in product(Truth, repeat=3):
        group = inner((SAYING[two], SAYING[three]))
        plain = check(outer((SAYING[one], group)))
        denied = check(outer((SAYING[one], Not(group))))
        inside = join_inner(RANK[two], RANK[three])
        assert RANK[plain.truth] == join_outer(RANK[one], inside)
        assert RANK[denied.truth] == join_outer(RANK[one], 2 - inside)


def test_any_of_nothing_does_not_pass() -> None:
    """With no alternative left, none holds."""
    assert check(AnyOf(())).truth is Truth.FAIL


def test_a_group_keeps_the_findings_of_all_its_parts() -> None:
    """`explain` shows every part, decisive or not, in the order of the rule."""
    parts = (SAYING[Truth.FAIL], SAYING[Truth.UNKNOWN], SAYING[Truth.PASS])
    for order in permutations(parts):
        for group in (AllOf(order), AnyOf(order)):
            assert check(group).parts == tuple(check(part) for part in order)


def test_a_group_is_written_with_its_parts() -> None:
    """And what is inside a `not` says that it is not wanted."""
    group = AnyOf((over("age", days=100), Not(tag("team", "vision"))))
    assert str(check(group)) == "any of (age 200d (over 100d), tags.team vision (not vision))"


@pytest.mark.parametrize("truth", Truth)
def test_the_leaves_of_a_finding_are_its_single_conditions_of_one_kind(truth: Truth) -> None:
    """Groups are opened to any depth, and a `not` is left whole, for its inside means the opposite."""
    opposite = {Truth.PASS: Truth.FAIL, Truth.FAIL: Truth.PASS, Truth.UNKNOWN: Truth.UNKNOWN}[truth]
    single, denied = SAYING[truth], Not(SAYING[opposite])
    others = tuple(SAYING[other] for other in Truth if other is not truth)
    tree = AllOf((AnyOf((*others, AllOf((single,)))), denied))
    assert leaves(check(tree), truth) == (check(single), check(denied))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (text("status", "FROZEN"), True),
        (text("status", "STOPPED", "FROZEN"), True),
        (AllOf((over("age", days=1), text("status", "FROZEN"))), True),
        (AnyOf((over("age", days=1), AllOf((text("status", "FROZEN"),)))), True),
        (text("status", "*"), False),
        (text("status", "FRO*"), False),
        (text("status", "STOPPED"), False),
        (text("name", "FROZEN"), False),
        (tag("status", "FROZEN"), False),
        (Not(text("status", "FROZEN")), False),
        (Not(text("status", "STOPPED")), False),
        (AllOf((Not(AnyOf((text("status", "FROZEN"),))),)), False),
        (AllOf(()), False),
    ],
)
def test_a_status_is_named_only_by_its_own_word(condition: Condition, expected: bool) -> None:  # noqa: FBT001 -- parametrized
    """A wildcard that includes it, another key and the inside of a `not` do not name it."""
    assert names_status(condition, Status.FROZEN) is expected
