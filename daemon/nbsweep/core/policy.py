"""One notebook, the rules and the moment in; a verdict with its reason out."""

from enum import StrEnum

from msgspec import Struct

from nbsweep.core.conditions import AllOf, Finding, Truth, leaves, names_status
from nbsweep.core.facts import Moment
from nbsweep.core.listing.belonging import EVERYTHING, Coverage, find_stray
from nbsweep.core.missing_facts import lacks_facts
from nbsweep.core.model import IN_TRANSITION, Notebook, Status


class Running(StrEnum):
    """What a policy does with a notebook that runs."""

    SKIP = "skip"
    STOP = "stop"


class Decision(StrEnum):
    """What is to become of a notebook."""

    KEEP = "keep"
    DELETE = "delete"


class Reason(StrEnum):
    """Why, in one word that can be counted."""

    POLICY = "policy"
    """A policy matches, and nothing speaks against it. The only reason for DELETE."""
    NO_POLICY = "no-policy"
    PROTECTED = "protected"
    UNKNOWN_FACT = "unknown-fact"
    IN_TRANSITION = "in-transition"
    RUNNING = "running"
    FROZEN = "frozen"
    ALREADY_DELETED = "already-deleted"
    MALFORMED = "malformed"
    OVER_BRAKE = "over-brake"
    """It would go, but a brake that trims has cut it from the plan."""
    NOT_IN_PLAN = "not-in-plan"
    """It would go, but the saved plan that is carried out does not permit it."""
    USED_SINCE = "used-since"
    """An order of ours had left for it, and since then someone has used or changed it."""
    COOLING_DOWN = "cooling-down"
    """It would go, but its deletion has failed lately, and it is left alone for a while."""
    ELSEWHERE = "elsewhere"
    """It is in a workspace, or of a feature, that was not asked for. It is no part of the fleet."""


class Policy(Struct, frozen=True):
    """A rule for what may go."""

    name: str
    match: AllOf
    running: Running = Running.SKIP


class Protection(Struct, frozen=True):
    """A rule for what stays, whatever the policies say."""

    name: str
    match: AllOf


class Rules(Struct, frozen=True):
    """All that the operator has said; without a policy nothing is ever deleted."""

    policies: tuple[Policy, ...]
    protections: tuple[Protection, ...] = ()
    coverage: Coverage = EVERYTHING
    """What the target covers: nothing else may go, whatever the policies say."""

    @property
    def conditions(self) -> tuple[AllOf, ...]:
        """What all rules ask for, one condition for each: protections first, as they are looked at."""
        return (*(rule.match for rule in self.protections), *(rule.match for rule in self.policies))


class Verdict(Struct, frozen=True):
    """KEEP or DELETE, and everything it rests on."""

    decision: Decision
    reason: Reason
    rule: str
    """The policy or protection that decided, or the reason itself where no rule of the operator's did."""
    sentence: str
    """The rule, the fact and the threshold, in words."""
    findings: tuple[Finding, ...] = ()
    stop_first: bool = False
    """Whether the notebook runs, and the policy asks to stop it and then delete it."""
    by_protection: bool = False
    """Whether the rule is a protection; a policy may have the same name."""


def judge(notebook: Notebook, rules: Rules, moment: Moment) -> Verdict:
    """Decide on one notebook; in doubt it is kept.

    The order is: whether it is the target's at all, states that are never touched, protections, then the policies in their
    order, of which the first that matches wins. What cannot be checked of the first and of a protection counts once a policy
    matches.
    """
    stray = find_stray(notebook, rules.coverage)
    if stray and not stray.unshown:
        return keep(Reason.ELSEWHERE, stray.sentence)
    if notebook.status is Status.DELETED:
        return keep(Reason.ALREADY_DELETED, "it is deleted already")
    if notebook.status in IN_TRANSITION:
        return keep(Reason.IN_TRANSITION, f"it is {notebook.status}, and the cloud is at work on it")
    protected = judge_protections(notebook, rules.protections, moment)
    if protected and protected.reason is Reason.PROTECTED:
        return protected
    verdict = judge_policies(notebook, rules.policies, moment)
    if verdict.decision is Decision.KEEP:
        return verdict
    return keep(Reason.UNKNOWN_FACT, stray.sentence) if stray else protected or verdict


