from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from builders import (
    NEVER_TOUCHED,
    NOON,
    ago,
    moment,
    notebook,
    over,
    policy,
    protection,
    rules,
    searching,
    tag,
    text,
)
from generated import DATES, NOTEBOOKS, POLICIES, PROTECTIONS, Spec, build
from nbsweep.core.explain.explain import Explanation, explain
from nbsweep.core.explain.flips import TICK
from nbsweep.core.explain.requirements import AllRequired, AnyRequired, AnyRequirement, Requirement, RuleRequirement
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Policy, Protection, Rules, Running
from nbsweep.core.judging.verdict import Decision, Reason
from nbsweep.core.matching.conditions import AnyOf, Not
from nbsweep.core.model import Named, Notebook, Status
from nbsweep.core.policy import judge
from nbsweep.core.reasons.finding import Truth
from unit.core.test_policy_oracle import holds

PROD = protection(text("name", "prod-*"), name="prod")
KEEP_TAG = protection(tag("keep", "*"), name="keep-tag")
IDLE = policy(text("status", "STOPPED"), over("idle", days=14), name="idle")


def explained(*policies: Policy, protect: tuple[Protection, ...] = (), **changes: Any) -> Explanation:
    """Explain the example notebook, changed so."""
    return explain(notebook(**changes), rules(*policies, protect=protect), moment())


def built_in(explanation: Explanation) -> set[str]:
    """Name the protections of the program's own that keep it."""
    return {finding.condition for finding in explanation.built_in if finding.truth is Truth.PASS}


def spoken(need: AnyRequirement | None) -> Any:
    """Write a need as plain data: `and` and `or` of sentences, each rule with its own."""
    match need:
        case Requirement(words=words):
            return words
        case RuleRequirement(words=words, need=inner):
            return {words: spoken(inner)}
        case AllRequired(parts=parts):
            return ("and", *map(spoken, parts))
        case AnyRequired(parts=parts):
            return ("or", *map(spoken, parts))
    return None


def test_an_explanation_holds_every_rules_answer() -> None:
    """Rules that did not come to matter are shown as well, in their order, beside the one verdict and who it is from."""
    shown = explained(policy(name="a"), policy(over("age", days=365), name="b"), protect=(PROD, KEEP_TAG), name="prod-1")
    assert shown.verdict.reason is Reason.PROTECTED
    rows = [(answer.rule.name, answer.check.finding.truth, answer.decides) for answer in (*shown.protections, *shown.policies)]
    assert rows == [
        ("prod", Truth.PASS, True),
        ("keep-tag", Truth.FAIL, False),
        ("a", Truth.PASS, False),
        ("b", Truth.FAIL, False),
    ]


def test_a_policy_and_a_protection_of_one_name_are_told_apart() -> None:
    """It is the protection that decides here, and the policy there."""
    kept = explained(policy(name="same"), protect=(protection(text("name", "exp*"), name="same"),))
    gone = explained(policy(name="same"), protect=(protection(text("name", "x"), name="same"),))
    unsure = explained(policy(name="same"), protect=(protection(tag("keep", "*"), name="same"),), tags=None)
    assert [(shown.protections[0].decides, shown.policies[0].decides) for shown in (kept, gone, unsure)] == [
        (True, False),
        (False, True),
        (True, False),
    ]


def test_a_condition_on_time_says_since_when_and_until_when() -> None:
    """Idle since 4 days, and more than 14 are wanted."""
    shown = explained(IDLE, lease=None, updated_at=ago(days=4))
    status, idle = shown.policies[0].check.parts
    assert (status.since, status.flips_at, status.missing) == (None, None, ())
    assert (idle.finding.fact, idle.finding.threshold, idle.finding.truth) == ("4d", "over 14d", Truth.FAIL)
    assert (idle.since, idle.flips_at) == (ago(days=4), NOON + timedelta(days=10))
    assert shown.flips_at == NOON + timedelta(days=10)


def test_what_is_in_use_is_idle_since_no_moment() -> None:
    """The clock of idleness does not run."""
    (idle,) = explained(policy(over("idle", days=14)), status=Status.RUNNING).policies[0].check.parts
    assert (idle.since, idle.flips_at) == (None, None)


