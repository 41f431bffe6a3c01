"""The results of commands as plain values, for JSON and CSV; the keys are part of the contract."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbsweep.core.conditions import Finding
from nbsweep.core.lifecycle import Removal, outcome
from nbsweep.core.model import Notebook
from nbsweep.core.plan import Candidate, Plan
from nbsweep.core.policy import Explanation
from nbsweep.core.ports import RunRecord
from nbsweep.engine.sweep import Report

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """A list of documents, each of which is made when its turn comes: a large sweep has tens of thousands."""

    begin: Callable[[], Iterator[Document]]
    """Makes them anew, as often as somebody goes through them."""

    def __iter__(self) -> Iterator[Document]:
        return self.begin()


def moment_text(moment: datetime | None) -> str | None:
    """Write a moment the way all documents do."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def plan_document(plan_id: str, created_at: datetime, plans: Sequence[Plan], errors: Mapping[str, str]) -> Document:
    """Tell what would go, on all targets together and on each."""
    refusals = [_refusal(plan) for plan in plans if plan.refusal]
    return {
        "plan_id": plan_id,
        "created_at": moment_text(created_at),
        "refusal": refusals[0] if refusals else None,
        "items": Series(lambda: (item_document(plan.target, item) for plan in plans for item in plan.items)),
        "kept": _add(plan.kept for plan in plans),
        "targets": [_target(plan) for plan in plans]
        + [{"target": target, "error": message} for target, message in errors.items()],
    }


def item_document(target: str, item: Candidate) -> Document:
    """Tell what is known of one notebook that may go."""
    notebook = item.notebook
    volume = notebook.volume
    return {
        "target": target,
        "id": notebook.id,
        "name": notebook.name,
        "status": notebook.status.value,
        "owner": notebook.owner_label,
        "workspace": item.scope.workspace_id,
        "policy": item.verdict.rule,
        "reason": item.verdict.sentence,
        "stop_first": item.verdict.stop_first,
        "feature": notebook.feature,
        "flavor": notebook.flavor,
        "capacity_gb": volume.capacity_gb if volume else None,
        "category": volume.category if volume else None,
        "ownership": volume.ownership if volume else None,
        "created_at": moment_text(notebook.created_at),
        "idle_since": moment_text(item.idle_since),
    }


def run_document(run_id: str, reports: Sequence[Report]) -> Document:
    """Tell what became of every planned notebook, and of what an earlier run had left."""
    refusals = [_refusal(report.plan) for report in reports if report.plan and report.plan.refusal]
    return {
        "run_id": run_id,
        "counts": _add(report.counts for report in reports),
        "results": removal_series(*(report.removals for report in reports)),
        "recovered": removal_series(*(report.recovered for report in reports)),
        "refusal": refusals[0] if refusals else None,
        "kept": _add(report.plan.kept for report in reports if report.plan),
        "targets": [_report(report) for report in reports],
    }


def dry_run_document(run_id: str, created_at: datetime, reports: Sequence[Report]) -> Document:
    """Tell what a run would have done: the keys of a run without results, and those of a plan."""
    plans = [report.plan for report in reports if report.plan]
    errors = {report.target: str(report.error) for report in reports if report.error}
    return {
        "run_id": run_id,
        "dry_run": True,
        "counts": {"planned": sum(len(plan.items) for plan in plans)},
        "results": [],
        **plan_document(run_id, created_at, plans, errors),
    }


def removal_series(*several: Sequence[Removal]) -> Series:
    """Tell the ways of several removals."""
    return Series(lambda: (removal_document(removal) for removals in several for removal in removals))


def removal_document(removal: Removal) -> Document:
    """Tell one removal's way."""
    return {
        "target": removal.target,
        "id": removal.notebook_id,
        "name": removal.name,
        "outcome": outcome(removal),
        "reason": removal.end_reason or removal.reason,
        "policy": removal.policy,
        "planned_because": removal.reason,
        "owner": removal.owner,
        "workspace": removal.workspace_id,
        "feature": removal.feature,
        "status_before": removal.status_before.value,
        "state": removal.state.value,
        "requests": removal.requests,
        "failures": removal.failures,
        "capacity_gb": removal.capacity_gb,
        "category": removal.category,
        "request_id": removal.request_id or None,
        "planned_at": moment_text(removal.planned_at),
        "requested_at": moment_text(removal.requested_at),
        "accepted_at": moment_text(removal.accepted_at),
        "ended_at": moment_text(removal.ended_at),
    }


def run_record_document(record: RunRecord) -> Document:
    """Tell one line of the history."""
    return {
        "run_id": record.run_id,
        "target": record.target,
        "outcome": record.outcome,
        "problem": record.problem or None,
        "dry_run": record.dry_run,
        "started_by": record.started_by,
        "started_at": moment_text(record.started_at),
        "ended_at": moment_text(record.ended_at),
        "fleet": record.fleet,
        "planned": record.planned,
        "kept": dict(record.kept or {}),
        "lanes": {lane.lane: dict(lane.figures) for lane in record.lanes or ()},
    }


def explanation_document(target: str, notebook: Notebook, explanation: Explanation) -> Document:
    """Tell every rule's answer for one notebook."""
    verdict = explanation.verdict
    return {
        "target": target,
        "id": notebook.id,
        "name": notebook.name,
        "status": notebook.status.value,
        "owner": notebook.owner_label,
        "workspace": notebook.workspace_id,
        "verdict": verdict.decision.value,
        "because": verdict.reason.value,
        "rule": verdict.rule,
        "reason": verdict.sentence,
        "stop_first": verdict.stop_first,
        "protections": [_rule(rule.name, finding) for rule, finding in explanation.protections],
        "policies": [_rule(rule.name, finding) for rule, finding in explanation.policies],
    }


def _rule(name: str, finding: Finding) -> Document:
    return {"name": name, "result": finding.truth.value, "conditions": [_finding(part) for part in finding.parts]}


def _finding(finding: Finding) -> Document:
    document: Document = {
        "condition": finding.condition,
        "fact": finding.fact,
        "threshold": finding.threshold,
        "result": finding.truth.value,
    }
    if finding.parts:
        document["parts"] = [_finding(part) for part in finding.parts]
    return document


def _refusal(plan: Plan) -> Document | None:
    if plan.refusal is None:
        return None
    return {"target": plan.target, "brake": plan.refusal.brake, "message": plan.refusal.message}


def _target(plan: Plan) -> Document:
    return {
        "target": plan.target,
        "fleet": plan.fleet,
        "planned": len(plan.items),
        "refusal": _refusal(plan),
        "kept": _add([plan.kept]),
        "malformed": [{"id": row.id, "name": row.name, "problem": row.problem} for row in plan.malformed],
        "error": None,
    }


def _report(report: Report) -> Document:
    return {
        "target": report.target,
        "outcome": report.outcome,
        "fleet": report.plan.fleet if report.plan else None,
        "planned": len(report.plan.items) if report.plan else None,
        "counts": dict(report.counts),
        "kept": _add([report.plan.kept]) if report.plan else {},
        "refusal": _refusal(report.plan) if report.plan else None,
        "reclaimed_gb": report.reclaimed_gb,
        "error": str(report.error) if report.error else None,
    }


def _add(counts: Iterable[Mapping[Any, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update({str(key): value for key, value in count.items()})
    return dict(sorted(total.items(), key=lambda pair: (-pair[1], pair[0])))
