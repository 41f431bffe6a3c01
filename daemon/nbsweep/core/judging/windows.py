"""Checks whether the windows of the policy that wins are open."""

from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.reasons.model import Cause, CauseCode
from nbsweep.core.windows.window import is_open, next_opening


def judge_windows(rules: Rules, verdict: Verdict, now: datetime) -> Verdict:
    """Return the verdict DELETE of a policy while one of its windows is open; otherwise KEEP until the next one opens."""
    windows = rules.windows_of(verdict.rule)
    if verdict.decision is Decision.KEEP or is_open(windows, now):
        return verdict
    opens = next_opening(windows, now)
    cause = (
        Cause(CauseCode.OUTSIDE_WINDOW, verdict.rule, params={"opens": opens.isoformat()}, because=verdict.cause)
        if opens
        else Cause(CauseCode.NO_WINDOW, verdict.rule, because=verdict.cause)
    )
    return replace(Verdict(Decision.KEEP, Reason.OUTSIDE_WINDOW, verdict.rule, cause, verdict.findings), until=opens)
