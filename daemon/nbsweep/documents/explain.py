"""The result of `explain` as a JSON document; the keys are part of the contract."""

from collections.abc import Sequence

from nbsweep.core.conditions import Finding
from nbsweep.core.explain.context import BrakeLine, JournalFacts, NotebookContext
from nbsweep.core.explain.explain import ConditionResult, RuleResult
from nbsweep.core.explain.requirements import AllRequired, AnyRequired, AnyRequirement, Requirement, RuleRequirement
from nbsweep.core.lifecycle import Removal
from nbsweep.core.policy import Decision, Policy
from nbsweep.documents.plans_and_runs import Document, moment_text, removal_document, run_record_document


def explain_document(accounts: Sequence[NotebookContext]) -> Document:
    """Return the document of one notebook. If several targets have it, the others follow under `also`."""
    first, *others = accounts
    return {**_account(first), "also": [_account(account) for account in others]}


def _account(account: NotebookContext) -> Document:
    notebook, verdict = account.notebook, account.explanation.verdict
    return {
        "target": account.target,
        "id": notebook.id,
        "name": notebook.name,
        "status": notebook.status.value,
        "owner": notebook.owner_label,
        "workspace": notebook.workspace_id,
        "asked_at": moment_text(account.asked_at),
        "verdict": verdict.decision.value,
        "because": verdict.reason.value,
        "rule": verdict.rule,
        "reason": verdict.sentence,
        "stop_first": verdict.stop_first,
        "covered": account.covered,
        "cover": [_finding(finding) for finding in account.cover],
        "built_in": [_finding(finding) for finding in account.explanation.built_in],
        "protections": [_answer(answer) for answer in account.explanation.protections],
        "policies": [_answer(answer) for answer in account.explanation.policies],
        "change": _change(account),
        "brakes": [_brake(line) for line in account.brakes],
        "journal": _memory(account.memory),
    }


def _finding(finding: Finding) -> Document:
    return {
        "condition": finding.condition,
        "fact": finding.fact,
        "threshold": finding.threshold,
        "result": finding.truth.value,
    }


def _answer(answer: RuleResult) -> Document:
    document: Document = {
        "name": answer.rule.name,
        "result": answer.check.finding.truth.value,
        "decides": answer.decides,
        "conditions": [_check(part) for part in answer.check.parts],
    }
    if isinstance(answer.rule, Policy):
        document |= {"running": answer.rule.running.value, "remark": answer.remark or None}
    return document


def _check(check: ConditionResult) -> Document:
    document = _finding(check.finding)
    if check.parts:
        document["parts"] = [_check(part) for part in check.parts]
    if check.since or check.flips_at:
        document |= {"since": moment_text(check.since), "turns_at": moment_text(check.flips_at)}
    if check.missing:
        document["missing"] = list(check.missing)
    return document


def _change(account: NotebookContext) -> Document:
    explanation = account.explanation
    goes = explanation.verdict.decision is Decision.DELETE
    return {
        "to": (Decision.KEEP if goes else Decision.DELETE).value,
        "by_itself_at": moment_text(explanation.flips_at),
        "needs": _need(explanation.needs) if explanation.needs else None,
        "remedies": [{"words": remedy.words, "until": moment_text(remedy.until)} for remedy in explanation.remedies],
    }


def _need(need: AnyRequirement) -> Document:
    match need:
        case Requirement():
            return {"condition": need.condition, "words": need.words, "at": moment_text(need.at)}
        case RuleRequirement():
            return {"words": need.words, "needs": _need(need.need)}
        case AllRequired(parts=parts):
            return {"every_one": [_need(part) for part in parts]}
        case AnyRequired(parts=parts):
            return {"one_of": [_need(part) for part in parts]}


def _brake(line: BrakeLine) -> Document:
    return {"brake": line.brake, "limit": line.limit, "looks_at": line.looks_at, "known": line.known}


def _memory(memory: JournalFacts) -> Document:
    under_way = memory.under_way
    return {
        "last_active": moment_text(memory.last_active),
        "under_way": _removal(under_way) if under_way else None,
        "removals": [_removal(removal) for removal in memory.removals],
        "last_sweep": run_record_document(memory.latest) if memory.latest else None,
        "requested_within_a_day": memory.history.requested,
        "left_alone": memory.left_alone.sentence if memory.left_alone else None,
    }


def _removal(removal: Removal) -> Document:
    return {"run_id": removal.run_id, **removal_document(removal)}
