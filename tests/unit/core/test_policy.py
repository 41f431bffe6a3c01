from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NEVER_TOUCHED, ago, lease, moment, notebook, over, policy, protection, rules, tag, text
from nbsweep.core.judging.rules import Policy, Rules, Running
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.marks.grace import Grace
from nbsweep.core.matching.conditions import AllOf, AnyOf, Condition, Not
from nbsweep.core.model import Notebook, Status
from nbsweep.core.policy import judge, may_go
from nbsweep.core.reasons.finding import Truth
from nbsweep.core.selection import Selection

KEEP_TAG = protection(tag("keep", "*"), name="keep-tag")
PROD = protection(text("name", "prod-*"), name="prod")


def decide(rules: Rules, **changes: Any) -> Verdict:
    """Judge the example notebook, changed so."""
    return judge(notebook(**changes), rules, moment())


def test_a_notebook_that_a_policy_matches_may_go() -> None:
    """DELETE comes with the policy's name, for the record."""
    verdict = decide(rules(policy(over("age", days=180), name="forgotten")))
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.DELETE, Reason.POLICY, "forgotten")
    assert not verdict.stop_first


def test_the_first_policy_that_matches_wins() -> None:
    """Later ones are not asked, even if they would keep or stop it."""
    young = policy(over("age", days=365), name="young")
    second, third = policy(name="second"), policy(name="third", running=Running.STOP)
    assert decide(rules(young, second, third)).rule == "second"
    assert decide(rules(young, third, second)).rule == "third"
    skipped = decide(rules(second, third), status=Status.RUNNING)
    assert (skipped.decision, skipped.reason, skipped.rule) == (Decision.KEEP, Reason.RUNNING, "second")
    stopped = decide(rules(third, second), status=Status.RUNNING)
    assert (stopped.decision, stopped.rule, stopped.stop_first) == (Decision.DELETE, "third", True)


def test_every_condition_of_a_policy_must_hold() -> None:
    """One that fails keeps the notebook."""
    holds, fails = over("age", days=180), text("owner", "bob")
    assert decide(rules(policy(holds, text("owner", "alice")))).decision is Decision.DELETE
    for conditions in ((holds, fails), (fails, holds)):
        assert decide(rules(policy(*conditions))).reason is Reason.NO_POLICY


def test_without_policies_nothing_goes() -> None:
    """An empty list is no permission."""
    for status in Status:
        verdict = decide(Rules(policies=()), status=status)
        assert verdict.decision is Decision.KEEP


@pytest.mark.parametrize("protect", [(KEEP_TAG, PROD), (PROD, KEEP_TAG)])
def test_any_protection_beats_every_policy(protect: tuple[Any, ...]) -> None:
    """Its name goes on the record, wherever in the list it stands."""
    verdict = decide(rules(policy(), protect=protect), tags={"keep": "yes"})
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.PROTECTED, "keep-tag")


def test_every_condition_of_a_protection_must_hold() -> None:
    """A protection that half holds does not protect."""
    half = protection(tag("keep", "*"), text("owner", "bob"))
    assert decide(rules(policy(), protect=(half,)), tags={"keep": "yes"}).decision is Decision.DELETE


def test_a_protection_that_cannot_be_checked_keeps_what_a_policy_matches() -> None:
    """An answer without tags must not delete what a tag may protect, as it did elsewhere."""
    verdict = decide(rules(policy(), protect=(PROD, KEEP_TAG)), tags=None)
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.UNKNOWN_FACT, "keep-tag")
    assert "keep-tag" in verdict.sentence
    assert "tags.keep is missing" in verdict.sentence


def test_a_protection_that_holds_comes_before_one_that_cannot_be_checked() -> None:
    """What is sure is what is said."""
    verdict = decide(rules(policy(), protect=(KEEP_TAG, PROD)), tags=None, name="prod-1")
    assert (verdict.reason, verdict.rule) == (Reason.PROTECTED, "prod")


