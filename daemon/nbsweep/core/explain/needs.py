"""What would have to change before a kept notebook may be deleted. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from nbsweep.core.exemptions.covering import covers
from nbsweep.core.explain.requirements import (
    AnyRequired,
    AnyRequirement,
    Requirement,
    RuleRequirement,
    all_required,
    any_required,
    concerns,
    requirement_of,
)
from nbsweep.core.facts import Moment
from nbsweep.core.judging.grace import judge_grace
from nbsweep.core.judging.rules import Policy, Rules
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.marks.grace import OWNER, Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import IN_TRANSITION, Notebook, Status
from nbsweep.core.policy import judge, matched
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.core.reasons.model import Param
from nbsweep.core.reasons.sentences.requirements import RequirementCode
from nbsweep.core.reasons.statement import SEVERAL, Statement


def needs_of_deletion(rules: Rules, notebook: Notebook, moment: Moment) -> AnyRequirement:
    """Return everything that has to change before a kept notebook may be deleted."""
    if notebook.status is Status.DELETED:
        return AnyRequired(())
    needs: list[AnyRequirement] = []
    if notebook.status in IN_TRANSITION:
        needs.append(_requirement("status", RequirementCode.OPERATION_ENDS, status=notebook.status.value))
    for rule in rules.protections:
        need = requirement_of(rule.match, rule.match.check(notebook, moment), Truth.FAIL, notebook, moment)
        needs += [_of_rule(RequirementCode.PROTECTION_STOPS, rule.name, need)] if need else []
    needs += _needs_of_exemptions(rules, notebook, moment)
    policies = [_needs_of_policy(place, rules, notebook, moment) for place in range(len(rules.policies))]
    if all(policies):
        needs.append(any_required([need for need in policies if need]))
    needs += _needs_of_time(judge(notebook, rules, moment))
    return all_required(needs)


def _needs_of_time(verdict: Verdict) -> Iterator[Requirement]:
    """Yield what a notebook waits for that a policy would delete."""
    if verdict.reason is Reason.OUTSIDE_WINDOW:
        code = RequirementCode.NEXT_WINDOW if verdict.until else RequirementCode.WINDOW
        yield _requirement("windows", code, verdict.until, rule=verdict.rule)
    if verdict.reason is Reason.HELD_OUT and verdict.until:
        yield _requirement("holdout", RequirementCode.HOLDOUT_ENDS, verdict.until)


def _needs_of_exemptions(rules: Rules, notebook: Notebook, moment: Moment) -> Iterator[Requirement]:
    """Yield what each exemption needs that covers the notebook, or may cover it."""
    for exemption in rules.exemptions:
        if exemption.in_force(moment.now) and covers(exemption.selector, notebook)[0] is not Truth.FAIL:
            yield _requirement("exemption", RequirementCode.EXEMPTION_ENDS, exemption.until, exemption=exemption.id)


def _needs_of_policy(place: int, rules: Rules, notebook: Notebook, moment: Moment) -> AnyRequirement | None:
    """Return what one policy needs to delete a notebook, apart from protections; None if it needs nothing."""
    policy = rules.policies[place]
    needs = [need for earlier in rules.policies[:place] if (need := _needs_to_pass_by(earlier, rules, notebook, moment))]
    finding = policy.match.check(notebook, moment)
    need = requirement_of(policy.match, finding, Truth.PASS, notebook, moment)
    needs += [need] if need else []
    if not concerns(need, "status") and matched(notebook, policy, finding).decision is Decision.KEEP:
        needs.append(_needs_of_state(policy, notebook.status))
    if notice := _needs_of_notice(policy, finding, rules, notebook, moment):
        if not needs:
            return _of_rule(RequirementCode.POLICY_GIVES_NOTICE, policy.name, notice)
        needs.append(notice)
    return _of_rule(RequirementCode.POLICY_MATCHES, policy.name, all_required(needs)) if needs else None


def _needs_of_notice(policy: Policy, finding: Finding, rules: Rules, notebook: Notebook, moment: Moment) -> Requirement | None:
    """Return what is missing of the announcement of a policy; None if it gives no notice, or the notebook is due."""
    verdict = matched(notebook, policy, finding)
    if verdict.decision is Decision.DELETE and finding.truth is Truth.PASS:
        verdict = judge_grace(notebook, rules, verdict, moment)
        if verdict.decision is Decision.DELETE:
            return None
        if verdict.until is not None:
            return _requirement("grace", RequirementCode.DEADLINE_PASSES, verdict.until)
        if verdict.reason is Reason.UNKNOWN_FACT:
            return _requirement("grace", RequirementCode.SHOWN, missing=verdict.cause.params["missing"])
    return _notice(policy.grace, rules.marks.get(notebook.id)) if policy.grace else None


def _notice(grace: Grace, mark: Mark | None) -> Requirement:
    """Return what has to happen to a notebook before its grace begins, and how long the grace lasts."""
    steps = [] if mark and mark.open else [Statement(RequirementCode.MARKED)]
    missing = grace.surveys - (mark.surveys if mark and mark.open else 1)
    if missing > 0:
        steps.append(Statement(RequirementCode.SURVEYS_AGREE, {"surveys": missing}))
    if grace.tell == (OWNER,):
        steps.append(Statement(RequirementCode.OWNER_TOLD))
    else:
        steps.append(Statement(RequirementCode.OTHERS_TOLD, {"recipients": SEVERAL.join(grace.tell)}))
    if isinstance(grace.lasts, timedelta):
        length = {"grace_s": int(grace.lasts.total_seconds())}
        return Requirement("grace", Statement(RequirementCode.NOTICE, length, tuple(steps)))
    days = {"business_days": grace.lasts.count}
    return Requirement("grace", Statement(RequirementCode.NOTICE_IN_BUSINESS_DAYS, days, tuple(steps)))


def announced_outcome(policy: Policy, finding: Finding, rules: Rules, notebook: Notebook, moment: Moment) -> Verdict:
    """Return the verdict of a policy that matches, which may give notice first."""
    verdict = matched(notebook, policy, finding)
    return judge_grace(notebook, rules, verdict, moment) if verdict.decision is Decision.DELETE else verdict


def _needs_to_pass_by(policy: Policy, rules: Rules, notebook: Notebook, moment: Moment) -> AnyRequirement | None:
    """Return what is needed so that an earlier policy, which keeps this notebook, does not match; None if it does not."""
    finding = policy.match.check(notebook, moment)
    if finding.truth is Truth.FAIL:
        return None
    passes = finding.truth is Truth.PASS
    outcome = announced_outcome(policy, finding, rules, notebook, moment) if passes else matched(notebook, policy, finding)
    if outcome.decision is Decision.DELETE:
        return None
    need = requirement_of(policy.match, finding, Truth.FAIL, notebook, moment)
    return _of_rule(RequirementCode.EARLIER_POLICY_STOPS, policy.name, need) if need else None


def _needs_of_state(policy: Policy, status: Status) -> AnyRequirement:
    if status is Status.RUNNING:
        stopped = _requirement("status", RequirementCode.STOPPED)
        return AnyRequired((stopped, _requirement("running", RequirementCode.SAYS_STOP, rule=policy.name)))
    return _requirement("status", RequirementCode.NAMES_STATUS, rule=policy.name, status=status.value)


def _requirement(condition: str, code: RequirementCode, at: datetime | None = None, **params: Param) -> Requirement:
    """Return a requirement that happens by itself at a moment, which its sentence names, or that has none."""
    moment: dict[str, Param] = {"at": at.isoformat()} if at else {}
    return Requirement(condition, Statement(code, {**params, **moment}), at)


def _of_rule(code: RequirementCode, rule: str, need: AnyRequirement) -> RuleRequirement:
    return RuleRequirement(Statement(code, {"rule": rule}), need)
