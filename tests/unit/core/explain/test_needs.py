"""What has to happen before a notebook goes whose policy gives notice, or which is exempt."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import (
    NOON,
    ago,
    announcing,
    exemption,
    mark,
    moment,
    notebook,
    over,
    policy,
    protection,
    rules,
    searching,
    tag,
    told_mark,
)
from generated import NOTEBOOKS
from nbsweep.core.explain.explain import Explanation, explain
from nbsweep.core.explain.requirements import AllRequired
from nbsweep.core.judging.rules import Policy, Rules
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import Notebook
from nbsweep.core.policy import judge
from unit.core.explain.test_explain import spoken

NOTICED = "policy old matches, and gives notice"


def explained(*policies: Policy, marks: tuple[Mark, ...] = (), **changes: Any) -> Explanation:
    """Explain the first notebook; without policies, for one that gives a week's notice."""
    asked = replace(rules(*(policies or (announcing(),))), marks={each.notebook_id: each for each in marks})
    return explain(notebook(), replace(asked, **changes), moment())


@pytest.mark.parametrize(
    ("marks", "needs"),
    [
        ((), "it would have to be marked, its owner would have to be told, and after that 7d would have to pass"),
        ((mark(),), "its owner would have to be told, and after that 7d would have to pass"),
        (
            (told_mark(told_at=ago(days=1), deadline=NOON + timedelta(days=6)),),
            "the deadline that its owner was told would have to pass: 2026-03-07 12:00:00Z",
        ),
    ],
)
def test_a_notebook_needs_what_is_missing_of_its_announcement(marks: tuple[Mark, ...], needs: str) -> None:
    """And the policy that matches says so in its remark."""
    seen = explained(marks=marks)
    assert spoken(seen.needs) == {NOTICED: needs}
    assert seen.announced
    assert seen.policies[0].remark == seen.verdict.sentence


def test_surveys_that_have_to_agree_are_counted() -> None:
    """Four in all, and two did; the notice goes to a channel."""
    grace = Grace(timedelta(days=3), surveys=4, tell=("ops",))
    seen = explained(announcing(grace=grace), marks=(mark(surveys=2),))
    assert spoken(seen.needs) == {
        NOTICED: "2 more complete surveys would have to agree, ops would have to be told, and after that 3d would have to pass"
    }


def test_a_due_notebook_needs_nothing() -> None:
    """It goes."""
    seen = explained(marks=(told_mark(),))
    assert (seen.verdict.decision, seen.needs, seen.announced) == (Decision.DELETE, None, False)


def test_a_policy_that_does_not_match_needs_its_notice_too() -> None:
    """Idle for 100 of 300 days, since the end of a lease of an hour."""
    seen = explained(announcing(over("idle", days=300)))
    assert spoken(seen.needs) == {
        "policy old would have to match": (
            "and",
            "it would have to stay idle for another 200d 1h, until 2026-09-17 13:00:00Z",
            "it would have to be marked, its owner would have to be told, and after that 7d would have to pass",
        )
    }
    assert seen.goes_at == NOON + timedelta(days=207, hours=1)
    assert seen.remedies == ()


def test_a_policy_behind_one_that_gives_notice_would_have_to_be_reached() -> None:
    """The first that matches wins, also while it waits."""
    seen = explained(announcing(over("idle", days=14), name="first"), policy(name="second"))
    assert spoken(seen.needs) == (
        "or",
        {
            "policy first matches, and gives notice": (
                "it would have to be marked, its owner would have to be told, and after that 7d would have to pass"
            )
        },
        {
            "policy second would have to match": {
                "policy first, which keeps it and comes before, would have to stop matching": (
                    "a user would have to have used it within the last 14d"
                )
            }
        },
    )


def test_an_exempt_notebook_needs_the_end_of_its_exemption() -> None:
    """The policy would delete it, without a notice."""
    seen = explained(policy(), exemptions=(exemption(),))
    words = "exemption e1 would have to end, as it will at 2026-03-10 12:00:00Z, or to be revoked"
    assert (spoken(seen.needs), seen.flips_at) == (words, NOON + timedelta(days=9))
    assert not seen.announced


def test_the_owner_of_an_announced_notebook_is_told_what_keeps_it() -> None:
    """As if the policy gave no notice: the tag of a protection, which keeps it for good."""
    asked = rules(announcing(), protect=(protection(tag("keep", "*")),))
    plain = replace(asked, policies=(policy(),))
    remedies = [remedy.words for remedy in explain(notebook(), asked, moment()).remedies]
    assert remedies == [remedy.words for remedy in explain(notebook(), plain, moment()).remedies]
    assert "give it the tag keep, with any value" in remedies


@searching
@given(row=NOTEBOOKS, marked=st.sampled_from([None, mark(), told_mark(), told_mark(told_at=ago(days=1))]))
def test_something_is_needed_exactly_when_it_is_kept(row: Notebook, marked: Mark | None) -> None:
    """Whatever the notebook, for a policy with notice and one behind it without."""
    marks = {"nb1": marked} if marked else {}
    asked: Rules = replace(rules(announcing(over("idle", days=14)), policy(over("age", days=100), name="b")), marks=marks)
    seen = explain(row, asked, moment())
    goes = judge(row, asked, moment()).decision is Decision.DELETE
    assert (seen.needs is None) == goes
    assert seen.needs != AllRequired(())
    assert not (seen.goes_at is None and goes)
