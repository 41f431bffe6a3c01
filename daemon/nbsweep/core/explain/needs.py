"""What would have to change before a kept notebook may be deleted. Pure."""

from collections.abc import Iterator

from nbsweep.core.calendar.length import describe_length
from nbsweep.core.exemptions.covering import covers
from nbsweep.core.explain.requirements import (
    AnyRequired,
    AnyRequirement,
    Requirement,
    RuleRequirement,
    all_required,
    any_required,
    concerns,
    moment_words,
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


def needs_of_deletion(rules: Rules, notebook: Notebook, moment: Moment) -> AnyRequirement:
    """Return everything that has to change before a kept notebook may be deleted."""
    if notebook.status is Status.DELETED:
        return AnyRequired(())
    needs: list[AnyRequirement] = []
    if notebook.status in IN_TRANSITION:
        needs.append(Requirement("status", f"the cloud would have to finish its operation: it is {notebook.status}"))
    for rule in rules.protections:
        need = requirement_of(rule.match, rule.match.check(notebook, moment), Truth.FAIL, notebook, moment)
        needs += [RuleRequirement(f"protection {rule.name} would have to stop matching", need)] if need else []
    needs += _needs_of_exemptions(rules, notebook, moment)
    policies = [_needs_of_policy(place, rules, notebook, moment) for place in range(len(rules.policies))]
    if all(policies):
        needs.append(any_required([need for need in policies if need]))
    needs += _needs_of_time(judge(notebook, rules, moment))
    return all_required(needs)


def _needs_of_time(verdict: Verdict) -> Iterator[Requirement]:
    """Yield what a notebook waits for that a policy would delete."""
    if verdict.reason is Reason.OUTSIDE_WINDOW:
        opens = f", as the next one does at {moment_words(verdict.until)}" if verdict.until else ""
        yield Requirement("windows", f"a window of policy {verdict.rule} would have to open{opens}", verdict.until)
    if verdict.reason is Reason.HELD_OUT and verdict.until:
        words = f"its holdout would have to end, as it will at {moment_words(verdict.until)}"
        yield Requirement("holdout", words, verdict.until)


def _needs_of_exemptions(rules: Rules, notebook: Notebook, moment: Moment) -> Iterator[Requirement]:
    """Yield what each exemption needs that covers the notebook, or may cover it."""
    for exemption in rules.exemptions:
        if exemption.in_force(moment.now) and covers(exemption.selector, notebook)[0] is not Truth.FAIL:
            until = moment_words(exemption.until)
            words = f"exemption {exemption.id} would have to end, as it will at {until}, or to be revoked"
            yield Requirement("exemption", words, exemption.until)


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
            return RuleRequirement(f"policy {policy.name} matches, and gives notice", notice)
        needs.append(notice)
    return RuleRequirement(f"policy {policy.name} would have to match", all_required(needs)) if needs else None


def _needs_of_notice(policy: Policy, finding: Finding, rules: Rules, notebook: Notebook, moment: Moment) -> Requirement | None:
    """Return what is missing of the announcement of a policy; None if it gives no notice, or the notebook is due."""
    verdict = matched(notebook, policy, finding)
    if verdict.decision is Decision.DELETE and finding.truth is Truth.PASS:
        verdict = judge_grace(notebook, rules, verdict, moment)
        if verdict.decision is Decision.DELETE:
            return None
        if verdict.until is not None:
            passed = f"the deadline that its owner was told would have to pass: {moment_words(verdict.until)}"
            return Requirement("grace", passed, verdict.until)
        if verdict.reason is Reason.UNKNOWN_FACT:
            return Requirement("grace", f"the cloud would have to show {verdict.cause.params['missing']}")
    return _notice(policy.grace, rules.marks.get(notebook.id)) if policy.grace else None


def _notice(grace: Grace, mark: Mark | None) -> Requirement:
    """Return what has to happen to a notebook before its grace begins, and how long the grace lasts."""
    steps = [] if mark and mark.open else ["it would have to be marked"]
    missing = grace.surveys - (mark.surveys if mark and mark.open else 1)
    if missing > 0:
        steps.append(f"{missing} more complete {'survey' if missing == 1 else 'surveys'} would have to agree")
    who = "its owner" if grace.tell == (OWNER,) else " and ".join(grace.tell)
    steps.append(f"{who} would have to be told")
    return Requirement("grace", f"{', '.join(steps)}, and after that {describe_length(grace.lasts)} would have to pass")


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
    return (
        RuleRequirement(f"policy {policy.name}, which keeps it and comes before, would have to stop matching", need)
        if need
        else None
    )


def _needs_of_state(policy: Policy, status: Status) -> AnyRequirement:
    if status is Status.RUNNING:
        stopped = Requirement("status", "it would have to be stopped")
        return AnyRequired((stopped, Requirement("running", f"policy {policy.name} would have to say running: stop")))
    return Requirement("status", f"policy {policy.name} would have to name {status} in status")
