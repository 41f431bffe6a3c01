"""One notebook, the rules and the moment in; a verdict with its reason out."""

from dataclasses import dataclass, replace
from enum import StrEnum

from nbsweep.core.conditions import AllOf, Finding, Moment, Truth, leaves, names_status
from nbsweep.core.model import FAILED, IN_TRANSITION, Notebook, Status


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


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule for what may go."""

    name: str
    match: AllOf
    running: Running = Running.SKIP


@dataclass(frozen=True, slots=True)
class Protection:
    """A rule for what stays, whatever the policies say."""

    name: str
    match: AllOf


@dataclass(frozen=True, slots=True)
class Rules:
    """All that the operator has said; without a policy nothing is ever deleted."""

    policies: tuple[Policy, ...]
    protections: tuple[Protection, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """KEEP or DELETE, and everything it rests on."""

    decision: Decision
    reason: Reason
    rule: str
    """The policy or protection that decided, or the reason itself where no rule of the operator's did."""
    sentence: str
    """For people: rule, fact and threshold."""
    findings: tuple[Finding, ...] = ()
    stop_first: bool = False
    """It runs, and its policy wants it stopped and then deleted."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every rule's answer for one notebook, whether or not it came to matter."""

    verdict: Verdict
    protections: tuple[tuple[Protection, Finding], ...]
    policies: tuple[tuple[Policy, Finding], ...]


def judge(notebook: Notebook, rules: Rules, moment: Moment) -> Verdict:
    """Decide on one notebook; in doubt it is kept.

    The order is: states that are never touched, protections, then the policies in their order, of which the first that matches
    wins. A protection that cannot be checked counts once a policy matches.
    """
    if notebook.status is Status.DELETED:
        return _keep(Reason.ALREADY_DELETED, "it is deleted already")
    if notebook.status in IN_TRANSITION:
        return _keep(Reason.IN_TRANSITION, f"it is {notebook.status}, and the cloud is at work on it")
    protected = _by_protections(notebook, rules.protections, moment)
    if protected and protected.reason is Reason.PROTECTED:
        return protected
    verdict = _by_policies(notebook, rules.policies, moment)
    return protected if protected and verdict.decision is Decision.DELETE else verdict


def judge_after_stop(before: Notebook, now: Notebook, rules: Rules, moment: Moment) -> Verdict:
    """Decide again on a notebook that was stopped on our own order, for the DELETE that is to follow.

    Stopping changes its state and its dates, and these changes are our own: the policies see the state and the dates of
    `before`. Everything else, tags and names and the protections on them, is as fresh as in any second look.
    """
    if now.status is not Status.STOPPED:
        return judge(now, rules, moment)
    protected = _by_protections(now, rules.protections, moment)
    if protected:
        return protected
    as_before = replace(now, status=before.status, updated_at=before.updated_at, lease=before.lease)
    return replace(_by_policies(as_before, rules.policies, moment), stop_first=False)


def judge_after_failure(now: Notebook, rules: Rules, policy: str, moment: Moment) -> Verdict:
    """Decide on another DELETE for a notebook whose deletion failed on the cloud's side.

    Its state and dates are what the failed deletion left, so the policies no longer speak of it; the protections do.
    """
    if now.status not in FAILED:
        return judge(now, rules, moment)
    if policy not in {rule.name for rule in rules.policies}:
        return _keep(Reason.NO_POLICY, f"policy {policy}, which had planned it, is not in force any more")
    protected = _by_protections(now, rules.protections, moment)
    sentence = f"policy {policy}: its deletion failed ({now.status}); tried again"
    return protected or Verdict(Decision.DELETE, Reason.POLICY, policy, sentence)


def kept_in_use(verdict: Verdict) -> Verdict:
    """Turn "stop it first" into KEEP, for a notebook that runs although it had been stopped, or begun to be deleted."""
    sentence = f"it runs again, so somebody has started it since ({verdict.sentence})"
    return Verdict(Decision.KEEP, Reason.RUNNING, verdict.rule, sentence, verdict.findings)


def why_no_longer(notebook: Notebook, rules: Rules, policy: str, moment: Moment) -> str:
    """Say which conditions of the policy that had planned a notebook do not hold any more."""
    match = next(rule.match for rule in rules.policies if rule.name == policy)
    finding = match.check(notebook, moment)
    failed = [*leaves(finding, Truth.FAIL), *leaves(finding, Truth.UNKNOWN)]
    return f"policy {policy} does not match any more: {'; '.join(str(leaf) for leaf in failed)}"


def explain(notebook: Notebook, rules: Rules, moment: Moment) -> Explanation:
    """Ask every rule about one notebook."""
    return Explanation(
        verdict=judge(notebook, rules, moment),
        protections=tuple((rule, rule.match.check(notebook, moment)) for rule in rules.protections),
        policies=tuple((rule, rule.match.check(notebook, moment)) for rule in rules.policies),
    )


def _by_protections(notebook: Notebook, protections: tuple[Protection, ...], moment: Moment) -> Verdict | None:
    """Find what protects it, else the first protection that cannot be checked; None when nothing speaks for it."""
    doubt: Verdict | None = None
    for protection in protections:
        finding = protection.match.check(notebook, moment)
        if finding.truth is Truth.PASS:
            return _protected(protection, finding)
        if finding.truth is Truth.UNKNOWN and doubt is None:
            doubt = _unknown(f"protection {protection.name}", protection.name, finding)
    return doubt


def _by_policies(notebook: Notebook, policies: tuple[Policy, ...], moment: Moment) -> Verdict:
    doubt: Verdict | None = None
    for policy in policies:
        finding = policy.match.check(notebook, moment)
        if finding.truth is Truth.PASS:
            return _matched(notebook, policy, finding)
        if finding.truth is Truth.UNKNOWN:
            doubt = doubt or _unknown(f"policy {policy.name}", policy.name, finding)
            if _matched(notebook, policy, finding).decision is Decision.KEEP:
                # If the missing fact made it match, it would win and keep the notebook: no later policy may delete it.
                return doubt
    return doubt or _keep(Reason.NO_POLICY, "no policy matches it")


def _matched(notebook: Notebook, policy: Policy, finding: Finding) -> Verdict:
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
    return Verdict(Decision.KEEP, Reason.PROTECTED, protection.name, sentence, passed)


def _unknown(rule: str, name: str, finding: Finding) -> Verdict:
    missing = leaves(finding, Truth.UNKNOWN)
    sentence = f"{rule} cannot be checked: {'; '.join(str(leaf) for leaf in missing)}"
    return Verdict(Decision.KEEP, Reason.UNKNOWN_FACT, name, sentence, missing)


def _keep(reason: Reason, sentence: str) -> Verdict:
    return Verdict(Decision.KEEP, reason, reason.value, sentence)
