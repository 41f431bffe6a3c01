"""Decides again right before each DELETE, without the changes that nbsweep's own orders made."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Reason, Verdict, keep
from nbsweep.core.lifecycle import Removal, State, may_still_arrive
from nbsweep.core.listing.belonging import differs_from, find_stray
from nbsweep.core.matching.structure import leaves
from nbsweep.core.model import Notebook, Scope, Status
from nbsweep.core.own_orders import OrderKind, OwnOrder, as_before, sign_of_owner
from nbsweep.core.policy import judge, judge_protections
from nbsweep.core.reasons.finding import Truth
from nbsweep.core.reasons.model import Cause, CauseCode

SAID_FIRST = frozenset({Reason.ALREADY_DELETED, Reason.IN_TRANSITION, Reason.PROTECTED})
"""Reasons to keep a notebook that are more specific than that a user has changed it."""


def decide_again(
    removal: Removal, seen: Notebook, orders: tuple[OwnOrder, ...], rules: Rules, moment: Moment, *, may_stop: bool = True
) -> Verdict:
    """Decide again on what a fresh look shows; the verdict's cause names what has changed.

    `orders` are the stops and DELETEs that nbsweep has sent for this notebook, in their order. `may_stop` is False if a saved
    plan permits the DELETE of this notebook, but no stop.
    """
    if difference := differs_from(seen, Scope(removal.workspace_id, removal.feature)):
        return keep(Reason.ELSEWHERE, difference)
    if stray := find_stray(seen, rules.coverage):
        return keep(Reason.ELSEWHERE, stray.cause)
    verdict = judge_after_orders(orders, seen, rules, moment)
    stopped = any(order.kind is OrderKind.STOP and order.taken for order in orders)
    if verdict.stop_first and (removal.state is State.ACCEPTED or stopped or not may_stop):
        return kept_in_use(verdict)
    if verdict.reason is Reason.NO_POLICY and removal.state is not State.ACCEPTED:
        return replace(verdict, cause=why_no_longer(seen, rules, removal.policy, moment))
    return verdict


def judge_after_orders(orders: tuple[OwnOrder, ...], now: Notebook, rules: Rules, moment: Moment) -> Verdict:
    """Decide by all rules on a notebook that nbsweep's own orders may have changed.

    A sign of use since any of the orders keeps the notebook. Otherwise the policies see it as it would be without the orders.
    The protections check both the notebook as it is and as it would be.
    """
    plain = judge(now, rules, moment)
    if plain.reason in SAID_FIRST:
        return plain
    without = now
    for order in reversed(orders):
        if sign := sign_of_owner(order, without):
            return keep(Reason.USED_SINCE, sign)
        without = as_before(order, without)
    if without is now:
        return plain
    if protected := judge_protections(now, rules.protections, moment):
        return protected
    verdict = judge(without, rules, moment)
    retried = now.status is Status.DELETE_FAILED and verdict.decision is Decision.DELETE
    cause = Cause(CauseCode.DELETION_RETRIED, because=verdict.cause) if retried else verdict.cause
    return replace(verdict, cause=cause, stop_first=False)


def under_way(removal: Removal, seen: Notebook, now: datetime, grace: timedelta) -> bool:
    """Return whether an order of nbsweep may still be under way on a notebook that is to be kept."""
    match removal.state:
        case State.REQUESTED:
            return seen.status is Status.DELETING or may_still_arrive(removal, now, grace)
        case State.ACCEPTED:
            return seen.status is Status.DELETING
        case _:
            return removal.state is State.STOPPING and seen.status is Status.STOPPING


def kept_in_use(verdict: Verdict) -> Verdict:
    """Return KEEP for a notebook that runs although it was stopped, or its deletion had begun."""
    cause = Cause(CauseCode.RUNS_AGAIN, because=verdict.cause)
    return Verdict(Decision.KEEP, Reason.RUNNING, verdict.rule, cause, verdict.findings)


def why_no_longer(notebook: Notebook, rules: Rules, policy: str, moment: Moment) -> Cause:
    """Return the conditions of the notebook's policy that no longer hold."""
    match = next(rule.match for rule in rules.policies if rule.name == policy)
    finding = match.check(notebook, moment)
    failed = (*leaves(finding, Truth.FAIL), *leaves(finding, Truth.UNKNOWN))
    return Cause(CauseCode.NO_LONGER_MATCHES, policy, failed)
