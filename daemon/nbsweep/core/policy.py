"""One notebook, the rules and the moment in; a verdict with its reason out."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.exemptions.covering import Covering, find_exemption
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.facts import Moment
from nbsweep.core.listing.belonging import EVERYTHING, Coverage, Stray, find_stray
from nbsweep.core.marks.clearing import lacks, sign_of_use
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark, MarkState, due_at, is_stale
from nbsweep.core.matching.conditions import AllOf
from nbsweep.core.matching.missing_facts import lacks_facts
from nbsweep.core.matching.structure import leaves, names_status
from nbsweep.core.model import IN_TRANSITION, Notebook, Status
from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.core.reasons.model import Cause, CauseCode, Param
from nbsweep.core.selection import EVERY_NOTEBOOK, Selection


class Running(StrEnum):
    """What a policy does with a running notebook."""

    SKIP = "skip"
    STOP = "stop"


class Decision(StrEnum):
    """Whether a notebook is kept or deleted."""

    KEEP = "keep"
    DELETE = "delete"


class Reason(StrEnum):
    """The reason of a verdict, in one word that can be counted."""

    POLICY = "policy"
    """A policy matches, and no rule keeps the notebook. The only reason for DELETE."""
    NO_POLICY = "no-policy"
    PROTECTED = "protected"
    UNKNOWN_FACT = "unknown-fact"
    IN_TRANSITION = "in-transition"
    RUNNING = "running"
    FROZEN = "frozen"
    ALREADY_DELETED = "already-deleted"
    MALFORMED = "malformed"
    OVER_BRAKE = "over-brake"
    """A policy would delete it, but a brake that trims has cut it from the plan."""
    NOT_IN_PLAN = "not-in-plan"
    """A policy would delete it, but the saved plan that is carried out does not permit it."""
    USED_SINCE = "used-since"
    """nbsweep had sent an order for it, and since then a user has used or changed it."""
    COOLING_DOWN = "cooling-down"
    """A policy would delete it, but its deletion has failed recently, and it is left alone for a time."""
    EXCLUDED = "excluded"
    """A person has excluded it from this plan."""
    POLICY_NOT_CHOSEN = "policy-not-chosen"
    """A policy would delete it, but the command was restricted to other policies."""
    EXEMPT = "exempt"
    """An exemption covers it until its end."""
    UNANNOUNCED = "unannounced"
    """A policy with grace would delete it, and its owner must be told first: it has no valid mark yet."""
    MARKED = "marked"
    """It is marked, and its owner has not been told yet."""
    TOLD = "told"
    """Its owner has been told, and the grace has not ended."""
    ELSEWHERE = "elsewhere"
    """It is in a workspace, or of a feature, that was not listed. It does not count as part of the fleet."""


AWAITING = frozenset({Reason.UNANNOUNCED, Reason.MARKED, Reason.TOLD})
"""Reasons to keep a notebook that a policy with grace matches, and that is not due yet."""


class Policy(Struct, frozen=True):
    """A rule for notebooks that may be deleted."""

    name: str
    match: AllOf
    running: Running = Running.SKIP
    grace: Grace | None = None
    """How its deletions are announced; None if they are not."""
    digest: str = ""
    """A digest of what the policy matches; a mark that was made by an edited policy does not count."""


class Protection(Struct, frozen=True):
    """A rule for notebooks that are kept, whatever the policies say."""

    name: str
    match: AllOf


class Rules(Struct, frozen=True):
    """All rules of the configuration; without a policy nothing is ever deleted."""

    policies: tuple[Policy, ...]
    protections: tuple[Protection, ...] = ()
    coverage: Coverage = EVERYTHING
    """What the target covers: nothing else may be deleted, whatever the policies say."""
    selection: Selection = EVERY_NOTEBOOK
    """What a person has chosen for this command: nothing else may be deleted, whatever the policies say."""
    exemptions: tuple[Exemption, ...] = ()
    """The exemptions of the target."""
    marks: Mapping[str, Mark] = {}
    """The open marks by notebook id. Without a mark that is due, a policy with grace deletes nothing."""

    @property
    def unannounced(self) -> "Rules":
        """The same rules as if no policy had a grace."""
        return replace(self, policies=tuple(replace(policy, grace=None) for policy in self.policies))

    @property
    def conditions(self) -> tuple[AllOf, ...]:
        """The condition of each rule, protections first, in the order in which they are checked."""
        return (*(rule.match for rule in self.protections), *(rule.match for rule in self.policies))


class Verdict(Struct, frozen=True):
    """The decision on a notebook, and what it is based on."""

    decision: Decision
    reason: Reason
    rule: str
    """The policy or protection that decided, or the reason itself if no rule did."""
    cause: Cause
    """The rule, the fact and the threshold."""
    findings: tuple[Finding, ...] = ()
    stop_first: bool = False
    """Whether the notebook runs, and the policy asks to stop it and then delete it."""
    by_protection: bool = False
    """Whether the rule is a protection; a policy may have the same name."""
    until: datetime | None = None
    """When the reason ends by itself, as far as that is known."""

    @property
    def sentence(self) -> str:
        """The rule, the fact and the threshold, in English words."""
        return describe(self.cause)


def judge(notebook: Notebook, rules: Rules, moment: Moment) -> Verdict:
    """Decide on one notebook; in doubt it is kept.

    The order of the checks is: whether the target covers the notebook, whether a person has excluded it, states that are never
    touched, protections, exemptions, and then the policies, of which the first that matches wins. A coverage, a protection or
    an exemption that cannot be checked counts once a policy matches. If the policy that wins was not chosen, no later policy
    takes its place. If it has a grace, the mark of the notebook must be due.
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
    return doubt or judge_grace(notebook, rules, verdict, moment)


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
    mark = rules.marks.get(notebook.id)
    unknown = stray is not None or (mark is not None and lacks(mark, notebook))
    if not unknown and not any(lacks_facts(condition, notebook, moment) for condition in rules.conditions):
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


