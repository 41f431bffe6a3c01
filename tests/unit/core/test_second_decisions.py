from datetime import timedelta
from typing import Any

import pytest

from nbsweep.core.conditions import Not
from nbsweep.core.model import LeaseType, Named, Notebook, Status
from nbsweep.core.policy import Decision, Policy, Reason, Rules, Running, Verdict, judge
from nbsweep.core.second_look import judge_after_failure, judge_after_stop
from unit.core.examples import NEVER_TOUCHED, ago, lease, moment, notebook, over, policy, protection, rules, tag, text

KEEP_TAG = protection(tag("keep", "*"), name="keep-tag")
BROKEN = [Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR]


def stopping(*match: Any) -> Policy:
    """Give a policy that stops what runs."""
    return policy(*match, running=Running.STOP)


def before(**changes: Any) -> Notebook:
    """Give the notebook as it ran when it was decided to stop it."""
    return notebook(status=Status.RUNNING, **changes)


def after(**changes: Any) -> Notebook:
    """Give the notebook as our own stop has left it a minute ago.

    Every date of a change has moved, and the total duration of the lease with them (API notes, section 8).
    """
    moved = lease(updated_at=ago(minutes=1), duration=timedelta(days=100, minutes=59))
    return notebook(**{"updated_at": ago(minutes=1), "lease": moved, **changes})


def after_stop(now: Notebook, asked: Rules, was: Notebook | None = None) -> Verdict:
    """Decide on the DELETE that is to follow a stop."""
    return judge_after_stop(was or before(), now, asked, moment(nb1=ago(minutes=2)))


@pytest.mark.parametrize(
    "asked",
    [
        rules(stopping(over("age", days=180))),
        rules(stopping(text("status", "RUNNING"))),
        rules(stopping(over("lease_expired", days=30))),
        rules(stopping(Not(text("status", "STOPPED")))),
        rules(policy(text("status", "STOPPED")), stopping(over("age", days=180))),
    ],
)
def test_our_own_stop_does_not_save_a_notebook(asked: Rules) -> None:
    """State and dates have changed, but by our own hand, so the policy that stopped it still matches."""
    verdict = after_stop(after(), asked)
    assert (verdict.decision, verdict.rule) == (Decision.DELETE, "old")
    assert not verdict.stop_first


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "prod-1"},
        {"tags": {"keep": "until-june"}},
        {"tags": None},
        {"owner": Named("u2", "bob")},
        {"flavor": None},
    ],
)
def test_what_the_owner_changed_meanwhile_saves_a_notebook(changes: dict[str, Any]) -> None:
    """Names, tags and owner are as fresh as in any second look, and a fact that has gone missing keeps it too."""
    match = (text("name", "exp*"), text("owner", "alice"), text("flavor", "*cpu*"))
    asked = rules(stopping(*match), protect=(KEEP_TAG,))
    assert after_stop(after(), asked).decision is Decision.DELETE
    assert after_stop(after(**changes), asked).decision is Decision.KEEP


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.STOPPED])
def test_anything_but_stopped_is_judged_as_it_is(status: Status) -> None:
    """A snapshot or a failure is nothing of our doing, and is decided on like any other notebook."""
    asked = rules(stopping(over("age", days=180)))
    now = after(status=status)
    verdict = after_stop(now, asked)
    assert verdict == judge(now, asked, moment())
    assert (verdict.decision is Decision.KEEP) == (status in {*NEVER_TOUCHED, Status.DELETED, Status.FROZEN})


def test_the_owners_restart_saves_a_notebook() -> None:
    """Somebody came back: what starts is not touched, and what runs again is judged by its own new dates."""
    assert after_stop(after(status=Status.STARTING), rules(stopping())).decision is Decision.KEEP
    renewed = lease(updated_at=ago(minutes=1), duration=timedelta(days=101))
    expired = rules(stopping(over("lease_expired", days=30)))
    assert after_stop(after(status=Status.RUNNING, lease=lease()), expired).decision is Decision.DELETE
    assert after_stop(after(status=Status.RUNNING, lease=renewed), expired).decision is Decision.KEEP
    named = rules(stopping(text("status", "STOPPED", "ERROR")))
    assert after_stop(after(status=Status.RUNNING), named).decision is Decision.KEEP


