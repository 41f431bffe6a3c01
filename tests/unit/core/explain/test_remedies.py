from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from builders import NOON, ago, lease, moment, notebook, over, policy, protection, rules, tag, text
from nbsweep.core.explain.remedies import remedies
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Policy, Protection, Running
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.matching.conditions import AllOf, AnyOf, Not
from nbsweep.core.model import Status
from nbsweep.core.policy import judge

IDLE = policy(text("status", "STOPPED"), over("idle", days=14), name="idle")
OLD = policy(over("age", days=100), name="old", running=Running.STOP)


class Remedy(NamedTuple):
    """A remedy in English words."""

    words: str
    until: datetime | None = None


def saving(*policies: Policy, protect: tuple[Protection, ...] = (), **changes: Any) -> tuple[Remedy, ...]:
    """Ask what would save the example notebook, changed so, which is to go."""
    row, asked = notebook(**changes), rules(*policies, protect=protect)
    assert judge(row, asked, moment()).decision is Decision.DELETE
    return tuple(Remedy(each.words, each.until) for each in remedies(row, asked, moment()))


def test_use_saves_what_goes_for_its_idleness_and_says_until_when() -> None:
    """A start gives it a lease of an hour, whose end counts as use: 14 days after that."""
    assert saving(IDLE) == (
        Remedy("use it again: start it, and its idle time begins again", NOON + timedelta(days=14, hours=1)),
    )


def test_use_does_not_save_what_goes_for_its_age() -> None:
    """Otherwise an owner who follows it would lose their work."""
    assert saving(OLD) == ()


def test_use_is_not_told_where_it_would_go_while_it_runs() -> None:
    """The second policy stops what runs; whoever started it would lose it the sooner."""
    stopping = policy(text("status", "RUNNING"), over("age", days=1), name="stop-old", running=Running.STOP)
    assert saving(IDLE, stopping) == ()


def test_a_tag_that_protects_saves_for_good() -> None:
    """With the value that the protection asks for."""
    assert saving(OLD, protect=(protection(tag("keep", "*")),)) == (Remedy("give it the tag keep, with any value"),)
    assert saving(OLD, protect=(protection(tag("env", "prod-*")),)) == (
        Remedy("give it the tag env, with a value that fits prod-*"),
    )


def test_a_name_that_protects_saves_and_an_example_is_given() -> None:
    """Every glob that would do."""
    assert saving(OLD, protect=(protection(text("name", "keep-*", "nb[0-9]?")),)) == (
        Remedy("rename it so that its name fits keep-*, as keep-experiment-1 does"),
        Remedy("rename it so that its name fits nb[0-9]?, as nb0x does"),
    )


def test_tags_come_before_names() -> None:
    """The easiest first."""
    protect = (protection(text("name", "keep-*")), protection(tag("keep", "*")))
    assert [remedy.words.split()[0] for remedy in saving(OLD, protect=protect)] == ["give", "rename"]


def test_what_has_to_be_done_together_is_told_together() -> None:
    """Neither the name nor the tag protects without the other."""
    protect = (protection(text("name", "prod-*"), tag("keep", "*")),)
    assert saving(OLD, protect=protect) == (
        Remedy("rename it so that its name fits prod-*, as prod-experiment-1 does and give it the tag keep, with any value"),
    )


def test_what_a_policy_itself_spares_is_told_too() -> None:
    """By a `not`, or because the policy is about a name or a tag that can be given up."""
    sparing = policy(over("age", days=1), Not(AllOf((tag("keep", "yes"),))))
    assert saving(sparing) == (Remedy("give it the tag keep, with a value that fits yes"),)
    named = policy(AnyOf((text("name", "exp*"), tag("team", "x"))))
    assert saving(named) == (Remedy("rename it so that its name no longer fits exp*"),)
    assert saving(policy(tag("team", "*"))) == (Remedy("remove its tag team"),)


def test_what_helps_against_one_policy_only_is_no_remedy() -> None:
    """The other would take it all the same."""
    assert saving(policy(tag("team", "*"), name="team"), OLD) == ()


def test_who_has_it_running_may_renew_its_lease() -> None:
    """Expired since 99 days and 23 hours; renewed for an hour, it has expired by more than 30 days after 30 days and 1 hour."""
    expired = policy(over("lease_expired", days=30), running=Running.STOP)
    assert saving(expired, status=Status.RUNNING) == (
        Remedy("renew its lease", NOON + timedelta(days=30, hours=1)),
        Remedy("stop it", NOON + timedelta(days=30, hours=1)),
    )


def test_nothing_is_told_of_a_lease_that_nobody_has() -> None:
    """Without a lease, use is use all the same."""
    assert saving(IDLE, lease=None) == (
        Remedy("use it again: start it, and its idle time begins again", NOON + timedelta(days=14)),
    )


@pytest.mark.parametrize("status", [Status.ERROR, Status.CREATE_FAILED, Status.FROZEN])
def test_what_cannot_be_started_is_not_told_to_be(status: Status) -> None:
    """Whether the cloud would start a failed one is not known."""
    named = policy(text("status", status.value), over("idle", days=14))
    assert saving(named, status=status) == ()


def test_a_remedy_holds_on_the_rules_themselves_for_as_long_as_it_says() -> None:
    """The notebook as it is after an hour's use: kept until then, and taken right after."""
    renewed = lease(updated_at=NOON, duration=NOON - ago(days=100) + timedelta(hours=1))
    row, asked = notebook(updated_at=NOON, lease=renewed), rules(IDLE)
    (use,) = saving(IDLE)
    assert use.until
    assert judge(row, asked, Moment(use.until)).decision is Decision.KEEP
    assert judge(row, asked, Moment(use.until + timedelta(microseconds=1))).decision is Decision.DELETE
