"""A page of removals, and of runs, as tables show them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.lifecycle import Removal, RemovalOutcome, outcome
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.runs import RunCounts, RunRecord
from nbsweep.service.web.messages import Message
from nbsweep.service.web.pages.views.elements.sweeps import END_TITLES, OUTCOMES, EndCount, end_counts
from nbsweep.service.web.pages.views.elements.words import Said, sentence_words

PAGE_ROWS = 25
TONES: Mapping[RemovalOutcome, str] = {
    "deleted": "good",
    "failed": "bad",
    "timed_out": "bad",
    "spared": "quiet",
    "unfinished": "busy",
}


class RemovalRow(Struct, frozen=True):
    """One removal."""

    notebook_id: str
    name: str
    owner: str
    target: str
    policy: str
    run_id: str
    end: Message
    tone: str
    at: datetime
    """When it ended, or while it has not, when it was planned."""
    took: timedelta | None
    """From the accepted DELETE to the end; None if no DELETE was accepted, or for one that has not ended."""
    size_gb: int | None
    reason: str
    """In English, or in the words of the cloud."""
    said: Said | None
    """The same in the language of the page; None if there are no words for it."""


class Pager(Struct, frozen=True):
    """The addresses of the pages beside one page; None where there is none."""

    page: int
    before: str | None
    after: str | None


class RemovalsView(Struct, frozen=True):
    """A page of removals."""

    rows: Sequence[RemovalRow]
    pager: Pager
    csv: str
    """The address of all of them as CSV."""


class RunRow(Struct, frozen=True):
    """One sweep of one target."""

    run_id: str
    target: str
    started_at: datetime
    took: timedelta | None
    outcome: Message
    ends: Sequence[EndCount]
    planned: int
    fleet: int
    reclaimed_gb: int
    problem: str
    """In English."""
    statements: Sequence[Statement]
    """The problem, for each language to render; empty if there are only its English words."""


def build_removals(found: Sequence[Removal], page: int, address: Callable[[int], str], csv: str) -> RemovalsView:
    """Return a page of removals; `found` holds one more than fits if there is a next page."""
    before = address(page - 1) if page > 1 else None
    after = address(page + 1) if len(found) > PAGE_ROWS else None
    return RemovalsView([removal_row(each) for each in found[:PAGE_ROWS]], Pager(page, before, after), csv)


def removal_row(removal: Removal) -> RemovalRow:
    """Return the row of a removal."""
    end = outcome(removal)
    took = removal.ended_at - removal.accepted_at if removal.ended_at and removal.accepted_at else None
    return RemovalRow(
        notebook_id=removal.notebook_id,
        name=removal.name,
        owner=removal.owner,
        target=removal.target,
        policy=removal.policy,
        run_id=removal.run_id,
        end=END_TITLES[end],
        tone=TONES[end],
        at=removal.ended_at or removal.planned_at,
        took=max(took, timedelta()) if took is not None else None,
        size_gb=removal.capacity_gb,
        reason=removal.end_reason or removal.reason,
        said=sentence_words(removal.end_reason, removal.end_cause),
    )


def run_rows(runs: Iterable[RunRecord], counts: Iterable[RunCounts]) -> list[RunRow]:
    """Return the rows of sweeps."""
    known = {(each.run_id, each.target): each for each in counts}
    return [_run_row(run, known.get((run.run_id, run.target))) for run in runs]


def _run_row(run: RunRecord, counts: RunCounts | None) -> RunRow:
    ends = counts.ends if counts else {}
    return RunRow(
        run_id=run.run_id,
        target=run.target,
        started_at=run.started_at,
        took=run.ended_at - run.started_at if run.ended_at else None,
        outcome=OUTCOMES[run.outcome],
        ends=end_counts(ends),
        planned=run.planned or sum(ends.values()),
        fleet=run.fleet,
        reclaimed_gb=counts.reclaimed_gb if counts else 0,
        problem=run.problem,
        statements=run.statements or (),
    )
