"""The JSON documents of plans, runs and removals, for the command line and the HTTP API.

The keys are part of the contract. No source record has a field for a secret.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from msgspec import Struct

from nbsweep.core.lifecycle import Removal, outcome
from nbsweep.core.pacing import LaneState
from nbsweep.core.plan import Candidate, Plan
from nbsweep.core.runs import RunRecord

Document = dict[str, Any]


class Series(Struct, frozen=True):
    """A lazy list of documents: a large sweep has tens of thousands, so each is built when it is written."""

    begin: Callable[[], Iterator[Document]]
    """Returns a new iterator over the documents at each call."""

    def __iter__(self) -> Iterator[Document]:
        return self.begin()


def new_id(now: datetime) -> str:
    """Return a new ID for a run or a plan. IDs sort by time."""
    return f"{now:%Y%m%dT%H%M%SZ}-{token_hex(3)}"


def moment_text(moment: datetime | None) -> str | None:
    """Return a time in the format of all documents."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def plan_document(plan_id: str, created_at: datetime, plans: Sequence[Plan], errors: Mapping[str, str]) -> Document:
    """Return the document of a plan, for all targets together and for each target."""
    refusals = [refusal_document(plan) for plan in plans if plan.refusal]
    return {
        "plan_id": plan_id,
        "created_at": moment_text(created_at),
        "refusal": refusals[0] if refusals else None,
        "items": Series(lambda: (item_document(plan.target, item) for plan in plans for item in plan.items)),
        "kept": add_counts(plan.kept for plan in plans),
        "targets": [_target(plan) for plan in plans]
        + [{"target": target, "error": message} for target, message in errors.items()],
    }


def item_document(target: str, item: Candidate) -> Document:
    """Return the document of one planned notebook."""
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


def removal_series(*several: Sequence[Removal]) -> Series:
    """Return the documents of several removals."""
    return Series(lambda: (removal_document(removal) for removals in several for removal in removals))


def removal_document(removal: Removal) -> Document:
    """Return the document of one removal."""
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
    """Return the document of one run in the history."""
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
        "lanes": lanes_document(record.lanes or ()),
    }


def lanes_document(lanes: Iterable[LaneState]) -> Document:
    """Return the rates of the lanes of an account, by lane name."""
    return {lane.lane: dict(lane.figures) for lane in lanes}


def show_document(run_id: str, records: Sequence[RunRecord], removals: Sequence[Removal]) -> Document:
    """Return the document of one run with the result of each notebook."""
    return {
        "run_id": run_id,
        "targets": [run_record_document(record) for record in records],
        "results": removal_series(removals),
    }


def refusal_document(plan: Plan) -> Document | None:
    """Return the document of the brake that refused a plan, or None."""
    if plan.refusal is None:
        return None
    return {"target": plan.target, "brake": plan.refusal.brake, "message": plan.refusal.message}


def refused_documents(plan: Plan) -> list[Document]:
    """Return the documents of the workspaces that could not be listed."""
    return [{"workspace": gap.scope.workspace_id, "feature": gap.scope.feature, "problem": gap.problem} for gap in plan.refused]


def _target(plan: Plan) -> Document:
    return {
        "target": plan.target,
        "fleet": plan.fleet,
        "planned": len(plan.items),
        "refusal": refusal_document(plan),
        "trimmed": plan.trimmed or None,
        "kept": add_counts([plan.kept]),
        "workspaces_refused": refused_documents(plan),
        "malformed": [{"id": row.id, "name": row.name, "problem": row.problem} for row in plan.malformed],
        "error": None,
    }


def add_counts(counts: Iterable[Mapping[Any, int]]) -> dict[str, int]:
    """Return the sums of the counts by name, the largest first."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update({str(key): value for key, value in count.items()})
    return dict(sorted(total.items(), key=lambda pair: (-pair[1], pair[0])))