def may_go(notebook: Notebook, rules: Rules, moment: Moment) -> bool:
    """Tell whether facts that are missing may be what keeps a notebook: with them, some policy might delete it."""
    stray = find_stray(notebook, rules.coverage)
    if (stray and not stray.unshown) or notebook.status in IN_TRANSITION | {Status.DELETED}:
        return False
    if stray is None and not any(lacks_facts(condition, notebook, moment) for condition in rules.conditions):
        return False
    if any(protection.match.check(notebook, moment).truth is Truth.PASS for protection in rules.protections):
        return False
    for policy in rules.policies:
        finding = policy.match.check(notebook, moment)
        if finding.truth is not Truth.FAIL and matched(notebook, policy, finding).decision is Decision.DELETE:
            return True
        if finding.truth is Truth.PASS:
            return False
    return False


def judge_protections(notebook: Notebook, protections: tuple[Protection, ...], moment: Moment) -> Verdict | None:
    """Find what protects it, else the first protection that cannot be checked; None when nothing speaks for it."""
    doubt: Verdict | None = None
    for protection in protections:
        finding = protection.match.check(notebook, moment)
        if finding.truth is Truth.PASS:
            return _protected(protection, finding)
        if finding.truth is Truth.UNKNOWN and doubt is None:
            doubt = _unknown(protection, finding)
    return doubt


def judge_policies(notebook: Notebook, policies: tuple[Policy, ...], moment: Moment) -> Verdict:
    """Let the policies alone decide; the first that matches wins."""
    doubt: Verdict | None = None
    for policy in policies:
        finding = policy.match.check(notebook, moment)
        if finding.truth is Truth.PASS:
            return matched(notebook, policy, finding)
        if finding.truth is Truth.UNKNOWN:
            doubt = doubt or _unknown(policy, finding)
            if matched(notebook, policy, finding).decision is Decision.KEEP:
                # If the missing fact made it match, it would win and keep the notebook: no later policy may delete it.
                return doubt
    return doubt or keep(Reason.NO_POLICY, "no policy matches it")


def matched(notebook: Notebook, policy: Policy, finding: Finding) -> Verdict:
    """Tell what a policy comes to once it matches: it may still keep what runs, and what is frozen."""
    passed = leaves(finding, Truth.PASS)
    facts = f"policy {policy.name}: {'; '.join(str(leaf) for leaf in passed)}"
    stops = notebook.status is Status.RUNNING
    if stops and policy.running is Running.SKIP:
        sentence = f"policy {policy.name} matches, but it runs, and the policy says running: skip"
        return Verdict(Decision.KEEP, Reason.RUNNING, policy.name, sentence, passed)
    if notebook.status is Status.FROZEN and not names_status(policy.match, Status.FROZEN):
        sentence = f"policy {policy.name} matches, but it is FROZEN, which the policy does not name in status"
        return Verdict(Decision.KEEP, Reason.FROZEN, policy.name, sentence, passed)
    return Verdict(Decision.DELETE, Reason.POLICY, policy.name, facts, passed, stop_first=stops)


def _protected(protection: Protection, finding: Finding) -> Verdict:
    passed = leaves(finding, Truth.PASS)
    sentence = f"protected by {protection.name}: {'; '.join(str(leaf) for leaf in passed)}"
    return Verdict(Decision.KEEP, Reason.PROTECTED, protection.name, sentence, passed, by_protection=True)


def _unknown(rule: Policy | Protection, finding: Finding) -> Verdict:
    by_protection = isinstance(rule, Protection)
    missing = leaves(finding, Truth.UNKNOWN)
    kind = "protection" if by_protection else "policy"
    sentence = f"{kind} {rule.name} cannot be checked: {'; '.join(str(leaf) for leaf in missing)}"
    return Verdict(Decision.KEEP, Reason.UNKNOWN_FACT, rule.name, sentence, missing, by_protection=by_protection)


def keep(reason: Reason, sentence: str) -> Verdict:
    """Keep a notebook for a reason that is no rule of the operator's."""
    return Verdict(Decision.KEEP, reason, reason.value, sentence)
