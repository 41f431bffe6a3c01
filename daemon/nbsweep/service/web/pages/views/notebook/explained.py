"""The explanation of one notebook as a tree that folds: every rule, what it saw, and its result."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.explain.context import BrakeLine, NotebookContext
from nbsweep.core.explain.explain import ConditionResult, RuleResult
from nbsweep.core.explain.requirements import AllRequired, AnyRequired, AnyRequirement, Requirement, RuleRequirement
from nbsweep.core.facts import IDLE_LEASE
from nbsweep.core.judging.rules import Policy
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.reasons.actions import Action
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.core.reasons.model import Cause
from nbsweep.core.reasons.statement import Statement
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.views.elements.brakes import BRAKES, ON_EXCESS
from nbsweep.service.web.pages.views.elements.texts import LONGEST_SENTENCE, short

BUILT_IN: Mapping[str, Message] = {
    "deleted": message("It is deleted already"),
    "in-transition": message("The cloud is working on it: it is being created, started, stopped, deleted or saved"),
    "running": message("It is running, and no policy that matches stops it first"),
    "frozen": message("It is frozen, and no policy that matches names that status"),
}
GROUPS: Mapping[str, Message] = {
    "all": message("all of these"),
    "any": message("one of these"),
    "not": message("none of these"),
}
DECIDES = message("this decides")
NOTHING_CONFIGURED = message("none is configured")


class Node(Struct, frozen=True, kw_only=True):
    """One line of the tree, which says one of these things, and the lines below it."""

    say: Message | None = None
    finding: Finding | None = None
    cause: Cause | None = None
    action: Action | None = None
    name: str = ""
    """The name of a rule: other people's text."""
    key: str = ""
    """A key of the configuration."""
    limit: Message | None = None
    """What the configuration says there."""
    statement: Statement | None = None
    truth: Truth | None = None
    notes: Sequence[Message] = ()
    is_open: bool = False
    parts: "Sequence[Node]" = ()


def explained_tree(context: NotebookContext) -> list[Node]:
    """Return the branches of the tree; the one that decides is open. What a target does not cover, its rules do not decide."""
    explanation = context.explanation
    kept = explanation.verdict.decision is Decision.KEEP
    covers = [_found(each) for each in context.cover]
    if context.covered is False:
        return [_branch(message("What the target covers"), covers, is_open=True)]
    branches = [
        _branch(message("What the target covers"), covers),
        _branch(message("Built-in protections: any that holds keeps it"), [_built_in(each) for each in explanation.built_in]),
        _branch(message("Protections: any that holds keeps it"), _rules(explanation.protections)),
        _branch(message("Exemptions: any that covers it keeps it until its end"), _exemptions(context.exemptions)),
        _branch(message("Policies: the first that matches decides"), _rules(explanation.policies), is_open=True),
        _branch(message("Brakes: they limit a whole sweep"), [_brake(each) for each in context.brakes]),
    ]
    if not kept or explanation.announced:
        branches.append(_branch(message("What its owner can do to keep it"), list(_remedies(context)), is_open=True))
    if kept:
        branches.append(_branch(message("What would have to change for it to be deleted"), _needs(explanation.needs)))
    return branches


def _branch(title: Message, parts: Sequence[Node], *, is_open: bool = False) -> Node:
    decides = any(DECIDES in part.notes for part in parts)
    return Node(say=title, parts=parts or [Node(say=message("none"))], is_open=is_open or decides)


def _found(finding: Finding) -> Node:
    return Node(finding=finding, truth=finding.truth)


def _built_in(finding: Finding) -> Node:
    return Node(say=BUILT_IN[finding.condition], truth=finding.truth)


def _rules(results: Sequence[RuleResult]) -> list[Node]:
    return [_rule(each) for each in results] or [Node(say=NOTHING_CONFIGURED)]


def _rule(result: RuleResult) -> Node:
    parts = [_condition(part) for part in result.check.parts]
    if result.kept_by and isinstance(result.rule, Policy):
        parts.append(Node(cause=result.kept_by))
    notes = [DECIDES] if result.decides else []
    truth = result.check.finding.truth
    return Node(name=short(result.rule.name), truth=truth, notes=notes, parts=parts, is_open=result.decides)


def _condition(check: ConditionResult) -> Node:
    finding = check.finding
    if finding.condition == "all" and len(check.parts) == 1:
        # A single condition in an `any` or a `not` needs no line for its group.
        return _condition(check.parts[0])
    if check.parts:
        parts = [_condition(part) for part in check.parts]
        group = GROUPS.get(finding.condition, GROUPS["all"])
        return Node(say=group, truth=finding.truth, parts=parts, is_open=True)
    return Node(finding=finding, truth=finding.truth, notes=list(_notes(check)))


def _notes(check: ConditionResult) -> Iterator[Message]:
    if check.since:
        yield message("since %(at)s", at=check.since)
    if fields := tuple(fact for fact in check.missing if fact != IDLE_LEASE):
        yield message("the cloud does not show %(facts)s", facts=fields)
    if IDLE_LEASE in check.missing:
        yield message("the cloud does not show when a lease of type IDLE ends")
    if check.flips_at and check.finding.truth is Truth.PASS:
        yield message("does not hold any more after %(at)s", at=check.flips_at)
    elif check.flips_at:
        yield message("holds after %(at)s", at=check.flips_at)


def _exemptions(found: Iterable[tuple[Exemption, Truth]]) -> list[Node]:
    return [Node(say=_exemption(each), truth=truth) for each, truth in found] or [Node(say=message("none covers it"))]


def _exemption(exemption: Exemption) -> Message:
    return message(
        "until %(until)s, granted by %(by)s: %(reason)s",
        until=exemption.until,
        by=short(exemption.granted_by),
        reason=short(exemption.reason, LONGEST_SENTENCE),
    )


def _brake(line: BrakeLine) -> Node:
    name = BRAKES.get(line.brake)
    limit = line.limit or ""
    said = ON_EXCESS.get(limit) or (message("at most %(limit)s", limit=limit) if limit else message("no limit"))
    return Node(say=name, key=line.brake, limit=said, statement=line.figure)


def _remedies(context: NotebookContext) -> Iterator[Node]:
    for remedy in context.explanation.remedies:
        until: list[Message] = [message("this keeps it until %(at)s", at=remedy.until)] if remedy.until else []
        yield Node(action=remedy.action, notes=until)
    if not context.explanation.remedies:
        yield Node(say=message("Nothing alone: an administrator of nbsweep has to exempt or protect it"))


def _needs(need: AnyRequirement | None) -> list[Node]:
    return [_need(need)] if need else []


def _need(need: AnyRequirement) -> Node:
    match need:
        case Requirement():
            return Node(statement=need.statement, notes=_at(need.at))
        case RuleRequirement():
            return Node(statement=need.statement, parts=[_need(need.need)], is_open=True)
        case AllRequired(parts=parts):
            return Node(say=GROUPS["all"], parts=[_need(part) for part in parts], is_open=True)
        case AnyRequired(parts=parts):
            say = GROUPS["any"] if parts else message("nothing can")
            return Node(say=say, parts=[_need(part) for part in parts], is_open=True)


def _at(moment: datetime | None) -> list[Message]:
    return [message("by itself after %(at)s", at=moment)] if moment else []
