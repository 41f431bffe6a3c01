"""Invariant 1: every order is allowed by the policies, on facts no older than `fresh_for`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from simulation import oracle
from simulation.facts import Facts
from simulation.history import Order

if TYPE_CHECKING:
    from simulation.judge import Judge

A_MOMENT_S = 1e-6


def check_facts(judge: "Judge", order: Order, from_s: float, allowed: Sequence[str]) -> None:
    """Check that the facts since a time ask for an order of one of the allowed kinds."""
    from_s = max([from_s, *(at_s for calls, at_s in judge.woken if order.call.number > calls)])
    opinions = [
        _opinion(judge, order, state.facts, max(from_s, state.since_s), order.at_s)
        for state in judge.history.during(order.notebook_id, from_s, order.at_s - A_MOMENT_S)
        if state.facts is not None
    ]
    if not any(opinion.what in allowed for opinion in opinions):
        whys = "; ".join(f"{opinion.what}: {opinion.why}" for opinion in opinions)
        judge.record_violation(1, f"a {order.kind} of {order.notebook_id} is accepted, which ought to be kept: {whys}")


def _opinion(judge: "Judge", order: Order, facts: Facts, from_s: float, to_s: float) -> oracle.Opinion:
    """Return the oracle's opinion on a notebook, by any clock that nbsweep had in the interval."""
    opinions = [_opinion_at(judge, order, facts, moment_ms) for moment_ms in judge.clocks(from_s, to_s)]
    return next((one for one in opinions if one.what != "keep"), opinions[0])


def _opinion_at(judge: "Judge", order: Order, facts: Facts, now_ms: float) -> oracle.Opinion:
    config, run_id = judge.scenario.config, judge.runs.get(order.call.number)
    earlier = [
        one
        for one in judge.history.orders
        if one.notebook_id == order.notebook_id and one is not order and judge.runs.get(one.call.number) == run_id
    ]
    if _taken_for_ours(judge, order) and facts.status == "DELETE_FAILED":
        return oracle.protection(facts, config, now_ms) or oracle.Opinion("delete", "its deletion failed")
    if not earlier or _touched(judge, order.notebook_id, facts, earlier):
        return oracle.opinion(facts, config, now_ms)
    opinions = []
    for seen in _seen_before(judge, earlier[0]):
        as_before = _without(facts, [replace(earlier[0], before=seen), *earlier[1:]])
        if as_before is facts:
            return oracle.opinion(facts, config, now_ms)
        wish = oracle.protection(facts, config, now_ms) or oracle.wish(as_before, config, now_ms)
        opinions.append(replace(wish, what="delete") if wish.what == "stop" else wish)
    return next((one for one in opinions if one.what == "delete"), opinions[0])


def _seen_before(judge: "Judge", order: Order) -> list[Facts]:
    """Return the states that a decision may rest on: within `fresh_for`, and since the last suspension."""
    fresh_for_s = judge.settings.removal.fresh_for.total_seconds()
    from_s = max([order.call.begun_s - fresh_for_s, *(at_s for _, at_s in judge.woken if at_s <= order.at_s)])
    states = judge.history.during(order.notebook_id, from_s, order.at_s - A_MOMENT_S)
    return [state.facts for state in states if state.facts is not None] or [order.before]


def _touched(judge: "Judge", notebook_id: str, facts: Facts, earlier: Sequence[Order]) -> bool:
    """Return whether a user has visibly used a notebook since the first of our orders."""
    if not earlier:
        return False
    since = [one for one in judge.history.states[notebook_id] if one.since_s >= earlier[0].at_s]
    until = next((index for index, one in enumerate(since) if one.facts is facts), len(since) - 1)
    causes = [one.cause for one in since[: until + 1] if one.cause.startswith("user") or one.cause == "it has started"]
    # A change of the date alone is overwritten by the date of the next change.
    return any(cause != "user changes its files" for cause in causes)


def _taken_for_ours(judge: "Judge", order: Order) -> bool:
    """Return whether a deletion by the owner failed while the outcome of a DELETE of this run was unknown.

    Such a deletion cannot be told from ours, whose answer was lost or said only that an operation is under way.
    """
    run_id = judge.runs.get(order.call.number)
    sent = [
        call.begun_s
        for call in judge.history.calls
        if call.kind == "delete" and call.subject == order.notebook_id and call is not order.call
        if judge.runs.get(call.number) == run_id
    ]
    states = judge.history.states[order.notebook_id]
    begun = [state.since_s for state in states if state.cause == "user deletes it"]
    return bool(sent and begun and judge.failed_since(order.notebook_id, max(begun[-1], sent[0]), order.at_s))


def _without(facts: Facts, earlier: Sequence[Order]) -> Facts:
    """Return a notebook without the effects of our orders on its status and dates."""
    for order in reversed(earlier):
        before = order.before
        if order.kind == "delete" and facts.status == "DELETE_FAILED":
            facts = replace(facts, status=before.status, update_ms=before.update_ms, fail_reason=before.fail_reason)
        elif order.kind == "stop" and facts.status == "STOPPED":
            facts = replace(facts, status=before.status, update_ms=before.update_ms, term=before.term)
    return facts
