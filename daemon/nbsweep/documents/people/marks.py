"""The JSON documents of marks."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from nbsweep.core.judging.shown_marks import MarkRules, ShownMark, show_mark
from nbsweep.core.marks.model import ClearCause, Mark
from nbsweep.core.marks.shown import ShownState
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.render import render_action
from nbsweep.documents.base import Count, Document, Time, moment_text


class MarkDocument(Document, frozen=True):
    """The announced intention to delete one instance of a notebook."""

    mark: Annotated[str, Meta(description="The ID of the mark.")]
    target: str
    id: Annotated[str, Meta(description="The ID of the notebook.")]
    name: str
    owner: str
    workspace: str
    policy: str
    reason: str
    state: ShownState
    marked_at: Time
    surveys: Annotated[Count, Meta(description="Number of complete surveys in a row that agree.")]
    told_at: Time | None
    told_by: Annotated[str | None, Meta(description="The channel, and what the other side said.")]
    due_at: Annotated[Time | None, Meta(description="The earliest time of the deletion; null until the owner is told.")]
    exempt_until: Annotated[Time | None, Meta(description="The end of the exemption that keeps it; null if none does.")]
    untold: Annotated[str | None, Meta(description="Why the owner could not be told.")]
    untold_since: Annotated[Time | None, Meta(description="When the first attempt to tell the owner failed.")]
    retried: Annotated[bool, Meta(description="Whether another attempt to tell the owner follows by itself.")]
    keeps_it: Annotated[Sequence[str], Meta(description="What the owner can do to keep the notebook.")]
    capacity_gb: Count | None
    ended_at: Time | None
    cleared: ClearCause | None
    run_id: Annotated[str | None, Meta(description="The run that deleted the notebook.")]


def mark_document(mark: Mark, shown: ShownMark) -> MarkDocument:
    """Return the document of a mark."""
    return MarkDocument(
        mark=mark.id,
        target=mark.target,
        id=mark.notebook_id,
        name=mark.name,
        owner=mark.owner_label,
        workspace=mark.workspace_id,
        policy=mark.policy,
        reason=mark.reason,
        state=shown.state,
        marked_at=moment_text(mark.marked_at),
        surveys=mark.surveys,
        told_at=moment_text(mark.told_at),
        told_by=mark.told_by or None,
        due_at=moment_text(shown.due_at),
        exempt_until=moment_text(shown.exempt_until),
        untold=mark.untold or None,
        untold_since=moment_text(mark.untold_since),
        retried=mark.retried,
        keeps_it=[render_action(action, Language.ENGLISH) for action in mark.remedies],
        capacity_gb=mark.capacity_gb,
        ended_at=moment_text(mark.ended_at),
        cleared=mark.cleared,
        run_id=mark.run_id or None,
    )


def mark_documents(marks: Iterable[Mark], rules: MarkRules, now: datetime) -> list[MarkDocument]:
    """Return the documents of marks."""
    return [mark_document(mark, show_mark(mark, rules, now)) for mark in marks]
