from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NEVER_TOUCHED, NOON, ago, lease, moment, notebook, over, policy, protection, rules, tag, text
from nbsweep.core.freshness import ClockReading
from nbsweep.core.judging.rules import Policy, Rules, Running
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.matching.conditions import Not
from nbsweep.core.model import LeaseType, Named, Notebook, Status
from nbsweep.core.own_orders import OrderKind, OwnOrder, answered, note_seen
from nbsweep.core.policy import judge
from nbsweep.core.second_look import judge_after_orders

READING = ClockReading(NOON, 1000.0, 1000.0)
KEEP_TAG = protection(tag("keep", "*"), name="keep-tag")
BROKEN = [Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR]


def stopping(*match: Any) -> Policy:
    """Return a policy that stops what runs."""
    return policy(*match, running=Running.STOP)


def before(**changes: Any) -> Notebook:
    """Return the notebook as it ran when it was decided to stop it."""
    return notebook(status=Status.RUNNING, **changes)


def after(**changes: Any) -> Notebook:
    """Return the notebook as our own stop has left it a minute ago.

    Every date of a change has moved, and the total duration of the lease with them (ModelArts API, section 8).
    """
    moved = lease(updated_at=ago(minutes=1), duration=timedelta(days=100, minutes=59))
    return notebook(**{"updated_at": ago(minutes=1), "lease": moved, **changes})


def after_stop(now: Notebook, asked: Rules, was: Notebook | None = None) -> Verdict:
    """Decide on the DELETE that is to follow a stop, which was answered a minute ago."""
    order = answered(OwnOrder(OrderKind.STOP, was or before()), ago(minutes=1), None, taken=True)
    return judge_after_orders((order,), now, asked, moment(nb1=ago(minutes=2)))


def after_failure(now: Notebook, asked: Rules, *, seen: Notebook | None = None) -> Verdict:
    """Decide on another DELETE of a notebook that was STOPPED before the first; `seen` is how it was seen in between."""
    order = answered(OwnOrder(OrderKind.DELETE, notebook()), ago(minutes=2), None, taken=True)
    for look in (seen, now):
        order = note_seen(order, look, READING, 60) if look else order
    return judge_after_orders((order,), now, asked, moment())


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


def failed(**changes: Any) -> Notebook:
    """Return the notebook as a deletion of ours has left it a minute ago."""
    return notebook(**{"status": Status.DELETE_FAILED, "updated_at": ago(minutes=1), "fail_reason": "in use", **changes})


IDLE = policy(text("status", "STOPPED"), over("idle", days=14), name="old")


def test_a_failed_deletion_may_be_tried_again() -> None:
    """Its state and its date are what our own DELETE left; the policy that decided sees it as it was before."""
    verdict = after_failure(failed(), rules(IDLE))
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.DELETE, Reason.POLICY, "old")
    assert "idle" in verdict.sentence
    assert "its deletion has failed, and is tried again" in verdict.sentence
    assert not verdict.stop_first


@pytest.mark.parametrize("status", [Status.ERROR, Status.START_FAILED, Status.CREATE_FAILED])
def test_a_failure_to_which_no_deletion_leads_is_judged_as_it_is(status: Status) -> None:
    """Someone has started it: its own dates count, by which it has failed a minute ago."""
    broken = policy(text("status", "ERROR", "*_FAILED"), over("idle", days=1), name="broken")
    for asked in (rules(IDLE), rules(broken), rules(IDLE, broken)):
        assert after_failure(failed(status=status), asked).decision is Decision.KEEP


