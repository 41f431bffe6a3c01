"""Doubtful rules: each kind by hand, and never a false claim, held against the oracle of policies."""

from datetime import datetime

import pytest
from hypothesis import given

from builders import moment, over, policy, protection, searching, tag, text
from generated import DATES, NOTEBOOKS, POLICIES, PROTECTIONS, SPECS, Spec, build
from nbsweep.core.doubts import Doubt, DoubtKind, find_doubts, implies, never_matches
from nbsweep.core.judging.rules import Policy, Protection, Rules, Running
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.matching.conditions import AllOf, AnyOf, Condition, LeaseEnabled, Not
from nbsweep.core.model import Notebook
from nbsweep.core.policy import judge
from unit.core.test_policy_oracle import holds

BOTH = ("NOTEBOOK", "DEFAULT")
STOPPED, RUNNING = text("status", "STOPPED"), text("status", "RUNNING")
IDLE = over("idle", days=14)


def doubts(*policies: Policy, protect: tuple[Protection, ...] = (), features: tuple[str, ...] = BOTH) -> list[Doubt]:
    """Return the doubts about rules."""
    return list(find_doubts(Rules(policies, protect), features))


def only(found: list[Doubt]) -> tuple[DoubtKind, str, str]:
    """Return the kind, the place and the sentence of the only doubt."""
    [doubt] = found
    return doubt.kind, doubt.place, doubt.sentence


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ((RUNNING, IDLE), "a notebook that is not at rest is in use"),
        ((text("feature", "DEFAULT"), IDLE), "the targets list only the feature NOTEBOOK"),
        ((STOPPED, Not(STOPPED), IDLE), "exclude each other"),
        ((AllOf((STOPPED,)), AllOf((RUNNING,))), "exclude each other"),
        ((LeaseEnabled(enabled=False), over("lease_expired", days=1), IDLE), "conditions on the lease"),
        ((text("lease.type", "IDLE"), over("lease_expired", days=1), IDLE), "conditions on the lease"),
        ((text("status", "CREATING"), over("age", days=1)), "states in which no notebook is deleted"),
    ],
)
def test_a_policy_that_can_never_match(conditions: tuple[Condition, ...], words: str) -> None:
    """With the reason."""
    kind, place, sentence = only(doubts(policy(*conditions, running=Running.STOP), features=("NOTEBOOK",)))
    assert (kind, place) == (DoubtKind.NEVER_MATCHES, "policies[0]")
    assert words in sentence


@pytest.mark.parametrize(
    "conditions",
    [
        (STOPPED, IDLE),
        (text("status", "RUNNING", "STOPPED"), IDLE),
        (AnyOf((RUNNING, over("lease_expired", days=30))), IDLE),
        (text("feature", "NOTEBOOK"), IDLE),
        (Not(text("feature", "DEFAULT")), IDLE),
        (text("status", "ERROR"),),
        (tag("a", "*"), text("name", "x*"), IDLE),
    ],
)
def test_an_ordinary_policy_is_not_doubtful(conditions: tuple[Condition, ...]) -> None:
    """Nothing is said where some notebook can match."""
    assert doubts(policy(*conditions), features=("NOTEBOOK",)) == []


def test_a_policy_that_matches_and_never_deletes() -> None:
    """It skips what runs, or does not name FROZEN."""
    kind, _, sentence = only(doubts(policy(RUNNING, over("age", days=9))))
    assert kind is DoubtKind.NEVER_DELETES
    assert "write running: stop" in sentence
    frozen = Not(text("status", "RUNNING", "STOPPED", "ERROR", "CREATE_FAILED", "START_FAILED", "DELETE_FAILED"))
    kind, _, sentence = only(doubts(policy(frozen, IDLE)))
    assert kind is DoubtKind.NEVER_DELETES
    assert "name FROZEN in status" in sentence


def test_a_policy_that_an_earlier_one_covers() -> None:
    """Whole, with the name of the earlier one; a policy that is covered in part is in order."""
    wide, narrow = policy(IDLE, name="wide"), policy(STOPPED, over("idle", days=30), name="narrow")
    kind, place, sentence = only(doubts(wide, narrow))
    assert (kind, place) == (DoubtKind.COVERED, "policies[1]")
    assert "policies[0] (wide) comes first" in sentence
    assert doubts(narrow, wide) == []


