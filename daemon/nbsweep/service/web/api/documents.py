"""The JSON documents that only the HTTP API has: the states of the targets, and pages of the journal."""

from collections.abc import Collection, Sequence
from typing import Annotated

from msgspec import Meta
from msgspec.structs import asdict

from nbsweep.core.lifecycle import Removal
from nbsweep.core.runs import RunRecord
from nbsweep.documents.base import Count, Document, Time, moment_text
from nbsweep.documents.people.marks import MarkDocument
from nbsweep.documents.people.outbox import MessageDocument
from nbsweep.documents.runs import (
    Lanes,
    RemovalDocument,
    RunDocument,
    ShowDocument,
    lane_documents,
    removal_series,
    run_document,
)
from nbsweep.documents.status import PauseDocument, pause_document
from nbsweep.service.control import Phase, TargetState


class TargetDocument(Document, frozen=True):
    """The state of a target."""

    target: str
    phase: Phase
    dry_run: bool
    paused: bool
    pause: PauseDocument | None
    next_run: Time | None
    last_success: Time | None
    failures: Annotated[Count, Meta(description="Number of failed sweeps since the last success.")]
    problem: str | None
    accounts_ahead: Annotated[
        Count | None,
        Meta(description="Number of accounts that have waited longer for their turn; null if the target does not wait for it."),
    ]
    lanes: Lanes


class TargetInFullDocument(TargetDocument, frozen=True):
    """The state of a target, its last sweep, and its unfinished removals."""

    last_sweep: RunDocument | None
    unfinished: Collection[RemovalDocument]
    more_unfinished: Annotated[bool, Meta(description="Whether there are more unfinished removals.")]


class TargetsDocument(Document, frozen=True):
    """The states of all targets."""

    targets: Sequence[TargetDocument]


class RunsDocument(Document, frozen=True):
    """The latest sweeps, the newest first."""

    runs: Sequence[RunDocument]


class RunInFullDocument(ShowDocument, frozen=True):
    """One run, and one page of the results of its notebooks."""

    next_offset: Annotated[Count | None, Meta(description="The `offset` of the next page; null on the last page.")]


class RemovalsDocument(Document, frozen=True):
    """The removals of one notebook over all runs, the newest first."""

    id: Annotated[str, Meta(description="The ID of the notebook.")]
    removals: Collection[RemovalDocument]


class MarksDocument(Document, frozen=True):
    """The latest marks, the newest first."""

    marks: Sequence[MarkDocument]


class MarksOfNotebookDocument(Document, frozen=True):
    """The marks of one notebook, the newest first."""

    id: Annotated[str, Meta(description="The ID of the notebook.")]
    marks: Sequence[MarkDocument]


class MessagesDocument(Document, frozen=True):
    """The latest messages, the newest first, what waits for a message, and the pause of sending that is in force."""

    paused: PauseDocument | None
    waiting: Annotated[Count, Meta(description="Number of items that no message lists yet.")]
    waiting_since: Annotated[Time | None, Meta(description="Since when the first of these items waits.")]
    messages: Sequence[MessageDocument]


def target_document(state: TargetState) -> TargetDocument:
    """Return the document of the state of a target."""
    return TargetDocument(
        target=state.name,
        phase=state.phase,
        dry_run=state.dry_run,
        paused=state.paused,
        pause=pause_document(state.pause) if state.pause else None,
        next_run=moment_text(state.next_run),
        last_success=moment_text(state.last_success),
        failures=state.failures,
        problem=state.problem or None,
        accounts_ahead=state.accounts_ahead,
        lanes=lane_documents(state.lanes),
    )


def target_in_full(
    state: TargetState, last: RunRecord | None, unfinished: Sequence[Removal], most: int
) -> TargetInFullDocument:
    """Return the document of a target with its last sweep and up to `most` of its unfinished removals."""
    return TargetInFullDocument(
        **asdict(target_document(state)),
        last_sweep=run_document(last) if last else None,
        unfinished=removal_series(unfinished[:most]),
        more_unfinished=len(unfinished) > most,
    )
