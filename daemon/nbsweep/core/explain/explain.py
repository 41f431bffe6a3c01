"""Explains one notebook: the result of every rule, and what would have to change for another verdict. Pure.

The verdict is that of `judge`, and the results are the findings that `judge` uses, so that an explanation cannot differ from a
decision.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.explain.flips import flips_at, verdict_flips_at
from nbsweep.core.explain.remedies import Remedy, remedies
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
from nbsweep.core.facts import STARTS, Moment
from nbsweep.core.judging.rules import Policy, Protection, Rules
from nbsweep.core.judging.verdict import Decision, Verdict
from nbsweep.core.listing.belonging import EVERYTHING
from nbsweep.core.matching.conditions import AllOf, AnyOf, Condition, LongerThan, Not
from nbsweep.core.matching.missing_facts import missing_facts
from nbsweep.core.model import IN_TRANSITION, Notebook, Status
from nbsweep.core.policy import judge, judge_policies, matched
from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.core.reasons.model import Cause


class ConditionResult(Struct, frozen=True):
    """The result of one condition, with the results of its parts."""

    finding: Finding
    since: datetime | None = None
    """When an age or idle time began; None if it does not run, such as the idle time of a notebook in use."""
    flips_at: datetime | None = None
    """After which time the result changes, if nothing happens."""
    missing: tuple[str, ...] = ()
    """The missing facts, by the API's field names, if the result is unknown."""
    parts: tuple["ConditionResult", ...] = ()


class RuleResult(Struct, frozen=True):
    """The result of one configured rule."""

    rule: Policy | Protection
    check: ConditionResult
    decides: bool
    """Whether this rule decided the verdict."""
    kept_by: Cause | None = None
    """Why a policy that matches does not delete the notebook; None if it does, or does not match."""

    @property
    def remark(self) -> str:
        """The same in English words; empty if there is none."""
        return describe(self.kept_by) if self.kept_by else ""


class Explanation(Struct, frozen=True):
    """The results of all rules for one notebook, including rules that did not affect the verdict."""

    verdict: Verdict
    built_in: tuple[Finding, ...]
    """The built-in protections, which no configuration can lift; each that passes keeps the notebook."""
    protections: tuple[RuleResult, ...]
    policies: tuple[RuleResult, ...]
    flips_at: datetime | None
    """After which time the verdict changes, if nothing happens."""
    needs: AnyRequirement | None
    """What would have to change before the notebook may be deleted; None if it may be deleted now."""
    remedies: tuple[Remedy, ...] = ()
    """Changes that would keep the notebook, each on its own; empty if it is kept anyway."""


def explain(notebook: Notebook, rules: Rules, moment: Moment) -> Explanation:
    """Evaluate all rules for one notebook."""
    # The target's scope is explained separately; this is only about the rules.
    rules = replace(rules, coverage=EVERYTHING)
    verdict = judge(notebook, rules, moment)
    goes = verdict.decision is Decision.DELETE
    return Explanation(
        verdict=verdict,
        built_in=_built_in(notebook, rules, moment),
        protections=tuple(_rule_result(rule, verdict, notebook, moment) for rule in rules.protections),
        policies=tuple(_rule_result(rule, verdict, notebook, moment) for rule in rules.policies),
        flips_at=verdict_flips_at(notebook, rules, moment),
        needs=None if goes else _needs(rules, notebook, moment),
        remedies=remedies(notebook, rules, moment) if goes else (),
    )


# ---- results of rules -----------------------------------------------------------------------------------------------------


def _rule_result(rule: Policy | Protection, verdict: Verdict, notebook: Notebook, moment: Moment) -> RuleResult:
    finding = rule.match.check(notebook, moment)
    kept_by = None
    if isinstance(rule, Policy) and finding.truth is Truth.PASS:
        outcome = matched(notebook, rule, finding)
        kept_by = outcome.cause if outcome.decision is Decision.KEEP else None
    return RuleResult(rule, _check(rule.match, finding, notebook, moment), _decides(rule, verdict), kept_by)


