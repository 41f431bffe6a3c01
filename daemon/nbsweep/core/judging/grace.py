"""Keeps a notebook whose deletion was not announced, or whose grace has not ended."""

from msgspec.structs import replace

from nbsweep.core.calendar.length import BusinessDays
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.marks.clearing import lacks, sign_of_use
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark, MarkState, due_at, is_stale
from nbsweep.core.model import Notebook
from nbsweep.core.reasons.model import Cause, CauseCode, Param


def judge_grace(notebook: Notebook, rules: Rules, verdict: Verdict, moment: Moment) -> Verdict:
    """Return a policy's verdict DELETE if the policy has no grace, or if the mark of this very instance is due; else KEEP."""
    policy = next(policy for policy in rules.policies if policy.name == verdict.rule)
    mark = rules.marks.get(notebook.id)
    if policy.grace is None:
        return _promised(mark, notebook, verdict, moment) or verdict
    if missing := lacks(mark, notebook):
        code = CauseCode.USE_SINCE_MARK_UNKNOWN if mark else CauseCode.CANNOT_BE_MARKED
        return _awaited(verdict, Reason.UNKNOWN_FACT, code, missing=missing)
    if mark is None or not mark.open or mark.policy != policy.name or mark.policy_digest != policy.digest:
        return _unannounced(verdict, policy.grace)
    if changed := sign_of_use(mark, notebook, moment):
        return _awaited(verdict, Reason.UNANNOUNCED, CauseCode.CHANGED_SINCE_MARK, change=changed.value)
    return _not_due(mark, policy.grace, verdict, moment) or verdict


def _unannounced(verdict: Verdict, grace: Grace) -> Verdict:
    if isinstance(grace.lasts, BusinessDays):
        count = grace.lasts.count
        return _awaited(verdict, Reason.UNANNOUNCED, CauseCode.UNANNOUNCED_IN_BUSINESS_DAYS, business_days=count)
    notice_s = int(grace.about.total_seconds())
    return _awaited(verdict, Reason.UNANNOUNCED, CauseCode.UNANNOUNCED, notice_s=notice_s)


def _promised(mark: Mark | None, notebook: Notebook, verdict: Verdict, moment: Moment) -> Verdict | None:
    """Return KEEP until the deadline that was written to the owner, which also binds a policy without grace."""
    if mark is None or not mark.open or mark.deadline is None or mark.deadline <= moment.now:
        return None
    if notebook.created_at is None:
        return _awaited(verdict, Reason.UNKNOWN_FACT, CauseCode.USE_SINCE_MARK_UNKNOWN, missing="create_at")
    if not mark.is_of(notebook):
        return None
    until = mark.deadline
    return replace(_awaited(verdict, Reason.TOLD, CauseCode.TOLD, until=until.isoformat()), until=until)


def _not_due(mark: Mark, grace: Grace, verdict: Verdict, moment: Moment) -> Verdict | None:
    """Return KEEP if the owner has not been told, or the grace has not ended."""
    due = due_at(mark, grace)
    if due is None or is_stale(mark, grace, moment.now):
        marked_at = mark.marked_at.isoformat()
        if mark.untold:
            code = CauseCode.TOLD_LATER if mark.retried else CauseCode.UNTOLD
            return _awaited(verdict, Reason.MARKED, code, marked_at=marked_at, untold=mark.untold)
        if mark.state is MarkState.TOLD:
            code = CauseCode.CLOCK_NOT_VERIFIED if due is None else CauseCode.NOTICE_STALE
            return _awaited(verdict, Reason.MARKED, code, marked_at=marked_at)
        return _awaited(verdict, Reason.MARKED, CauseCode.MARKED, marked_at=marked_at)
    if moment.now < due:
        return replace(_awaited(verdict, Reason.TOLD, CauseCode.TOLD, until=due.isoformat()), until=due)
    return None


def _awaited(verdict: Verdict, reason: Reason, code: CauseCode, **params: Param) -> Verdict:
    """Return KEEP in place of the verdict of a policy with grace; its cause keeps why the policy matches."""
    cause = Cause(code, verdict.rule, params=params, because=verdict.cause)
    return Verdict(Decision.KEEP, reason, verdict.rule, cause, verdict.findings)