def test_a_protection_that_cannot_be_checked_is_no_news_for_what_stays_anyway() -> None:
    """The reason of a KEEP is then that no policy matches."""
    verdict = decide(rules(policy(over("age", days=365)), protect=(KEEP_TAG,)), tags=None)
    assert verdict.reason is Reason.NO_POLICY


@pytest.mark.parametrize(
    ("condition", "missing", "words"),
    [
        (over("age", days=1), {"created_at": None}, "age is missing"),
        (over("idle", days=1), {"updated_at": None, "lease": None}, "idle is missing"),
        (over("lease_expired", days=1), {"lease": None}, "lease expired is missing"),
        (text("flavor", "*"), {"flavor": None}, "flavor is missing"),
        (tag("team", "*"), {"tags": None}, "tags.team is missing"),
        (Not(tag("team", "*")), {"tags": None}, "tags.team is missing"),
        (AnyOf((over("age", days=365), text("name", "*"))), {"name": None}, "name is missing"),
        (AllOf((over("age", days=1), Not(AnyOf((text("flavor", "*ascend*"),))))), {"flavor": None}, "flavor is missing"),
    ],
)
def test_an_unknown_fact_never_deletes_and_is_named(condition: Condition, missing: dict[str, Any], words: str) -> None:
    """The verdict is KEEP, and says which rule lacks which fact."""
    verdict = decide(rules(policy(condition, name="old")), **missing)
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.UNKNOWN_FACT, "old")
    assert "policy old" in verdict.sentence
    assert words in verdict.sentence
    assert [finding.truth for finding in verdict.findings] == [Truth.UNKNOWN]


def test_a_policy_that_matches_counts_after_one_that_is_unknown() -> None:
    """The second is reason enough for itself, and it is the second that goes on the record."""
    verdict = decide(rules(policy(text("flavor", "x"), name="first"), policy(name="second")), flavor=None)
    assert (verdict.decision, verdict.rule) == (Decision.DELETE, "second")


@pytest.mark.parametrize(
    ("status", "first", "second"),
    [
        (Status.RUNNING, policy(text("flavor", "x")), policy(running=Running.STOP)),
        (Status.FROZEN, policy(text("flavor", "x")), policy(text("status", "FROZEN"))),
    ],
)
def test_an_unknown_policy_that_would_have_kept_it_keeps_it(status: Status, first: Policy, second: Policy) -> None:
    """If the first matched it would win, and keep it; so it is the missing fact that decides, and that never deletes."""
    assert decide(rules(first, second), status=status, flavor="x").decision is Decision.KEEP
    assert decide(rules(first, second), status=status, flavor=None).decision is Decision.KEEP


def test_an_unknown_policy_with_grace_keeps_it_from_a_later_one_without() -> None:
    """If the first matched it would win, and its owner would be told first."""
    announced = replace(policy(over("idle", days=14), name="idle"), grace=Grace(timedelta(days=7)))
    verdict = decide(rules(announced, policy(name="old")), updated_at=None)
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.UNKNOWN_FACT, "idle")


@pytest.mark.parametrize("status", NEVER_TOUCHED)
@pytest.mark.parametrize("running", Running)
def test_what_the_cloud_is_at_work_on_is_never_touched(status: Status, running: Running) -> None:
    """Whatever a policy says, even one that names the status."""
    named = policy(text("status", status.value), name="named", running=running)
    verdict = decide(rules(named, policy(running=running)), status=status)
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.IN_TRANSITION)
    assert status.value in verdict.sentence


def test_a_deleted_row_is_not_deleted_again() -> None:
    """Listings may show rows that are gone; they are no candidates."""
    verdict = decide(rules(policy(text("status", "DELETED"), running=Running.STOP)), status=Status.DELETED)
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.ALREADY_DELETED)


def test_a_running_notebook_goes_only_where_the_policy_says_stop() -> None:
    """And then it is stopped first."""
    kept = decide(rules(policy(running=Running.SKIP)), status=Status.RUNNING)
    assert (kept.decision, kept.reason, kept.rule) == (Decision.KEEP, Reason.RUNNING, "old")
    gone = decide(rules(policy(running=Running.STOP)), status=Status.RUNNING)
    assert (gone.decision, gone.stop_first) == (Decision.DELETE, True)