def test_an_unknown_condition_says_which_fact_is_missing() -> None:
    """And one that knows enough names nothing, although something is missing."""
    shown = explained(policy(over("age", days=1), text("owner", "u1")), created_at=None, owner=Named("u1"))
    age, owner = shown.policies[0].check.parts
    assert (age.finding.truth, age.missing) == (Truth.UNKNOWN, ("create_at",))
    assert (owner.finding.truth, owner.missing) == (Truth.PASS, ())


def test_conditions_are_nested_as_in_the_configuration() -> None:
    """`any` and `not` keep their parts."""
    shown = explained(policy(AnyOf((over("age", days=300), Not(tag("team", "*"))))))
    (either,) = shown.policies[0].check.parts
    age, negated = either.parts
    assert (either.finding.condition, age.flips_at) == ("any", NOON + timedelta(days=100))
    assert (negated.finding.condition, negated.parts[0].finding.condition) == ("not", "tags.team")


# ---- what nobody has to configure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", NEVER_TOUCHED)
def test_what_the_cloud_is_at_work_on_is_kept_by_the_program_itself(status: Status) -> None:
    """And the cloud would have to be done with it."""
    shown = explained(policy(), status=status)
    assert built_in(shown) == {"in-transition"}
    assert spoken(shown.needs) == f"the cloud would have to finish its operation: it is {status}"


def test_nothing_makes_a_deleted_one_go() -> None:
    """It is gone."""
    shown = explained(policy(), status=Status.DELETED)
    assert built_in(shown) == {"deleted"}
    assert shown.needs == AnyRequired(())


def test_what_runs_is_kept_unless_the_policy_that_matches_says_stop() -> None:
    """A policy that says skip says so in a remark, and what would have to be."""
    kept = explained(policy(name="old"), status=Status.RUNNING)
    assert built_in(kept) == {"running"}
    assert kept.policies[0].remark == "policy old matches, but it runs, and the policy says running: skip"
    assert spoken(kept.needs) == {
        "policy old would have to match": ("or", "it would have to be stopped", "policy old would have to say running: stop")
    }
    gone = explained(policy(running=Running.STOP), status=Status.RUNNING)
    assert (built_in(gone), gone.policies[0].remark, gone.verdict.stop_first) == (set(), "", True)


def test_what_is_frozen_is_kept_unless_the_policy_that_matches_names_it() -> None:
    """Arrears are no reason by themselves."""
    kept = explained(policy(name="old"), status=Status.FROZEN)
    assert built_in(kept) == {"frozen"}
    assert spoken(kept.needs) == {"policy old would have to match": "policy old would have to name FROZEN in status"}
    assert built_in(explained(policy(text("status", "FROZEN")), status=Status.FROZEN)) == set()


def test_what_rests_is_kept_by_rules_alone() -> None:
    """None of the program's own protections is about it."""
    assert built_in(explained(policy())) == set()


# ---- what would have to change --------------------------------------------------------------------------------------------


def test_a_protected_one_would_have_to_lose_every_protection() -> None:
    """Those that match, and those that cannot be checked; the policies, one of which would take it, need nothing."""
    shown = explained(policy(), protect=(PROD, KEEP_TAG), name="prod-1", tags=None)
    assert spoken(shown.needs) == (
        "and",
        {"protection prod would have to stop matching": "name would have to not fit prod-*"},
        {
            "protection keep-tag would have to stop matching": (
                "the cloud would have to show tags, and then: tag keep would have to be removed"
            )
        },
    )


def test_one_policy_is_enough_for_what_none_matches() -> None:
    """Each says what it lacks."""
    shown = explained(IDLE, policy(text("status", "ERROR"), over("age", days=300), name="failed"), updated_at=ago(days=4))
    assert spoken(shown.needs) == (
        "or",
        {"policy idle would have to match": "it would have to stay idle for another 10d, until 2026-03-11 12:00:00Z"},
        {
            "policy failed would have to match": (
                "and",
                "status would have to be ERROR",
                "it would have to grow older for another 100d, until 2026-06-09 12:00:00Z",
            )
        },
    )


def test_a_policy_that_asks_for_another_state_does_not_say_stop_beside_it() -> None:
    """One that runs would have to be STOPPED, which says all about running."""
    shown = explained(policy(text("status", "STOPPED"), name="stopped"), status=Status.RUNNING)
    assert spoken(shown.needs) == {"policy stopped would have to match": "status would have to be STOPPED"}


