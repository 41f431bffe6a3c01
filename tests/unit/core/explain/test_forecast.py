"""When a notebook goes at the earliest, if its policy gives notice."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, ago, announcing, exemption, lease, mark, moment, notebook, over, policy, rules, told_mark
from nbsweep.core.explain.flips import verdict_flips_at
from nbsweep.core.explain.forecast import goes_at_the_earliest
from nbsweep.core.judging.rules import Rules
from nbsweep.core.marks.grace import Grace, UnlessTold
from nbsweep.core.marks.model import Mark


def of(*marks: Mark, **changes: Any) -> Rules:
    """Return the rules of a policy that gives a week's notice, with these marks."""
    return replace(rules(announcing()), marks={each.notebook_id: each for each in marks}, **changes)


def earliest(asked: Rules, **changes: Any) -> datetime | None:
    """Ask for the first notebook."""
    return goes_at_the_earliest(notebook(**changes), asked, moment())


def test_a_told_notebook_goes_when_it_is_due() -> None:
    """Told two days ago with a week of notice, and told a deadline that is an hour later."""
    told = told_mark(told_at=ago(days=2), deadline=NOON + timedelta(days=5, hours=1))
    assert earliest(of(told)) == NOON + timedelta(days=5, hours=1)
    assert verdict_flips_at(notebook(), of(told), moment()) == NOON + timedelta(days=5, hours=1)


def test_a_due_notebook_goes_now_until_its_notice_is_stale() -> None:
    """Due 20 hours ago; the notice is stale 40 days after that, which is more than two weeks."""
    assert earliest(of(told_mark())) == NOON
    assert verdict_flips_at(notebook(), of(told_mark()), moment()) == ago(hours=20) + timedelta(days=40)


@pytest.mark.parametrize("marks", [(), (mark(),)])
def test_a_notebook_of_which_nobody_was_told_goes_after_the_notice(marks: tuple[Mark, ...]) -> None:
    """Told now, and a week later; by itself nothing changes."""
    assert earliest(of(*marks)) == NOON + timedelta(days=7)
    assert verdict_flips_at(notebook(), of(*marks), moment()) is None


def test_the_notice_begins_when_the_policy_matches() -> None:
    """A lease of an hour ended 10 days ago but for that hour; idle for 14 days, and then a week of notice."""
    asked = rules(announcing(over("idle", days=14)))
    used = ago(days=10)
    assert earliest(asked, updated_at=used, lease=lease(created_at=used, updated_at=used)) == NOON + timedelta(days=11, hours=1)


def test_an_owner_who_cannot_be_told_keeps_the_notebook_if_the_policy_says_so() -> None:
    """With `fallback` or `proceed` it goes after the notice."""
    untold = mark(untold="no address is known")
    assert earliest(of(untold)) is None
    assert earliest(of(mark(untold="451 busy", retried=True))) == NOON + timedelta(days=7)
    grace = Grace(timedelta(days=7), surveys=1, unless_told=UnlessTold.FALLBACK)
    asked = replace(rules(announcing(grace=grace)), marks={"nb1": untold})
    assert earliest(asked) == NOON + timedelta(days=7)


def test_a_deadline_that_was_written_is_a_lower_bound() -> None:
    """The policy was edited, and the owner is told again: not before the first deadline."""
    promised = mark(deadline=NOON + timedelta(days=9))
    assert earliest(of(promised)) == NOON + timedelta(days=9)


def test_a_notebook_is_free_when_its_exemption_ends() -> None:
    """The exemption of the first notebook lasts nine more days; a policy without grace takes it then."""
    exempt = replace(rules(policy()), exemptions=(exemption(),))
    assert earliest(exempt) == NOON + timedelta(days=9)
    assert verdict_flips_at(notebook(), exempt, moment()) == NOON + timedelta(days=9)


def test_what_no_policy_will_ever_match_never_goes() -> None:
    """Nor what a policy without grace will never match."""
    asked = rules(announcing(over("idle", days=14)))
    assert earliest(asked, updated_at=None, lease=None) is None