def judge_exemptions(notebook: Notebook, exemptions: tuple[Exemption, ...], moment: Moment) -> Verdict | None:
    """Return KEEP if an exemption covers a notebook, or may cover it; else None."""
    found: Covering | None = find_exemption(notebook, exemptions, moment.now) if exemptions else None
    if found is None:
        return None
    if found.missing:
        return keep(Reason.UNKNOWN_FACT, _exempt(CauseCode.MAYBE_EXEMPT, found.exemption, missing=found.missing))
    return replace(keep(Reason.EXEMPT, _exempt(CauseCode.EXEMPT, found.exemption)), until=found.exemption.until)


def _exempt(code: CauseCode, exemption: Exemption, **params: Param) -> Cause:
    selector = exemption.selector
    covered = {"of_notebook": selector.notebook_id, "of_owner": selector.owner, "of_name": selector.name}
    params |= {key: value for key, value in covered.items() if value is not None}
    until = exemption.until.isoformat()
    return Cause(code, params={"exemption": exemption.id, "until": until, "granted_for": exemption.reason, **params})


def judge_grace(notebook: Notebook, rules: Rules, verdict: Verdict, moment: Moment) -> Verdict:
    """Return a policy's verdict DELETE if the policy has no grace, or if the mark of this very instance is due; else KEEP."""
    policy = next(policy for policy in rules.policies if policy.name == verdict.rule)
    if policy.grace is None:
        return verdict
    mark = rules.marks.get(notebook.id)
    if mark is None or not mark.open or mark.policy != policy.name or mark.policy_digest != policy.digest:
        notice_s = int(policy.grace.lasts.total_seconds())
        return _awaited(verdict, Reason.UNANNOUNCED, CauseCode.UNANNOUNCED, notice_s=notice_s)
    return _outdated(mark, notebook, verdict, moment) or _not_due(mark, policy.grace, verdict, moment) or verdict


def _outdated(mark: Mark, notebook: Notebook, verdict: Verdict, moment: Moment) -> Verdict | None:
    """Return KEEP if a notebook changed since it was marked, or does not show whether it did."""
    if missing := lacks(mark, notebook):
        return _awaited(verdict, Reason.UNKNOWN_FACT, CauseCode.USE_SINCE_MARK_UNKNOWN, missing=missing)
    if changed := sign_of_use(mark, notebook, moment):
        return _awaited(verdict, Reason.UNANNOUNCED, CauseCode.CHANGED_SINCE_MARK, change=changed.value)
    return None


def _not_due(mark: Mark, grace: Grace, verdict: Verdict, moment: Moment) -> Verdict | None:
    """Return KEEP if the owner has not been told, or the grace has not ended."""
    due = due_at(mark, grace)
    if due is None or is_stale(mark, grace, moment.now):
        marked_at = mark.marked_at.isoformat()
        if mark.untold:
            return _awaited(verdict, Reason.MARKED, CauseCode.UNTOLD, marked_at=marked_at, untold=mark.untold)
        stale = mark.state is MarkState.TOLD and due is not None
        return _awaited(verdict, Reason.MARKED, CauseCode.NOTICE_STALE if stale else CauseCode.MARKED, marked_at=marked_at)
    if moment.now < due:
        return replace(_awaited(verdict, Reason.TOLD, CauseCode.TOLD, until=due.isoformat()), until=due)
    return None


def _awaited(verdict: Verdict, reason: Reason, code: CauseCode, **params: Param) -> Verdict:
    """Return KEEP in place of the verdict of a policy with grace; its cause keeps why the policy matches."""
    cause = Cause(code, verdict.rule, params=params, because=verdict.cause)
    return Verdict(Decision.KEEP, reason, verdict.rule, cause, verdict.findings)


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
            if outcome.decision is Decision.KEEP:
                # With the missing fact this policy might match, win and keep the notebook: no later policy may delete it.
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
    cause = Cause(CauseCode.POLICY_MATCHES, policy.name, passed)
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


def keep(reason: Reason, cause: Cause) -> Verdict:
    """Return KEEP for a reason that is not a rule of the configuration."""
    return Verdict(Decision.KEEP, reason, reason.value, cause)