@pytest.mark.parametrize("status", [Status.RUNNING, Status.STARTING, Status.STOPPING, Status.SNAPSHOTTING])
@pytest.mark.parametrize("then", BROKEN)
def test_what_was_seen_alive_since_a_delete_is_not_deleted_again(status: Status, then: Status) -> None:
    """Whatever it has come to since, and whatever policy would match."""
    anything = policy(text("name", "*"), name="anything")
    verdict = after_failure(failed(status=then), rules(anything), seen=failed(status=status))
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.USED_SINCE)
    assert status.value in verdict.sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": {"hold": "yes"}},
        {"name": "mine"},
        {"flavor": "another"},
        {"lease": lease(updated_at=ago(minutes=1))},
    ],
)
def test_what_the_owner_changed_since_a_delete_keeps_a_notebook(changes: dict[str, Any]) -> None:
    """A tag that a policy, and no protection, asks for; a name; a lease that a start or a renewal has moved."""
    asked = rules(policy(over("idle", days=14), Not(tag("hold", "*")), name="old"))
    assert after_failure(failed(), asked).decision is Decision.DELETE
    assert after_failure(failed(**changes), asked).decision is Decision.KEEP


def test_a_deletion_that_fails_again_is_ours_too() -> None:
    """It was DELETE_FAILED, and is again a minute later; nobody has seen it DELETING in between."""
    first = note_seen(answered(OwnOrder(OrderKind.DELETE, notebook()), ago(minutes=5), None, taken=True), failed(), READING, 60)
    second = answered(OwnOrder(OrderKind.DELETE, failed()), ago(seconds=40), None, taken=False)
    now = failed(updated_at=ago(seconds=10))
    orders = (first, note_seen(second, now, READING, 60))
    assert judge_after_orders(orders, now, rules(IDLE), moment()).decision is Decision.DELETE
    assert judge_after_orders((first, second), failed(), rules(IDLE), moment()).decision is Decision.DELETE


def test_a_date_that_moves_after_the_failure_is_not_ours() -> None:
    """The failed deletion has left one; a later one is somebody's."""
    verdict = after_failure(failed(updated_at=ago(seconds=10)), rules(IDLE), seen=failed())
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.USED_SINCE)


def test_a_protection_stops_another_try() -> None:
    """By a rule that has come since."""
    verdict = after_failure(failed(), rules(IDLE, protect=(protection(text("name", "exp*"), name="names"),)))
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.PROTECTED, "names")


def test_a_protection_that_cannot_be_checked_stops_another_try() -> None:
    """Unknown never deletes, the second time as little as the first."""
    others = (protection(text("name", "prod-*")), KEEP_TAG)
    verdict = after_failure(failed(tags=None), rules(IDLE, protect=others))
    assert (verdict.decision, verdict.reason, verdict.rule) == (Decision.KEEP, Reason.UNKNOWN_FACT, "keep-tag")


@pytest.mark.parametrize("status", [status for status in Status if status not in BROKEN])
def test_what_shows_no_failure_is_judged_as_it_is(status: Status) -> None:
    """If it is stopped again after a failed deletion, only a policy that matches deletes it; if it is used, none does."""
    now = notebook(status=status)
    for asked in (rules(policy(over("age", days=365))), rules(policy()), rules(stopping(), protect=(KEEP_TAG,))):
        verdict = after_failure(now, asked)
        assert verdict == judge(now, asked, moment()) or verdict.reason is Reason.USED_SINCE


def test_without_policies_nothing_is_tried_again() -> None:
    """An empty policy list deletes nothing on that account, not even what it had begun with."""
    assert after_failure(failed(), Rules(policies=())).decision is Decision.KEEP


def test_a_stop_a_deletion_and_a_failure_are_set_aside_one_after_the_other() -> None:
    """It ran, we stopped it, its deletion failed: the policy sees it as it ran, and a renewal shows all the same."""
    stop = answered(OwnOrder(OrderKind.STOP, before()), ago(minutes=1), None, taken=True)
    delete = answered(OwnOrder(OrderKind.DELETE, after()), ago(seconds=50), None, taken=True)
    now = after(status=Status.DELETE_FAILED, updated_at=ago(seconds=20), fail_reason="in use")
    asked = rules(stopping(over("age", days=180), text("status", "RUNNING")))
    sent = (note_seen(stop, after(), READING, 60), note_seen(delete, now, READING, 60))
    verdict = judge_after_orders(sent, now, asked, moment())
    assert (verdict.decision, verdict.stop_first) == (Decision.DELETE, False)
    renewed = replace(now, lease=lease(updated_at=ago(seconds=30), duration=timedelta(days=103)))
    assert judge_after_orders(sent, renewed, asked, moment()).reason is Reason.USED_SINCE


