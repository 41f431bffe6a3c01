"""Explains one notebook: the result of every rule, and what would have to change for another verdict. Pure.

The verdict is that of `judge`, and the results are the findings that `judge` uses, so that an explanation cannot differ from a
decision.
"""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.explain.flips import flips_at, verdict_flips_at
from nbsweep.core.explain.forecast import goes_at_the_earliest
from nbsweep.core.explain.needs import announced_outcome, needs_of_deletion
from nbsweep.core.explain.remedies import Remedy, remedies
from nbsweep.core.explain.requirements import AnyRequirement
from nbsweep.core.facts import STARTS, Moment
from nbsweep.core.judging.rules import Policy, Protection, Rules
from nbsweep.core.judging.verdict import AWAITING, Decision, Reason, Verdict
from nbsweep.core.listing.belonging import EVERYTHING
from nbsweep.core.matching.conditions import AllOf, AnyOf, Condition, LongerThan, Not
from nbsweep.core.matching.missing_facts import missing_facts
from nbsweep.core.model import IN_TRANSITION, Notebook, Status
from nbsweep.core.policy import judge, judge_policies
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
    """Changes that would keep the notebook, each on its own; empty if it is kept anyway.

    A notebook whose deletion is announced, or is going to be, or that is held out, is not kept for long: its owner has to know
    them.
    """
    goes_at: datetime | None = None
    """From when on the rules let it go at the earliest, if its owner is told at once; None if they never do."""

    @property
    def announced(self) -> bool:
        """Whether the notebook is kept only because its deletion has to be announced, and to wait."""
        return self.verdict.reason in AWAITING


def explain(notebook: Notebook, rules: Rules, moment: Moment) -> Explanation:
    """Evaluate all rules for one notebook."""
    # The target's scope is explained separately; this is only about the rules.
    rules = replace(rules, coverage=EVERYTHING)
    verdict = judge(notebook, rules, moment)
    goes = verdict.decision is Decision.DELETE
    # What keeps an announced notebook is what would keep it if its policy gave no notice and held nothing out.
    plain = rules.unannounced if goes or verdict.reason in AWAITING | {Reason.HELD_OUT} else None
    return Explanation(
        verdict=verdict,
        built_in=_built_in(notebook, rules, moment),
        protections=tuple(_rule_result(rule, verdict, notebook, moment, rules) for rule in rules.protections),
        policies=tuple(_rule_result(rule, verdict, notebook, moment, rules) for rule in rules.policies),
        flips_at=verdict_flips_at(notebook, rules, moment),
        needs=None if goes else needs_of_deletion(rules, notebook, moment),
        remedies=remedies(notebook, plain, moment) if plain else (),
        goes_at=goes_at_the_earliest(notebook, rules, moment),
    )


# ---- results of rules -----------------------------------------------------------------------------------------------------


def _rule_result(rule: Policy | Protection, verdict: Verdict, notebook: Notebook, moment: Moment, rules: Rules) -> RuleResult:
    finding = rule.match.check(notebook, moment)
    kept_by = None
    if isinstance(rule, Policy) and finding.truth is Truth.PASS:
        outcome = announced_outcome(rule, finding, rules, notebook, moment)
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
