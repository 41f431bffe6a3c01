"""The JSON document of `journal prune`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from nbsweep.core.retention.model import Pruned
from nbsweep.documents.base import Count, Document, Time, moment_text


class PrunedDocument(Document, frozen=True):
    """Numbers of records."""

    runs: Annotated[int, Meta(ge=0, description="Sweeps of one target each.")]
    removals: Count
    marks: Count
    messages: Count
    exemptions: Count


class PrunedMonthDocument(PrunedDocument, frozen=True):
    """Numbers of records that ended in one month."""

    month: Annotated[str, Meta(description="The month in UTC, such as 2024-10.")]


class PruneDocument(Document, frozen=True):
    """What may be deleted, by month, and what was deleted."""

    before: Annotated[Time, Meta(description="Only records that ended before this time are deleted.")]
    months: Annotated[Sequence[PrunedMonthDocument], Meta(description="What may be deleted, the oldest month first.")]
    deleted: Annotated[PrunedDocument | None, Meta(description="What was deleted; null if nothing was to be deleted.")]


def pruned_document(before: datetime, months: Mapping[str, Pruned], deleted: Pruned | None = None) -> PruneDocument:
    """Return the document."""
    return PruneDocument(
        before=moment_text(before),
        months=[PrunedMonthDocument(*_numbers(counts), month) for month, counts in months.items()],
        deleted=None if deleted is None else PrunedDocument(*_numbers(deleted)),
    )


def _numbers(counts: Pruned) -> tuple[int, int, int, int, int]:
    return (counts.runs, counts.removals, counts.marks, counts.messages, counts.exemptions)