# ---- what a stop leaves, and what it does not ------------------------------------------------------------------------------


STOPS = rules(stopping(over("age", days=180)))


@pytest.mark.parametrize(
    ("updated", "duration"),
    [
        (ago(minutes=1), timedelta(days=102, minutes=59)),
        (ago(seconds=40), timedelta(days=100, minutes=59, seconds=20)),
        (ago(seconds=40), timedelta(days=103)),
    ],
    ids=["for longer", "later", "later and for longer"],
)
def test_a_renewal_during_stopping_keeps_a_notebook(updated: datetime, duration: timedelta) -> None:
    """The lease was renewed after our stop: for another time than was asked for before, or later than our order."""
    renewed = after(lease=lease(updated_at=updated, duration=duration))
    verdict = after_stop(renewed, STOPS)
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.USED_SINCE)


def test_the_answer_to_a_stop_says_what_it_left() -> None:
    """A renewal within the second, for the same time, is told from the stop by its date."""
    left = after(status=Status.STOPPING)
    order = answered(OwnOrder(OrderKind.STOP, before()), ago(minutes=1), left, taken=True)
    assert judge_after_orders((order,), after(), STOPS, moment()).decision is Decision.DELETE
    shifted = lease(updated_at=ago(seconds=59), duration=timedelta(days=100, minutes=59, seconds=1))
    assert judge_after_orders((order,), after(lease=shifted), STOPS, moment()).reason is Reason.USED_SINCE


@pytest.mark.parametrize(
    ("match", "decision"),
    [
        (over("age", days=180), Decision.DELETE),
        (over("idle", days=14), Decision.KEEP),
        (over("lease_expired", days=30), Decision.KEEP),
    ],
    ids=["age", "idle", "lease"],
)
def test_a_lease_that_moved_with_a_stop_whose_answer_was_lost_counts_as_it_is(match: Any, decision: Decision) -> None:
    """When the cloud did it is not known, and its owner may have renewed it for the same time: all rules decide on it."""
    order = answered(OwnOrder(OrderKind.STOP, before()), ago(minutes=1), None, taken=False)
    assert judge_after_orders((order,), after(), rules(stopping(match)), moment()).decision is decision


def test_a_lease_that_moved_after_the_lost_answer_is_a_sign_of_the_owner() -> None:
    """The call had ended by then."""
    order = answered(OwnOrder(OrderKind.STOP, before()), ago(minutes=2), None, taken=False)
    assert judge_after_orders((order,), after(), STOPS, moment()).reason is Reason.USED_SINCE


def test_a_stop_whose_answer_was_lost_sets_the_rest_aside() -> None:
    """Where the lease did not move, the state and its date are the stop's."""
    order = answered(OwnOrder(OrderKind.STOP, before()), ago(minutes=1), None, taken=False)
    assert judge_after_orders((order,), after(lease=before().lease), STOPS, moment()).decision is Decision.DELETE


def test_a_renewal_right_before_our_stop_shows_in_its_answer() -> None:
    """The answer's lease is for another time than the one that the decision to stop was made on."""
    renewed = lease(updated_at=ago(minutes=1), duration=timedelta(days=103))
    order = answered(OwnOrder(OrderKind.STOP, before()), ago(minutes=1), after(lease=renewed), taken=True)
    verdict = judge_after_orders((order,), after(lease=renewed), STOPS, moment())
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.USED_SINCE)


