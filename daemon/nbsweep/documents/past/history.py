"""The rows of the tables of the history, as files for spreadsheets."""

import math
from collections.abc import Iterable, Sequence
from datetime import date

from nbsweep.core.lifecycle import Removal, RemovalOutcome, outcome
from nbsweep.core.statistics.model import PeriodCounts
from nbsweep.documents.base import Count, Document, Time, moment_text


class EndedRemovalDocument(Document, frozen=True):
    """One removal."""

    ended_at: Time | None
    outcome: RemovalOutcome
    target: str
    id: str
    name: str
    owner: str
    policy: str
    capacity_gb: Count | None
    reason: str
    planned_because: str
    accepted_at: Time | None
    run_id: str


class PeriodDocument(Document, frozen=True):
    """The removals that ended on one day, or in one week or month."""

    begins: date
    deleted: Count
    failed: Count
    timed_out: Count
    reclaimed_gb: Count


class LengthDocument(Document, frozen=True):
    """The deletions that took from `from_s` until before `to_s`, or longer if that is None."""

    from_s: int
    to_s: int | None
    deletions: Count


class CauseDocument(Document, frozen=True):
    """The removals that failed or timed out for one reason."""

    outcome: RemovalOutcome
    removals: Count
    cause: str


def ended_removal_document(removal: Removal) -> EndedRemovalDocument:
    """Return the row of one removal."""
    return EndedRemovalDocument(
        ended_at=moment_text(removal.ended_at),
        outcome=outcome(removal),
        target=removal.target,
        id=removal.notebook_id,
        name=removal.name,
        owner=removal.owner,
        policy=removal.policy,
        capacity_gb=removal.capacity_gb,
        reason=removal.end_reason,
        planned_because=removal.reason,
        accepted_at=moment_text(removal.accepted_at),
        run_id=removal.run_id,
    )


def period_document(period: PeriodCounts) -> PeriodDocument:
    """Return the row of one day, week or month."""
    ends = period.ends
    counts = (ends.get("deleted", 0), ends.get("failed", 0), ends.get("timed_out", 0))
    return PeriodDocument(period.begins, *counts, period.reclaimed_gb)


def length_documents(edges_s: Sequence[float], counts: Iterable[int]) -> list[LengthDocument]:
    """Return the rows of a histogram, which has one more edge than counts; the last edge may be infinite."""
    ends = [None if math.isinf(edge) else int(edge) for edge in edges_s[1:]]
    return [LengthDocument(int(edge), end, count) for edge, end, count in zip(edges_s[:-1], ends, counts, strict=True)]
