"""The same rules with another idle time: what if each `idle_over` were 7, 14 or 30 days?"""

from datetime import timedelta

from msgspec.structs import replace

from nbsweep.core.backtest.model import Trial
from nbsweep.core.judging.rules import Policy
from nbsweep.core.matching.conditions import AllOf, AnyOf, Condition, LongerThan, Not

IDLE_OVER = "idle_over"


def with_idle_over(trial: Trial, length: timedelta) -> Trial:
    """Return a trial whose policies ask for this idle time wherever they ask for one."""
    policies = tuple(_of_policy(policy, length) for policy in trial.rules.policies)
    return replace(trial, rules=replace(trial.rules, policies=policies))


def asks_for_idle_time(trial: Trial) -> bool:
    """Return whether any policy has an `idle_over`."""
    return with_idle_over(trial, timedelta.max) != trial


def _of_policy(policy: Policy, length: timedelta) -> Policy:
    return replace(policy, match=_of_all(policy.match, length))


def _of_all(condition: AllOf, length: timedelta) -> AllOf:
    return AllOf(tuple(_replaced(part, length) for part in condition.parts))


def _replaced(condition: Condition, length: timedelta) -> Condition:
    match condition:
        case LongerThan(key=key) if key == IDLE_OVER:
            return replace(condition, threshold=length)
        case AllOf():
            return _of_all(condition, length)
        case AnyOf(parts=parts):
            return AnyOf(tuple(_replaced(part, length) for part in parts))
        case Not(part=part):
            return Not(_replaced(part, length))
        case _:
            return condition