def test_a_renewal_right_after_our_stop_is_the_owners_where_the_answer_shows_the_lease_as_it_was() -> None:
    """The answer came within the seconds in which the dates could be ours, but a stop that moves a lease shows that in it."""
    unmoved = replace(before(), status=Status.STOPPING)
    order = answered(OwnOrder(OrderKind.STOP, before()), ago(minutes=1), unmoved, taken=True)
    renewed = after()
    assert judge_after_orders((order,), renewed, STOPS, moment()).reason is Reason.USED_SINCE
    assert judge_after_orders((order,), after(lease=before().lease), STOPS, moment()).decision is Decision.DELETE


def test_a_stop_may_switch_a_lease_off() -> None:
    """A lease that the answer shows as disabled is the stop's doing, and asks for no other time."""
    off = lease(enabled=False, updated_at=ago(minutes=1), duration=timedelta(days=103))
    order = answered(OwnOrder(OrderKind.STOP, before()), ago(minutes=1), after(lease=off), taken=True)
    assert judge_after_orders((order,), after(lease=off), STOPS, moment()).decision is Decision.DELETE


@pytest.mark.parametrize("kind", OrderKind)
def test_a_sleep_while_an_order_was_on_its_way_keeps_a_notebook(kind: OrderKind) -> None:
    """Someone may have used it in that time, before the order arrived, and the order's own dates hide theirs."""
    slept = ClockReading(READING.wall + timedelta(hours=2), READING.steady_s + 1, READING.boot_s + 7200)
    awake = ClockReading(READING.wall + timedelta(seconds=5), READING.steady_s + 5, READING.boot_s + 5)
    first, now = (before(), after()) if kind is OrderKind.STOP else (notebook(), failed())
    for ended, decision in ((awake, Decision.DELETE), (slept, Decision.KEEP)):
        order = answered(OwnOrder(kind, first, seen_at=READING), ago(minutes=1), None, taken=True, ended=ended)
        verdict = judge_after_orders((note_seen(order, now, ended, 60),), now, rules(stopping(over("age", days=180))), moment())
        assert verdict.decision is decision


def test_a_further_value_of_a_tag_is_a_sign_of_the_owner() -> None:
    """A key may stand there twice: the second value was set during STOPPING."""
    told = after(tags={"team": "a"}, repeated_tags=(("team", "b"),))
    assert after_stop(after(tags={"team": "a"}), STOPS, before(tags={"team": "a"})).decision is Decision.DELETE
    assert after_stop(told, STOPS, before(tags={"team": "a"})).reason is Reason.USED_SINCE


def test_without_a_lease_nobody_may_have_looked_away_for_long() -> None:
    """Where no date of a lease would tell of a start, one may have come and gone between two looks ten minutes apart."""
    order = answered(OwnOrder(OrderKind.STOP, before(lease=None), seen_at=READING), ago(minutes=1), None, taken=True)
    now = after(lease=None)
    for seconds, decision in ((50, Decision.DELETE), (600, Decision.KEEP)):
        later = ClockReading(READING.wall + timedelta(seconds=seconds), READING.steady_s + seconds, READING.boot_s + seconds)
        assert judge_after_orders((note_seen(order, now, later, 60),), now, STOPS, moment()).decision is decision


def test_a_notebook_that_ran_again_is_kept() -> None:
    """It was seen STOPPING, then RUNNING, then STOPPED: the last stop was not ours. RUNNING before STOPPING is only late."""
    order = answered(OwnOrder(OrderKind.STOP, before()), ago(minutes=1), None, taken=True)
    for statuses, decision in (
        ((Status.RUNNING, Status.STOPPING, Status.STOPPED), Decision.DELETE),
        ((Status.STOPPING, Status.RUNNING, Status.STOPPED), Decision.KEEP),
        ((Status.STOPPING, Status.STARTING, Status.STOPPED), Decision.KEEP),
    ):
        noted = order
        for status in statuses:
            noted = note_seen(noted, after(status=status), READING, 60)
        assert judge_after_orders((noted,), after(), STOPS, moment()).decision is decision