def test_a_policy_that_keeps_it_and_comes_first_has_to_be_passed_by() -> None:
    """The second would stop it and take it, but the first matches what runs, and skips it."""
    shown = explained(
        policy(tag("team", "*"), name="first"), policy(name="second", running=Running.STOP), status=Status.RUNNING
    )
    assert spoken(shown.needs) == (
        "or",
        {
            "policy first would have to match": (
                "or",
                "it would have to be stopped",
                "policy first would have to say running: stop",
            )
        },
        {
            "policy second would have to match": {
                "policy first, which keeps it and comes before, would have to stop matching": (
                    "tag team would have to be removed"
                )
            }
        },
    )


def test_what_goes_says_what_would_save_it_and_needs_nothing() -> None:
    """In words for its owner; and what is kept says nothing of the sort."""
    gone = explained(IDLE, protect=(KEEP_TAG,))
    assert gone.needs is None
    assert [remedy.words for remedy in gone.remedies] == [
        "use it again: start it, and its idle time begins again",
        "give it the tag keep, with any value",
    ]
    assert explained(IDLE, protect=(KEEP_TAG,), tags={"keep": "1"}).remedies == ()


def test_without_a_policy_nothing_would_make_it_go() -> None:
    """Rules without a policy delete nothing, ever."""
    assert explain(notebook(), Rules(()), moment()).needs == AnyRequired(())


# ---- any rules at all -----------------------------------------------------------------------------------------------------

POLICY_SPECS = list[tuple[list[Spec], Running]]


def built(policies: POLICY_SPECS, protections: list[Spec]) -> Rules:
    """Make the rules of plain data, each policy with a name of its own."""
    return Rules(
        tuple(policy(*map(build, specs), running=running, name=f"p{place}") for place, (specs, running) in enumerate(policies)),
        tuple(protection(build(spec), name=f"k{place}") for place, spec in enumerate(protections)),
    )


@searching
@given(row=NOTEBOOKS, policies=POLICIES, protections=PROTECTIONS, seen=DATES)
def test_whatever_the_rules_the_explanation_agrees_with_the_verdict(
    row: Notebook, policies: POLICY_SPECS, protections: list[Spec], seen: datetime | None
) -> None:
    """The verdict is that of `judge`, and every rule's answer is the oracle's.

    Something is needed exactly when it is kept, and who decides is among the rules whose name the verdict bears.
    """
    at = moment(**{"nb1": seen} if seen else {})
    asked = built(policies, protections)
    shown = explain(row, asked, at)
    assert shown.verdict == judge(row, asked, at)
    truths = {True: Truth.PASS, False: Truth.FAIL, None: Truth.UNKNOWN}
    answers = [answer.check.finding.truth for answer in (*shown.protections, *shown.policies)]
    specs = [("all", [spec]) for spec in protections] + [("all", specs) for specs, _ in policies]
    assert answers == [truths[holds(spec, row, seen)] for spec in specs]
    goes = shown.verdict.decision is Decision.DELETE
    assert (shown.needs is None) == goes
    assert shown.needs != AllRequired(())
    assert not (shown.remedies and not goes)
    deciding = [answer.rule.name for answer in (*shown.protections, *shown.policies) if answer.decides]
    by_rule = shown.verdict.reason in {Reason.POLICY, Reason.PROTECTED, Reason.UNKNOWN_FACT, Reason.RUNNING, Reason.FROZEN}
    assert deciding == ([shown.verdict.rule] if by_rule else [])


@searching
@given(row=NOTEBOOKS, policies=POLICIES, protections=PROTECTIONS, seen=DATES)
def test_whatever_the_rules_the_verdict_turns_when_it_is_foretold_to(
    row: Notebook, policies: POLICY_SPECS, protections: list[Spec], seen: datetime | None
) -> None:
    """`judge` itself, asked then, decides otherwise, and decided as now the moment before."""
    at = moment(**{"nb1": seen} if seen else {})
    asked = built(policies, protections)
    shown = explain(row, asked, at)
    if shown.flips_at is None:
        later = [NOON + timedelta(days=days) for days in range(1, 30)]
        assert {judge(row, asked, Moment(each, at.last_active)).decision for each in later} <= {shown.verdict.decision}
        return
    after = {judge(row, asked, Moment(each, at.last_active)).decision for each in (shown.flips_at, shown.flips_at + TICK)}
    assert after != {shown.verdict.decision}
    if shown.flips_at > NOON:
        before = judge(row, asked, Moment(shown.flips_at - TICK, at.last_active))
        assert before.decision is shown.verdict.decision
