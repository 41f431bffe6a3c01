"""One notebook, the rules and the moment in; a verdict with its reason out."""

from nbsweep.core.exemptions.covering import find_exemption
from nbsweep.core.facts import Moment
from nbsweep.core.judging.exemption import judge_exemptions
from nbsweep.core.judging.grace import judge_grace
from nbsweep.core.judging.holdout import judge_holdout
from nbsweep.core.judging.rules import Policy, Protection, Rules, Running
from nbsweep.core.judging.verdict import Decision, Reason, Verdict, keep
from nbsweep.core.judging.windows import judge_windows
from nbsweep.core.listing.belonging import Stray, find_stray
from nbsweep.core.marks.clearing import lacks
from nbsweep.core.matching.missing_facts import lacks_facts
from nbsweep.core.matching.structure import leaves, names_status
from nbsweep.core.model import IN_TRANSITION, Notebook, Status
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.core.reasons.model import NO_PARAMS, Cause, CauseCode
from nbsweep.core.selection import EVERY_NOTEBOOK, Selection


def judge(notebook: Notebook, rules: Rules, moment: Moment) -> Verdict:
    """Decide on one notebook; in doubt it is kept.

    The order of the checks is: whether the target covers the notebook, whether a person has excluded it, states that are never
    touched, protections, exemptions, and then the policies, of which the first that matches wins. A coverage, a protection or
    an exemption that cannot be checked counts once a policy matches. If the policy that wins was not chosen, no later policy
    takes its place. If it has a grace, the mark of the notebook must be due; if it has windows, one of them must be open. What
    would be deleted after all that may be held out.
    """
    stray = find_stray(notebook, rules.coverage)
    if untouched := _untouched(notebook, rules.selection, stray):
        return untouched
    protected = judge_protections(notebook, rules.protections, moment)
    if protected and protected.reason is Reason.PROTECTED:
        return protected
    exempt = judge_exemptions(notebook, rules.exemptions, moment)
    if exempt and exempt.reason is Reason.EXEMPT:
        return exempt
    verdict = judge_policies(notebook, rules.policies, moment, rules.selection)
    if verdict.decision is Decision.KEEP:
        return verdict
    doubt = keep(Reason.UNKNOWN_FACT, stray.cause) if stray else protected or exempt
    if doubt:
        return doubt
    announced = judge_windows(rules, judge_grace(notebook, rules, verdict, moment), moment.now)
    return judge_holdout(notebook, rules, announced, moment)


def _untouched(notebook: Notebook, selection: Selection, stray: Stray | None) -> Verdict | None:
    """Return the verdict of a notebook that is kept before any configured rule is checked."""
    if stray and not stray.unshown:
        return keep(Reason.ELSEWHERE, stray.cause)
    if notebook.status is Status.DELETED:
        return keep(Reason.ALREADY_DELETED, Cause(CauseCode.ALREADY_DELETED))
    if notebook.id in selection.excluded:
        return keep(Reason.EXCLUDED, Cause(CauseCode.EXCLUDED, params={"by": selection.by}))
    if notebook.status in IN_TRANSITION:
        return keep(Reason.IN_TRANSITION, Cause(CauseCode.IN_TRANSITION, params={"status": notebook.status.value}))
    return None


def may_go(notebook: Notebook, rules: Rules, moment: Moment) -> bool:
    """Return whether only missing facts may keep a notebook: with those facts, a policy might delete it."""
    stray = find_stray(notebook, rules.coverage)
    if _untouched(notebook, rules.selection, stray):
        return False
    if not _needs_facts(notebook, rules, moment, stray) and not any(
        lacks_facts(condition, notebook, moment) for condition in rules.conditions
    ):
        return False
    if any(protection.match.check(notebook, moment).truth is Truth.PASS for protection in rules.protections):
        return False
    for policy in rules.policies:
        finding = policy.match.check(notebook, moment)
        deletes = finding.truth is not Truth.FAIL and matched(notebook, policy, finding).decision is Decision.DELETE
        if deletes and rules.selection.takes(policy.name):
            return True
        if finding.truth is Truth.PASS:
            return False
    return False


