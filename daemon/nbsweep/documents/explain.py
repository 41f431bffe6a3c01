"""The JSON document of `explain`."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict, replace

from nbsweep.core.calendar.length import describe_length
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.explain.context import JournalFacts, NotebookContext
from nbsweep.core.explain.explain import ConditionResult, RuleResult
from nbsweep.core.explain.requirements import AllRequired, AnyRequired, AnyRequirement, Requirement, RuleRequirement
from nbsweep.core.judging.rules import Policy, Running
from nbsweep.core.judging.shown_marks import show_judged
from nbsweep.core.judging.verdict import Decision, Reason
from nbsweep.core.lifecycle import Removal
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import Status
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.documents.base import Count, Document, Time, moment_text
from nbsweep.documents.people.marks import MarkDocument, mark_document
from nbsweep.documents.runs import RunDocument, removal_document, run_document


class ConditionDocument(Document, frozen=True):
    """The fact that one condition saw, and its result. Keys without a value are left out."""

    condition: str
    fact: str | None
    threshold: str
    result: Truth
    parts: Sequence["ConditionDocument"] | UnsetType = UNSET
    since: Time | UnsetType | None = UNSET
    turns_at: Time | UnsetType | None = UNSET
    missing: Sequence[str] | UnsetType = UNSET


class RuleDocument(Document, frozen=True):
    """The result of one policy or protection. Only a policy has `running`, `grace` and `remark`."""

    name: str
    result: Truth
    decides: bool
    conditions: Sequence[ConditionDocument]
    running: Running | UnsetType = UNSET
    grace: Annotated[str | UnsetType | None, Meta(description="The notice that it gives, such as 7d.")] = UNSET
    remark: str | UnsetType | None = UNSET


class ExplainedExemptionDocument(Document, frozen=True):
    """An exemption in force that covers the notebook, or may cover it."""

    id: str
    covers: Annotated[str, Meta(description="What it covers: a notebook, an owner, or names.")]
    result: Annotated[Truth, Meta(description="`unknown` if a fact is missing, so that it may cover the notebook.")]
    until: Time
    reason: str
    granted_by: str
    ticket: str | None


class NeedDocument(Document, frozen=True):
    """What one condition or one rule needs, or several needs. Keys without a value are left out."""

    condition: str | UnsetType = UNSET
    words: str | UnsetType = UNSET
    at: Time | UnsetType | None = UNSET
    needs: Annotated["NeedDocument | UnsetType", Meta(description="What the rule needs.")] = UNSET
    every_one: Annotated[Sequence["NeedDocument"] | UnsetType, Meta(description="Needs that are all necessary.")] = UNSET
    one_of: Annotated[Sequence["NeedDocument"] | UnsetType, Meta(description="Needs of which one is enough.")] = UNSET


class RemedyDocument(Document, frozen=True):
    """What keeps the notebook."""

    words: str
    until: Time | None


class ChangeDocument(Document, frozen=True):
    """What changes the verdict."""

    to: Decision
    by_itself_at: Time | None
    earliest_deletion_at: Annotated[
        Time | None, Meta(description="When the rules let it go at the earliest, if its owner is told at once.")
    ]
    needs: NeedDocument | None
    remedies: Sequence[RemedyDocument]


class BrakeDocument(Document, frozen=True):
    """The limit of one brake, and what is known of the value that it limits."""

    brake: str
    limit: str | None
    looks_at: str
    known: str | None


class JournalFactsDocument(Document, frozen=True):
    """What the journal holds about the notebook and its target."""

    last_active: Time | None
    under_way: dict[str, Any] | None
    removals: Sequence[dict[str, Any]]
    last_sweep: RunDocument | None
    requested_within_a_day: Count
    left_alone: str | None


class ExplainDocument(Document, frozen=True):
    """The verdict on one notebook of one target, and every rule's result."""

    target: str
    id: str
    name: str | None
    status: Status
    owner: str
    workspace: str | None
    asked_at: Time
    verdict: Decision
    because: Reason
    rule: str
    reason: str
    stop_first: bool
    covered: bool | None
    cover: Sequence[ConditionDocument]
    built_in: Sequence[ConditionDocument]
    protections: Sequence[RuleDocument]
    policies: Sequence[RuleDocument]
    change: ChangeDocument
    brakes: Sequence[BrakeDocument]
    journal: JournalFactsDocument
    mark: Annotated[MarkDocument | None, Meta(description="The open mark, or else the latest that has ended.")]
    exemptions: Sequence[ExplainedExemptionDocument]
    also: Sequence["ExplainDocument"] | UnsetType = UNSET


