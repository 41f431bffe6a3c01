"""The JSON documents of removals and of the runs in the history, for the command line and the HTTP API.

No source record has a field for a secret.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from nbsweep.core.lifecycle import Removal, RemovalOutcome, State, outcome
from nbsweep.core.model import Status
from nbsweep.core.pacing import LaneState
from nbsweep.core.runs import Outcome, RunCounts, RunRecord
from nbsweep.documents.base import Count, Counts, Document, Series, Time, add_counts, moment_text


class RemovalDocument(Document, frozen=True):
    """The removal of one notebook."""

    target: str
    id: Annotated[str, Meta(description="The ID of the notebook.")]
    name: str
    outcome: RemovalOutcome
    reason: Annotated[str, Meta(description="The reason of the outcome, or of the plan while there is no outcome.")]
    policy: str
    planned_because: Annotated[str, Meta(description="The reason of the plan, with facts and thresholds.")]
    owner: str
    workspace: str
    feature: str
    status_before: Annotated[Status, Meta(description="The status of the notebook when it was planned.")]
    state: State
    requests: Annotated[Count, Meta(description="Number of DELETE requests that were sent.")]
    failures: Count
    capacity_gb: Count | None
    category: str | None
    request_id: Annotated[str | None, Meta(description="The request ID that the gateway gave the last accepted DELETE.")]
    planned_at: Time
    requested_at: Time | None
    accepted_at: Time | None
    ended_at: Time | None


class LaneDocument(Document, frozen=True):
    """The rate of one lane of an account."""

    configured_calls_per_s: float | None
    calls_per_s: float
    learned_limit: Annotated[str | None, Meta(description="The limit that the gateway named last, such as 5/s.")]


Lanes = Annotated[Mapping[str, LaneDocument], Meta(description="The rates of the account's lanes, by lane name.")]


class RunDocument(Document, frozen=True):
    """One target's sweep in the history."""

    run_id: str
    target: str
    outcome: Outcome
    problem: str | None
    dry_run: bool
    overrides: Annotated[str | None, Meta(description="The options that set aside `mode` or a pause, such as --enforce.")]
    started_by: str
    started_at: Time
    ended_at: Time | None
    fleet: Annotated[Count, Meta(description="Number of notebooks in the survey.")]
    planned: Count
    kept: Annotated[Counts, Meta(description="Number of kept notebooks, by reason.")]
    lanes: Lanes
    counts: Annotated[Counts, Meta(description="Number of removals, by outcome.")] | UnsetType = UNSET
    reclaimed_gb: Annotated[Count, Meta(description="Size of the deleted disks.")] | UnsetType = UNSET


class ShowDocument(Document, frozen=True):
    """One run, and the result of each notebook."""

    run_id: str
    targets: Sequence[RunDocument]
    results: Collection[RemovalDocument]


def removal_document(removal: Removal) -> RemovalDocument:
    """Return the document of one removal."""
    return RemovalDocument(
        target=removal.target,
        id=removal.notebook_id,
        name=removal.name,
        outcome=outcome(removal),
        reason=removal.end_reason or removal.reason,
        policy=removal.policy,
        planned_because=removal.reason,
        owner=removal.owner,
        workspace=removal.workspace_id,
        feature=removal.feature,
        status_before=removal.status_before,
        state=removal.state,
        requests=removal.requests,
        failures=removal.failures,
        capacity_gb=removal.capacity_gb,
        category=removal.category,
        request_id=removal.request_id or None,
        planned_at=moment_text(removal.planned_at),
        requested_at=moment_text(removal.requested_at),
        accepted_at=moment_text(removal.accepted_at),
        ended_at=moment_text(removal.ended_at),
    )


def removal_series(*several: Sequence[Removal]) -> Series[RemovalDocument]:
    """Return the documents of several removals."""
    return Series(lambda: (removal_document(removal) for removals in several for removal in removals))


def run_documents(records: Iterable[RunRecord], counts: Iterable[RunCounts]) -> list[RunDocument]:
    """Return the documents of runs in the history, with what became of their removals."""
    known = {(each.run_id, each.target): each for each in counts}
    nothing = RunCounts("", "", {}, 0)
    return [_counted(record, known.get((record.run_id, record.target), nothing)) for record in records]


def _counted(record: RunRecord, counts: RunCounts) -> RunDocument:
    return replace(run_document(record), counts=add_counts([counts.ends]), reclaimed_gb=counts.reclaimed_gb)


def run_document(record: RunRecord) -> RunDocument:
    """Return the document of one run in the history."""
    return RunDocument(
        run_id=record.run_id,
        target=record.target,
        outcome=record.outcome,
        problem=record.problem or None,
        dry_run=record.dry_run,
        overrides=record.overrides or None,
        started_by=record.started_by,
        started_at=moment_text(record.started_at),
        ended_at=moment_text(record.ended_at),
        fleet=record.fleet,
        planned=record.planned,
        kept=dict(record.kept or {}),
        lanes=lane_documents(record.lanes or ()),
    )


def lane_documents(lanes: Iterable[LaneState]) -> dict[str, LaneDocument]:
    """Return the rates of the lanes of an account, by lane name."""
    return {lane.lane: LaneDocument(lane.configured_calls_per_s, lane.calls_per_s, lane.learned_limit) for lane in lanes}


def show_document(records: Sequence[RunRecord], counts: Iterable[RunCounts], removals: Sequence[Removal]) -> ShowDocument:
    """Return the document of one run with the result of each notebook."""
    return ShowDocument(records[0].run_id, run_documents(records, counts), removal_series(removals))