def test_a_running_notebook_is_never_deleted_unstopped() -> None:
    """Whatever a policy says, a DELETE for one that runs would have to stop it first."""
    for asked in (rules(stopping()), rules(policy()), rules(policy(text("status", "RUNNING")))):
        verdict = after_stop(after(status=Status.RUNNING), asked)
        assert verdict.decision is Decision.KEEP or verdict.stop_first


def test_a_protection_counts_as_things_are_now() -> None:
    """Any protection that matches keeps the notebook, so it must not be checked on a lease from before the stop."""
    protect = protection(text("lease.type", "IDLE"), name="on-idle-leases")
    now = after(lease=lease(type=LeaseType.IDLE, updated_at=ago(minutes=1)))
    assert after_stop(now, rules(stopping(), protect=(protect,))).decision is Decision.KEEP


def test_a_protection_of_what_is_in_use_does_not_count_our_own_stop_as_use() -> None:
    """One on idleness looks at the notebook as it was, which ran, and so had not been stopped at all."""
    used = protection(Not(over("idle", days=14)), name="used")
    assert after_stop(after(), rules(stopping(), protect=(used,))).decision is Decision.KEEP


@pytest.mark.parametrize("status", BROKEN)
def test_a_failed_deletion_may_be_tried_again(status: Status) -> None:
    """State and dates are what the failure left, so no policy need match; the one that decided stays on the record."""
    now = notebook(status=status, updated_at=ago(minutes=1))
    verdict = judge_after_failure(now, rules(policy(text("status", "STOPPED"))), "old", moment())
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.DELETE, Reason.POLICY, "old")
    assert status.value in verdict.sentence
    assert not verdict.stop_first


@pytest.mark.parametrize("status", BROKEN)
def test_a_protection_stops_another_try(status: Status) -> None:
    """A tag set while the first deletion failed is a tag."""
    now = notebook(status=status, tags={"keep": "yes"})
    verdict = judge_after_failure(now, rules(policy(), protect=(KEEP_TAG,)), "old", moment())
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.PROTECTED, "keep-tag")


@pytest.mark.parametrize("status", BROKEN)
def test_a_protection_that_cannot_be_checked_stops_another_try(status: Status) -> None:
    """Unknown never deletes, the second time as little as the first."""
    others = (protection(text("name", "prod-*")), KEEP_TAG)
    verdict = judge_after_failure(notebook(status=status, tags=None), rules(policy(), protect=others), "old", moment())
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.UNKNOWN_FACT, "keep-tag")
    assert "tags.keep is missing" in verdict.sentence


@pytest.mark.parametrize("status", [status for status in Status if status not in BROKEN])
def test_what_shows_no_failure_is_judged_as_it_is(status: Status) -> None:
    """If it runs, starts, is frozen or is stopped again after a failed deletion, only a policy that matches deletes it."""
    now = notebook(status=status)
    for asked in (rules(policy(over("age", days=365))), rules(policy()), rules(stopping(), protect=(KEEP_TAG,))):
        assert judge_after_failure(now, asked, "old", moment()) == judge(now, asked, moment())


def test_without_policies_nothing_is_tried_again() -> None:
    """An empty policy list deletes nothing on that account, not even what it had begun with."""
    now = notebook(status=Status.DELETE_FAILED)
    assert judge_after_failure(now, Rules(policies=()), "old", moment()).decision is Decision.KEEP


def test_a_policy_that_was_withdrawn_tries_nothing_again() -> None:
    """After a restart with other rules, a policy that no longer exists is no permission for another DELETE."""
    asked = rules(policy(over("age", days=365), name="another"))
    assert judge_after_failure(notebook(status=Status.DELETE_FAILED), asked, "old", moment()).decision is Decision.KEEP