def _needs_facts(notebook: Notebook, rules: Rules, moment: Moment, stray: Stray | None) -> bool:
    """Return whether something else than a condition lacks a fact: the coverage, a mark, or an exemption."""
    mark = rules.marks.get(notebook.id)
    announces = mark is not None or any(policy.grace for policy in rules.policies)
    found = find_exemption(notebook, rules.exemptions, moment.now) if rules.exemptions else None
    return bool(stray or (announces and lacks(mark, notebook)) or (found and found.lacks_fact(notebook)))


def judge_protections(notebook: Notebook, protections: tuple[Protection, ...], moment: Moment) -> Verdict | None:
    """Return the verdict of the first protection that passes, or else of the first that cannot be checked, or else None."""
    doubt: Verdict | None = None
    for protection in protections:
        finding = protection.match.check(notebook, moment)
        if finding.truth is Truth.PASS:
            return _protected(protection, finding)
        if finding.truth is Truth.UNKNOWN and doubt is None:
            doubt = _unknown(protection, finding)
    return doubt


def judge_policies(
    notebook: Notebook, policies: tuple[Policy, ...], moment: Moment, selection: Selection = EVERY_NOTEBOOK
) -> Verdict:
    """Decide by the policies alone; the first that matches wins, and if it was not chosen, it keeps the notebook."""
    doubt: Verdict | None = None
    for policy in policies:
        finding = policy.match.check(notebook, moment)
        outcome = matched(notebook, policy, finding)
        if outcome.decision is Decision.DELETE and not selection.takes(policy.name):
            outcome = _not_chosen(outcome)
        if finding.truth is Truth.PASS:
            return outcome
        if finding.truth is Truth.UNKNOWN:
            doubt = doubt or _unknown(policy, finding)
            if outcome.decision is Decision.KEEP or policy.grace is not None:
                # With the missing fact this policy might match, win and keep the notebook, if only until its owner was told: no
                # later policy may delete it.
                return doubt
    return doubt or keep(Reason.NO_POLICY, Cause(CauseCode.NO_POLICY))


def matched(notebook: Notebook, policy: Policy, finding: Finding) -> Verdict:
    """Return the verdict of a policy that matches; it may still keep a running or frozen notebook."""
    passed = leaves(finding, Truth.PASS)
    stops = notebook.status is Status.RUNNING
    if stops and policy.running is Running.SKIP:
        cause = Cause(CauseCode.RUNNING_SKIPPED, policy.name)
        return Verdict(Decision.KEEP, Reason.RUNNING, policy.name, cause, passed)
    if notebook.status is Status.FROZEN and not names_status(policy.match, Status.FROZEN):
        cause = Cause(CauseCode.FROZEN_NOT_NAMED, policy.name)
        return Verdict(Decision.KEEP, Reason.FROZEN, policy.name, cause, passed)
    cause = Cause(CauseCode.POLICY_MATCHES, policy.name, passed, NO_PARAMS)
    return Verdict(Decision.DELETE, Reason.POLICY, policy.name, cause, passed, stop_first=stops)


def _protected(protection: Protection, finding: Finding) -> Verdict:
    passed = leaves(finding, Truth.PASS)
    cause = Cause(CauseCode.PROTECTED, protection.name, passed)
    return Verdict(Decision.KEEP, Reason.PROTECTED, protection.name, cause, passed, by_protection=True)


def _not_chosen(verdict: Verdict) -> Verdict:
    cause = Cause(CauseCode.POLICY_NOT_CHOSEN, verdict.rule)
    return Verdict(Decision.KEEP, Reason.POLICY_NOT_CHOSEN, verdict.rule, cause, verdict.findings)


def _unknown(rule: Policy | Protection, finding: Finding) -> Verdict:
    by_protection = isinstance(rule, Protection)
    missing = leaves(finding, Truth.UNKNOWN)
    cause = Cause(CauseCode.PROTECTION_UNKNOWN if by_protection else CauseCode.POLICY_UNKNOWN, rule.name, missing)
    return Verdict(Decision.KEEP, Reason.UNKNOWN_FACT, rule.name, cause, missing, by_protection=by_protection)
