"""A policy with grace deletes only what has a due mark of the same instance and policy."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOON, ago, announcing, exemption, lease, mark, moment, notebook, over, policy, protection, text, told_mark
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Policy, Rules, Running
from nbsweep.core.judging.verdict import AWAITING, Decision, Reason, Verdict
from nbsweep.core.marks.model import ClearCause, Mark, MarkState, clear, renew_notice
from nbsweep.core.model import Named, Notebook, Status
from nbsweep.core.policy import judge, may_go
from nbsweep.core.selection import Selection

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
WEEK = announcing()


def decide(
    seen: Notebook | None = None, *marks: Mark, policies: tuple[Policy, ...] = (WEEK,), at: Moment | None = None, **more: Any
) -> Verdict:
    """Judge the first notebook."""
    rules = Rules(policies, marks={one.notebook_id: one for one in marks}, **more)
    return judge(seen or notebook(), rules, at or moment())


def test_what_is_due_goes() -> None:
    """Told eight days ago with a grace of seven; the reason is the policy's, as without a grace."""
    verdict = decide(None, told_mark())
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.DELETE, Reason.POLICY, "old")
    assert verdict == decide(None, policies=(policy(),))


def test_without_a_mark_it_is_kept_and_waits_for_one() -> None:
    """The policy matches, and gives notice."""
    verdict = decide()
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.UNANNOUNCED, "old")
    assert verdict.sentence == "policy old matches; it gives 7d of notice, and the notebook is not announced yet"


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (mark(), Reason.MARKED),
        (mark(deadline=ago(days=1)), Reason.MARKED),
        (mark(untold="no address"), Reason.MARKED),
        (told_mark(clock_verified=False), Reason.MARKED),
        (told_mark(told_at=ago(days=60), deadline=None), Reason.MARKED),
        (renew_notice(told_mark(), ("owner",)), Reason.MARKED),
        (told_mark(told_at=ago(days=7) + SECOND, deadline=None), Reason.TOLD),
        (told_mark(deadline=NOON + SECOND), Reason.TOLD),
        (told_mark(policy="other"), Reason.UNANNOUNCED),
        (told_mark(policy_digest="d0"), Reason.UNANNOUNCED),
        (told_mark(2, notebook_id="nb2"), Reason.UNANNOUNCED),
        (told_mark(notebook_created_at=ago(days=300)), Reason.UNANNOUNCED),
        (told_mark(owner_id="u9"), Reason.UNANNOUNCED),
        (clear(told_mark(), NOON, ClearCause.USED), Reason.UNANNOUNCED),
        (told_mark(state=MarkState.REMOVED), Reason.UNANNOUNCED),
    ],
)
def test_any_other_mark_keeps_it(one: Mark, reason: Reason) -> None:
    """Not told, by no verified clock, too long ago, too short a time ago, of another policy, instance or owner, or ended."""
    verdict = decide(None, one)
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, reason)
    assert reason in AWAITING


def test_the_verdict_of_what_is_told_knows_when_it_is_due() -> None:
    """For `list` and `explain`."""
    assert decide(None, told_mark(deadline=NOON + DAY)).until == NOON + DAY
    assert decide(None, mark()).until is None


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (mark(), "nobody has been told yet"),
        (mark(untold="no address"), "the owner cannot be told: no address"),
        (mark(untold="451 busy", retried=True), "telling the owner is tried again: 451 busy"),
        (told_mark(clock_verified=False), "the grace begins at the next complete survey"),
        (told_mark(told_at=ago(days=60), deadline=None), "its notice is too old"),
        (told_mark(deadline=NOON + DAY), "due on 2026-03-02 12:00Z"),
        (told_mark(notebook_created_at=ago(days=300)), "the notebook changed since: gone"),
    ],
)
def test_the_sentence_says_what_it_waits_for(one: Mark, words: str) -> None:
    """In words for people."""
    assert decide(None, one).sentence.endswith(words)


@pytest.mark.parametrize(
    "changes",
    [
        {"updated_at": ago(days=3)},
        {"lease": lease(updated_at=ago(days=3))},
        {"created_at": ago(days=3)},
        {"owner": Named("u2", "bob")},
        {"status": Status.ERROR},
    ],
)
def test_what_changed_since_the_mark_is_kept_though_the_policy_matches(changes: dict[str, Any]) -> None:
    """The policy asks only for the age of a notebook, and the grace has ended."""
    verdict = decide(notebook(**changes), told_mark())
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.UNANNOUNCED)


def test_what_was_seen_in_use_since_the_mark_is_kept() -> None:
    """By an earlier survey, or by that of another target."""
    assert decide(None, told_mark(), at=moment(nb1=ago(days=3))).reason is Reason.UNANNOUNCED


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"created_at": None}, "create_at"),
        ({"updated_at": None}, "update_at"),
        ({"lease": None}, "lease"),
        ({"lease": lease(updated_at=None)}, "lease.update_at"),
    ],
)
def test_a_fact_that_would_show_a_use_must_not_be_missing(changes: dict[str, Any], fact: str) -> None:
    """Unknown never deletes; an answer about that notebook may show the fact."""
    match = announcing(text("name", "exp*"))
    row = notebook(**changes, listed=True)
    verdict = decide(row, told_mark(), policies=(match,))
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.UNKNOWN_FACT)
    assert verdict.sentence.endswith(f"no {fact}")
    assert may_go(row, Rules((match,), marks={"nb1": told_mark()}), moment())