def test_a_policy_that_a_protection_covers() -> None:
    """It never deletes."""
    kind, place, sentence = only(doubts(policy(STOPPED, IDLE), protect=(protection(text("status", "STOPPED", "ERROR")),)))
    assert (kind, place) == (DoubtKind.COVERED, "policies[0]")
    assert "protect[0] (kept)" in sentence


def test_a_protection_that_matches_nothing() -> None:
    """By its form."""
    kind, place, sentence = only(doubts(policy(STOPPED, IDLE), protect=(protection(RUNNING, IDLE),)))
    assert (kind, place) == (DoubtKind.NEVER_MATCHES, "protect[0]")
    assert sentence.startswith("it protects nothing")


@pytest.mark.parametrize(
    ("condition", "doubtful"),
    [
        (text("flavor", "GPU"), True),
        (text("flavor", "*gpu*"), False),
        (text("flavor", "modelarts.vm.cpu.2u"), False),
        (text("image", "pytorch"), True),
        (text("image", "pytorch_1.8-cuda_10.2"), False),
        (text("fail_reason", "quota exceeded"), True),
        (text("name", "keep"), True),
        (text("name", "notebook-1"), False),
        (text("owner", "zhang"), False),
        (text("flavor", "gpu[12]"), False),
    ],
)
def test_a_glob_that_looks_like_a_part(condition: Condition, doubtful: bool) -> None:  # noqa: FBT001  # a row of the table
    """In a policy, in a `not` and in a protection alike."""
    for found in (
        doubts(policy(condition, STOPPED, IDLE)),
        doubts(policy(Not(condition), STOPPED, IDLE)),
        doubts(policy(STOPPED, IDLE), protect=(protection(condition),)),
    ):
        assert [doubt.kind for doubt in found] == ([DoubtKind.SUBSTRING] if doubtful else [])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (policy(over("age", days=180)), "age_over counts from the creation"),
        (policy(AnyOf((over("age", days=180), IDLE))), "age_over counts from the creation"),
        (policy(STOPPED), "without idle_over, a notebook that was used a minute ago"),
        (policy(RUNNING, over("age", days=9), running=Running.STOP), "age_over counts from the creation"),
        (policy(STOPPED, over("lease_expired", days=9)), "without idle_over"),
    ],
)
def test_a_policy_that_takes_what_was_just_used(rule: Policy, words: str) -> None:
    """Age alone says nothing about use."""
    kind, _, sentence = only(doubts(rule))
    assert kind is DoubtKind.JUST_USED
    assert words in sentence


def test_what_failed_cannot_be_used_so_its_age_is_enough() -> None:
    """A failed creation has no use."""
    assert doubts(policy(text("status", "CREATE_FAILED", "ERROR"), over("age", days=1))) == []


@searching
@given(spec=SPECS, row=NOTEBOOKS, seen=DATES)
def test_what_a_notebook_matches_is_never_said_to_match_nothing(spec: Spec, row: Notebook, seen: datetime | None) -> None:
    """The oracle finds a notebook that matches: then the analysis must not rule it out."""
    if holds(spec, row, seen):
        assert never_matches(build(spec), BOTH, (row.status,)) is None


@searching
@given(one=SPECS, other=SPECS, row=NOTEBOOKS, seen=DATES)
def test_what_implies_another_never_passes_alone(one: Spec, other: Spec, row: Notebook, seen: datetime | None) -> None:
    """The oracle finds no notebook that passes the first and not the second."""
    if implies(build(one), build(other)) and holds(one, row, seen):
        assert holds(other, row, seen)


@searching
@given(row=NOTEBOOKS, policies=POLICIES, protections=PROTECTIONS, seen=DATES)
def test_a_policy_that_deletes_is_never_said_to_match_nothing(
    row: Notebook, policies: list[tuple[list[Spec], Running]], protections: list[Spec], seen: datetime | None
) -> None:
    """Neither never to match, nor never to delete, nor to be covered."""
    built = Rules(
        tuple(policy(*map(build, specs), running=running, name=str(place)) for place, (specs, running) in enumerate(policies)),
        tuple(protection(build(spec)) for spec in protections),
    )
    verdict = judge(row, built, moment(**{"nb1": seen} if seen else {}))
    if verdict.decision is Decision.DELETE:
        claims = {DoubtKind.NEVER_MATCHES, DoubtKind.NEVER_DELETES, DoubtKind.COVERED}
        assert not [
            doubt for doubt in find_doubts(built, BOTH) if doubt.place == f"policies[{verdict.rule}]" and doubt.kind in claims
        ]