def test_naming_running_in_status_is_not_enough() -> None:
    """`status: [RUNNING]` says which, `running: stop` says what to do with them; skip is the default."""
    assert decide(rules(policy(text("status", "RUNNING"))), status=Status.RUNNING).decision is Decision.KEEP


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (text("status", "FROZEN"), Decision.DELETE),
        (text("status", "STOPPED", "FROZEN"), Decision.DELETE),
        (AnyOf((text("status", "FROZEN"), over("age", days=1))), Decision.DELETE),
        (over("age", days=1), Decision.KEEP),
        (text("status", "*"), Decision.KEEP),
        (text("status", "F*"), Decision.KEEP),
        (Not(text("status", "STOPPED")), Decision.KEEP),
        (Not(Not(text("status", "FROZEN"))), Decision.KEEP),
        (AnyOf((Not(text("status", "FROZEN")), over("age", days=1))), Decision.KEEP),
    ],
)
def test_a_frozen_notebook_goes_only_where_the_policy_names_it(condition: Condition, expected: Decision) -> None:
    """Arrears are no reason to destroy data; only `FROZEN` in so many words is, and not inside a `not`."""
    verdict = decide(rules(policy(condition)), status=Status.FROZEN)
    assert verdict.decision is expected
    assert verdict.reason is (Reason.POLICY if expected is Decision.DELETE else Reason.FROZEN)


def test_running_stop_stops_nothing_that_does_not_run() -> None:
    """There is nothing to stop about a notebook at rest, a frozen one included."""
    for status in (Status.STOPPED, Status.ERROR, Status.FROZEN):
        verdict = decide(rules(policy(text("status", status.value), running=Running.STOP)), status=status)
        assert (verdict.decision, verdict.stop_first) == (Decision.DELETE, False)


def test_the_reason_to_delete_says_facts_and_thresholds() -> None:
    """A report must stand on its own: what was asked for, and what was there."""
    match = (text("status", "STOPPED"), over("idle", days=14), AnyOf((tag("keep", "*"), text("owner", "al*"))))
    sentence = decide(rules(policy(*match)), lease=None, updated_at=ago(days=21, hours=4)).sentence
    assert "status STOPPED" in sentence
    assert "idle 21d 4h (over 14d)" in sentence
    assert "owner alice / u1 (al*)" in sentence
    assert "tags.keep" not in sentence


def test_the_reason_to_delete_says_the_rule() -> None:
    """The sentence is for people, who want to know whose rule it was."""
    assert "forgotten" in decide(rules(policy(name="forgotten"))).sentence


def test_the_reason_to_keep_says_rule_fact_and_threshold() -> None:
    """A protected notebook says what protects it."""
    verdict = decide(rules(policy(), protect=(PROD,)), name="prod-7")
    assert "prod" in verdict.sentence
    assert "name prod-7 (prod-*)" in verdict.sentence
    assert [finding.condition for finding in verdict.findings] == ["name"]


@pytest.mark.parametrize(
    ("status", "words"),
    [(Status.RUNNING, ["old", "runs", "skip"]), (Status.FROZEN, ["old", "FROZEN", "status"])],
)
def test_a_match_that_is_not_acted_on_says_why(status: Status, words: list[str]) -> None:
    """The policy matched, and the sentence says what stood in its way."""
    verdict = decide(rules(policy(over("age", days=100))), status=status)
    assert [word for word in words if word not in verdict.sentence] == []
    assert str(verdict.findings[0]) == "age 200d (over 100d)"


def test_every_verdict_has_a_rule_and_a_sentence() -> None:
    """KEEP included, for every status and whatever is missing."""
    bare = Notebook("nb1", Status.STOPPED)
    for status in Status:
        for row in (notebook(status=status), Notebook("nb1", status), bare):
            verdict = judge(row, rules(policy(), protect=(KEEP_TAG,)), moment())
            assert verdict.rule
            assert verdict.sentence