def explain_document(accounts: Sequence[NotebookContext]) -> ExplainDocument:
    """Return the document of one notebook. If several targets have it, the others follow under `also`."""
    first, *others = map(_notebook, accounts)
    return replace(first, also=others)


def _notebook(account: NotebookContext) -> ExplainDocument:
    notebook, explanation = account.notebook, account.explanation
    verdict = explanation.verdict
    return ExplainDocument(
        target=account.target,
        id=notebook.id,
        name=notebook.name,
        status=notebook.status,
        owner=notebook.owner_label,
        workspace=notebook.workspace_id,
        asked_at=moment_text(account.asked_at),
        verdict=verdict.decision,
        because=verdict.reason,
        rule=verdict.rule,
        reason=verdict.sentence,
        stop_first=verdict.stop_first,
        covered=account.covered,
        cover=[_finding(finding) for finding in account.cover],
        built_in=[_finding(finding) for finding in explanation.built_in],
        protections=[_rule(result) for result in explanation.protections],
        policies=[_rule(result) for result in explanation.policies],
        change=_change(account),
        brakes=[BrakeDocument(line.brake, line.limit, line.looks_at, line.known) for line in account.brakes],
        journal=_journal_facts(account.memory),
        mark=_mark(account, account.mark) if account.mark else None,
        exemptions=[_exemption(exemption, truth) for exemption, truth in account.exemptions],
    )


def _mark(account: NotebookContext, mark: Mark) -> MarkDocument:
    return mark_document(mark, show_judged(mark, account.due_at, account.explanation.verdict, account.asked_at))


def _exemption(exemption: Exemption, truth: Truth) -> ExplainedExemptionDocument:
    return ExplainedExemptionDocument(
        id=exemption.id,
        covers=str(exemption.selector),
        result=truth,
        until=moment_text(exemption.until),
        reason=exemption.reason,
        granted_by=exemption.granted_by,
        ticket=exemption.ticket or None,
    )


def _finding(finding: Finding) -> ConditionDocument:
    return ConditionDocument(finding.condition, finding.fact, finding.threshold, finding.truth)


def _rule(result: RuleResult) -> RuleDocument:
    policy = result.rule if isinstance(result.rule, Policy) else None
    return RuleDocument(
        name=result.rule.name,
        result=result.check.finding.truth,
        decides=result.decides,
        conditions=[_condition(part) for part in result.check.parts],
        running=policy.running if policy else UNSET,
        grace=_grace(policy) if policy else UNSET,
        remark=(result.remark or None) if policy else UNSET,
    )


def _grace(policy: Policy) -> str | None:
    return describe_length(policy.grace.lasts) if policy.grace else None


def _condition(check: ConditionResult) -> ConditionDocument:
    timed = check.since or check.flips_at
    return replace(
        _finding(check.finding),
        parts=[_condition(part) for part in check.parts] or UNSET,
        since=moment_text(check.since) if timed else UNSET,
        turns_at=moment_text(check.flips_at) if timed else UNSET,
        missing=check.missing or UNSET,
    )


def _change(account: NotebookContext) -> ChangeDocument:
    explanation = account.explanation
    goes = explanation.verdict.decision is Decision.DELETE
    return ChangeDocument(
        to=Decision.KEEP if goes else Decision.DELETE,
        by_itself_at=moment_text(explanation.flips_at),
        earliest_deletion_at=moment_text(explanation.goes_at),
        needs=_need(explanation.needs) if explanation.needs else None,
        remedies=[RemedyDocument(remedy.words, moment_text(remedy.until)) for remedy in explanation.remedies],
    )


def _need(need: AnyRequirement) -> NeedDocument:
    match need:
        case Requirement():
            return NeedDocument(condition=need.condition, words=need.words, at=moment_text(need.at))
        case RuleRequirement():
            return NeedDocument(words=need.words, needs=_need(need.need))
        case AllRequired(parts=parts):
            return NeedDocument(every_one=[_need(part) for part in parts])
        case AnyRequired(parts=parts):
            return NeedDocument(one_of=[_need(part) for part in parts])


def _journal_facts(memory: JournalFacts) -> JournalFactsDocument:
    under_way = memory.under_way
    return JournalFactsDocument(
        last_active=moment_text(memory.last_active),
        under_way=_removal(under_way) if under_way else None,
        removals=[_removal(removal) for removal in memory.removals],
        last_sweep=run_document(memory.latest) if memory.latest else None,
        requested_within_a_day=memory.history.requested,
        left_alone=memory.left_alone.sentence if memory.left_alone else None,
    )


def _removal(removal: Removal) -> dict[str, Any]:
    # A subclass would put the run after the other keys.
    return {"run_id": removal.run_id, **asdict(removal_document(removal))}