@pytest.mark.parametrize(
    ("changes", "fact"), [({"created_at": None}, "create_at"), ({"updated_at": None}, "update_at"), ({"lease": None}, "lease")]
)
def test_a_row_that_cannot_be_marked_is_asked_for(changes: dict[str, Any], fact: str) -> None:
    """Otherwise a listing that leaves out a fact would keep its notebooks for ever, without a word."""
    match = announcing(text("name", "exp*"))
    row = notebook(**changes, listed=True)
    verdict = decide(row, policies=(match,))
    assert verdict.reason is Reason.UNKNOWN_FACT
    assert verdict.sentence == f"policy old matches; it gives notice, and without {fact} the notebook cannot be marked"
    assert may_go(row, Rules((match,)), moment())
    assert not may_go(row, Rules((policy(text("name", "exp*")),)), moment())


def test_exactly_at_its_deadline_it_is_due() -> None:
    """Not a second earlier."""
    one = told_mark(told_at=ago(days=7), deadline=NOON)
    assert decide(None, one).decision is Decision.DELETE
    assert decide(None, one, at=Moment(NOON - SECOND)).decision is Decision.KEEP


def test_a_policy_that_stops_what_runs_gives_notice_of_that_too() -> None:
    """Nothing is stopped before the deadline either."""
    stops = announcing(running=Running.STOP)
    row, one = notebook(status=Status.RUNNING), told_mark(status=Status.RUNNING)
    due = decide(row, one, policies=(stops,))
    assert (due.decision, due.stop_first) == (Decision.DELETE, True)
    waits = decide(row, told_mark(status=Status.RUNNING, deadline=NOON + DAY), policies=(stops,))
    assert (waits.decision, waits.stop_first) == (Decision.KEEP, False)


# ---- the order of the checks ----------------------------------------------------------------------------------------------


def test_a_protection_and_an_exemption_keep_what_is_due() -> None:
    """A protection is named first."""
    kept = protection(text("name", "exp*"))
    assert decide(None, told_mark(), protections=(kept,)).reason is Reason.PROTECTED
    assert decide(None, told_mark(), exemptions=(exemption(),)).reason is Reason.EXEMPT
    assert decide(None, told_mark(), exemptions=(exemption(),), protections=(kept,)).reason is Reason.PROTECTED


def test_an_exemption_that_may_cover_keeps_what_is_due() -> None:
    """The listing does not show the owner's name, which an answer about that notebook may show."""
    row, given = notebook(owner=Named("u1", None)), (exemption(owner="bob"),)
    verdict = decide(row, told_mark(), exemptions=given)
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.UNKNOWN_FACT)
    assert may_go(row, Rules((WEEK,), exemptions=given, marks={"nb1": told_mark()}), moment())
    alike = notebook(owner=Named("u1", "b\N{CYRILLIC SMALL LETTER O}b"))
    assert decide(alike, told_mark(), exemptions=given).reason is Reason.UNKNOWN_FACT
    assert not may_go(alike, Rules((WEEK,), exemptions=given, marks={"nb1": told_mark()}), moment())


def test_the_verdict_of_an_exemption_knows_its_end() -> None:
    """For `list` and `explain`."""
    verdict = decide(None, told_mark(), exemptions=(exemption(),))
    assert verdict.until == NOON + 9 * DAY
    assert verdict.sentence == "exemption e1 (notebook nb1) until 2026-03-10 12:00Z: a paper is due"


def test_an_exemption_that_has_ended_keeps_nothing() -> None:
    """Nor one that was revoked, or that covers another notebook."""
    for given in (exemption(until=NOON), exemption(revoked_at=NOON), exemption(notebook_id="nb2")):
        assert decide(None, told_mark(), exemptions=(given,)).decision is Decision.DELETE


def test_a_policy_that_was_not_chosen_deletes_nothing_that_is_due() -> None:
    """Nor does one whose notebook was excluded."""
    assert decide(None, told_mark(), selection=Selection(("other",))).reason is Reason.POLICY_NOT_CHOSEN
    assert decide(None, told_mark(), selection=Selection(excluded=frozenset({"nb1"}), by="carol")).reason is Reason.EXCLUDED


# ---- promises bind all policies -------------------------------------------------------------------------------------------

PROMISED = told_mark(deadline=NOON + DAY)


def test_a_grace_that_was_removed_does_not_delete_before_the_deadline_that_was_told() -> None:
    """A policy that is edited can only move it later, and afterwards it deletes without a notice."""
    plain = (policy(),)
    verdict = decide(None, PROMISED, policies=plain)
    assert (verdict.decision, verdict.reason, verdict.until) == (Decision.KEEP, Reason.TOLD, NOON + DAY)
    assert decide(None, PROMISED, policies=plain, at=Moment(NOON + DAY)).decision is Decision.DELETE
    assert decide(None, mark(), policies=plain).decision is Decision.DELETE


def test_an_earlier_policy_without_grace_waits_for_the_deadline_that_was_told() -> None:
    """It was added, or matches only now."""
    earlier = policy(over("age", days=2), name="first")
    verdict = decide(None, PROMISED, policies=(earlier, WEEK))
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.TOLD, "first")


def test_a_promise_is_made_to_one_instance() -> None:
    """A notebook that may be another one is kept, and one that is another is not."""
    plain = (policy(text("name", "exp*")),)
    assert decide(notebook(created_at=ago(days=3)), PROMISED, policies=plain).decision is Decision.DELETE
    assert decide(notebook(created_at=None), PROMISED, policies=plain).reason is Reason.UNKNOWN_FACT
    assert decide(None, clear(PROMISED, NOON, ClearCause.USED), policies=plain).decision is Decision.DELETE


def test_rules_as_if_nothing_were_announced() -> None:
    """Neither graces nor promises count."""
    rules = Rules((WEEK,), marks={"nb1": PROMISED}).unannounced
    assert judge(notebook(), rules, moment()).decision is Decision.DELETE