def test_only_a_policy_is_a_reason_to_delete() -> None:
    """Whoever counts reasons can rely on it."""
    for status in Status:
        for running in Running:
            match = AnyOf((text("status", "FROZEN"), over("age", days=1)))
            verdict = decide(rules(policy(match, running=running)), status=status)
            assert (verdict.decision is Decision.DELETE) == (verdict.reason is Reason.POLICY)


def test_a_sighting_by_the_journal_changes_the_verdict() -> None:
    """What ran yesterday is not idle, whatever the cloud's dates say."""
    idle = rules(policy(over("idle", days=14)))
    assert judge(notebook(), idle, moment()).decision is Decision.DELETE
    assert judge(notebook(), idle, moment(nb1=ago(days=1))).decision is Decision.KEEP


def test_an_expired_lease_matches_at_any_age_of_its_renewal() -> None:
    """The example policy of the configuration file, on a notebook whose lease ended 99 days ago."""
    match = (
        AnyOf((over("age", days=365), over("lease_expired", days=30))),
        Not(AllOf((text("flavor", "*ascend*"),))),
    )
    forgotten = rules(policy(*match, name="forgotten", running=Running.STOP))
    assert decide(forgotten).decision is Decision.DELETE
    assert decide(forgotten, flavor="modelarts.ASCEND.910").decision is Decision.KEEP
    assert decide(forgotten, lease=lease(enabled=False)).decision is Decision.KEEP


# ---- what a person has chosen ---------------------------------------------------------------------------------------------


def chosen(*policies: str, excluded: frozenset[str] = frozenset()) -> Rules:
    """Return rules with the policies `first` and `second`, which both match, for a selection."""
    both = rules(policy(name="first"), policy(name="second"), protect=(KEEP_TAG,))
    return replace(both, selection=Selection(policies, excluded, "alice"))


def test_an_excluded_notebook_is_kept_before_any_rule_is_asked() -> None:
    """The reason names the person; what is deleted already is not kept by anybody."""
    verdict = decide(chosen(excluded=frozenset({"nb1"})), tags={"keep": "yes"})
    assert (verdict.decision, verdict.reason, verdict.sentence) == (Decision.KEEP, Reason.EXCLUDED, "excluded by alice")
    assert decide(chosen(excluded=frozenset({"nb2"}))).decision is Decision.DELETE
    assert decide(chosen(excluded=frozenset({"nb1"})), status=Status.DELETED).reason is Reason.ALREADY_DELETED


def test_a_policy_that_was_not_chosen_wins_and_keeps() -> None:
    """Both match; the first decides, whichever was chosen."""
    assert decide(chosen("first")).decision is Decision.DELETE
    assert decide(chosen("second", "first")).rule == "first"
    kept = decide(chosen("second"))
    assert (kept.decision, kept.reason, kept.rule) == (Decision.KEEP, Reason.POLICY_NOT_CHOSEN, "first")
    assert decide(chosen("second"), tags={"keep": "yes"}).reason is Reason.PROTECTED


def test_a_policy_that_was_not_chosen_and_cannot_be_checked_keeps() -> None:
    """With the missing fact it might win, so that no later policy may take its place; if both are chosen, one may go."""
    undated = policy(over("age", days=1), name="undated")
    idle = policy(over("idle", days=1), name="idle")
    unknown = notebook(created_at=None)
    for names, decision in (("idle",), Decision.KEEP), (("idle", "undated"), Decision.DELETE), ((), Decision.DELETE):
        verdict = judge(unknown, replace(rules(undated, idle), selection=Selection(names)), moment())
        assert verdict.decision is decision
        assert verdict.reason is (Reason.POLICY if decision is Decision.DELETE else Reason.UNKNOWN_FACT)


def test_a_missing_fact_is_asked_for_only_if_it_matters_to_what_was_chosen() -> None:
    """Without its date of creation no policy can be checked: with it, only the first could win."""
    undated = notebook(created_at=None)
    assert may_go(undated, chosen("first"), moment())
    assert not may_go(undated, chosen(excluded=frozenset({"nb1"})), moment())
