"""The results of commands as plain values, for JSON and CSV; the keys are part of the contract."""

from collections.abc import Sequence
from datetime import datetime

from nbsweep.core.cool_down import Cause
from nbsweep.core.report import Report
from nbsweep.core.saved_plan.model import Spared
from nbsweep.documents.plans_and_runs import (
    Document,
    Series,
    add_counts,
    item_document,
    moment_text,
    plan_document,
    refusal_document,
    refused_documents,
    removal_document,
    removal_series,
    run_record_document,
)

__all__ = [
    "Document",
    "Series",
    "dry_run_document",
    "item_document",
    "moment_text",
    "plan_document",
    "removal_document",
    "removal_series",
    "run_document",
    "run_record_document",
    "spared_document",
]


def run_document(run_id: str, reports: Sequence[Report]) -> Document:
    """Return the document of a run: the result of every planned notebook and of the removals that an earlier run left."""
    refusals = [refusal_document(report.plan) for report in reports if report.plan and report.plan.refusal]
    return {
        "run_id": run_id,
        "counts": add_counts(report.counts for report in reports),
        "results": removal_series(*(report.removals for report in reports)),
        "recovered": removal_series(*(report.recovered for report in reports)),
        "failures": [_cause(report.target, cause) for report in reports for cause in report.causes],
        "refusal": refusals[0] if refusals else None,
        "kept": add_counts(report.plan.kept for report in reports if report.plan),
        "targets": [_report(report) for report in reports],
    }


def dry_run_document(run_id: str, created_at: datetime, reports: Sequence[Report]) -> Document:
    """Return the document of a dry run: the keys of a run without results, and those of a plan."""
    plans = [report.plan for report in reports if report.plan]
    errors = {report.target: str(report.error) for report in reports if report.error}
    return {
        "run_id": run_id,
        "dry_run": True,
        "counts": {"planned": sum(len(plan.items) for plan in plans)},
        "results": [],
        "spared": Series(lambda: (spared_document(report.target, each) for report in reports for each in report.spared)),
        **plan_document(run_id, created_at, plans, errors),
    }


def spared_document(target: str, spared: Spared) -> Document:
    """Return the document of a notebook that a saved plan permits to delete and that a run would keep."""
    item = spared.item
    return {
        "target": target,
        "id": item.id,
        "name": item.name,
        "outcome": "spared",
        "reason": spared.why,
        "policy": item.policy,
        "planned_because": item.reason,
        "owner": item.owner,
        "workspace": item.workspace,
    }


def _cause(target: str, cause: Cause) -> Document:
    example = cause.example
    return {"target": target, "cause": cause.cause, "notebooks": len(cause.removals), "example": example.notebook_id}


def _report(report: Report) -> Document:
    return {
        "target": report.target,
        "outcome": report.outcome,
        "fleet": report.plan.fleet if report.plan else None,
        "planned": report.plan.planned if report.plan else None,
        "counts": dict(report.counts),
        "kept": add_counts([report.plan.kept]) if report.plan else {},
        "refusal": refusal_document(report.plan) if report.plan else None,
        "workspaces_refused": refused_documents(report.plan) if report.plan else [],
        "trimmed": (report.plan.trimmed or None) if report.plan else None,
        "reclaimed_gb": report.reclaimed_gb,
        "error": str(report.error) if report.error else None,
    }