def _decides(rule: Policy | Protection, verdict: Verdict) -> bool:
    return rule.name == verdict.rule and isinstance(rule, Protection) is verdict.by_protection


def _check(condition: Condition, finding: Finding, notebook: Notebook, moment: Moment) -> ConditionResult:
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            inner = (_check(part, seen, notebook, moment) for part, seen in zip(parts, finding.parts, strict=True))
            return ConditionResult(finding, parts=tuple(inner))
        case Not(part=part):
            return ConditionResult(finding, parts=(_check(part, finding.parts[0], notebook, moment),))
        case LongerThan(key=key):
            turn = flips_at(lambda later: condition.check(notebook, later).truth, notebook, (condition,), moment)
            start = STARTS[key](notebook, moment)
            return ConditionResult(
                finding, start if start != moment.now else None, turn, _missing(condition, finding, notebook)
            )
        case _:
            return ConditionResult(finding, missing=_missing(condition, finding, notebook))


def _missing(condition: Condition, finding: Finding, notebook: Notebook) -> tuple[str, ...]:
    return missing_facts(condition, notebook) if finding.truth is Truth.UNKNOWN else ()


# ---- built-in protections -------------------------------------------------------------------------------------------------


def _built_in(notebook: Notebook, rules: Rules, moment: Moment) -> tuple[Finding, ...]:
    policies = judge_policies(notebook, rules.policies, moment)
    kept = policies.decision is Decision.KEEP
    status = notebook.status
    in_transition = ", ".join(state for state in Status if state in IN_TRANSITION)
    lines = (
        ("deleted", "DELETED", status is Status.DELETED),
        ("in-transition", in_transition, status in IN_TRANSITION),
        ("running", "RUNNING, unless the policy that matches says running: stop", status is Status.RUNNING and kept),
        ("frozen", "FROZEN, unless the policy that matches names it in status", status is Status.FROZEN and kept),
    )
    return tuple(Finding(name, states, status.value, Truth.PASS if holds else Truth.FAIL) for name, states, holds in lines)


# ---- requirements for a deletion ------------------------------------------------------------------------------------------


def _needs(rules: Rules, notebook: Notebook, moment: Moment) -> AnyRequirement:
    """Return everything that has to change before a kept notebook may be deleted."""
    if notebook.status is Status.DELETED:
        return AnyRequired(())
    needs: list[AnyRequirement] = []
    if notebook.status in IN_TRANSITION:
        needs.append(Requirement("status", f"the cloud would have to finish its operation: it is {notebook.status}"))
    for rule in rules.protections:
        need = requirement_of(rule.match, rule.match.check(notebook, moment), Truth.FAIL, notebook, moment)
        needs += [RuleRequirement(f"protection {rule.name} would have to stop matching", need)] if need else []
    policies = [_needs_of_policy(rule, rules.policies[:place], notebook, moment) for place, rule in enumerate(rules.policies)]
    if all(policies):
        needs.append(any_required([need for need in policies if need]))
    return all_required(needs)


def _needs_of_policy(policy: Policy, earlier: Iterable[Policy], notebook: Notebook, moment: Moment) -> AnyRequirement | None:
    """Return what one policy needs to delete a notebook, apart from protections; None if it needs nothing."""
    needs = [need for rule in earlier if (need := _needs_to_pass_by(rule, notebook, moment))]
    finding = policy.match.check(notebook, moment)
    need = requirement_of(policy.match, finding, Truth.PASS, notebook, moment)
    needs += [need] if need else []
    if not concerns(need, "status") and matched(notebook, policy, finding).decision is Decision.KEEP:
        needs.append(_needs_of_state(policy, notebook.status))
    return RuleRequirement(f"policy {policy.name} would have to match", all_required(needs)) if needs else None


def _needs_to_pass_by(policy: Policy, notebook: Notebook, moment: Moment) -> AnyRequirement | None:
    """Return what is needed so that an earlier policy, which keeps this notebook, does not match; None if it does not."""
    finding = policy.match.check(notebook, moment)
    if finding.truth is Truth.FAIL or matched(notebook, policy, finding).decision is Decision.DELETE:
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
