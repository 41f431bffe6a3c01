"""How a sweep went and how its removals have ended, in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.lifecycle import RemovalOutcome
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.runs import Outcome, RunCounts, RunRecord
from nbsweep.service.web.messages import Message, message

OUTCOMES: Mapping[Outcome, Message] = {
    Outcome.RUNNING: message("in progress"),
    Outcome.FINISHED: message("finished"),
    Outcome.DRY_RUN: message("dry run: nothing was changed"),
    Outcome.DECLINED: message("declined at the prompt"),
    Outcome.REFUSED: message("refused by a brake"),
    Outcome.HELD_ELSEWHERE: message("held off by another nbsweep"),
    Outcome.INTERRUPTED: message("interrupted"),
    Outcome.FAILED: message("failed"),
}
ENDS: Mapping[RemovalOutcome, Message] = {
    "deleted": message("deleted"),
    "failed": message("failed to be deleted"),
    "timed_out": message("timed out"),
    "spared": message("spared by the second look"),
    "unfinished": message("not ended yet"),
}
"""The ends of removals inside a sentence, in the order of the page."""
END_TITLES: Mapping[RemovalOutcome, Message] = {
    "deleted": message("Deleted"),
    "failed": message("Failed to be deleted"),
    "timed_out": message("Timed out"),
    "spared": message("Spared by the second look"),
    "unfinished": message("Not ended yet"),
}
"""The same where they stand alone."""


class EndCount(Struct, frozen=True):
    """How many removals have ended so."""

    end: Message
    """Inside a sentence."""
    title: Message
    count: int


class SweepView(Struct, frozen=True):
    """The latest sweep of a target."""

    run_id: str
    started_at: datetime
    took: timedelta | None
    """None while it is in progress."""
    outcome: Message
    problem: str
    """In English."""
    statements: Sequence[Statement]
    """The problem, for each language to render; empty if there are only its English words."""
    fleet: int | None
    """None while it is in progress."""
    planned: int | None
    """None until there is a plan."""
    ends: Sequence[EndCount]
    reclaimed_gb: int
    started_by: str


def sweep_view(run: RunRecord, counts: RunCounts | None) -> SweepView:
    """Return how a sweep of a target went; `counts` are the ends of its removals so far."""
    ends = counts.ends if counts else {}
    return SweepView(
        run_id=run.run_id,
        started_at=run.started_at,
        took=run.ended_at - run.started_at if run.ended_at else None,
        outcome=OUTCOMES[run.outcome],
        problem=run.problem,
        statements=run.statements or (),
        fleet=run.fleet if run.ended_at else None,
        planned=run.planned if run.ended_at else sum(ends.values()) or None,
        ends=end_counts(ends),
        reclaimed_gb=counts.reclaimed_gb if counts else 0,
        started_by=run.started_by,
    )


def end_counts(ends: Mapping[RemovalOutcome, int]) -> list[EndCount]:
    """Return how many removals have ended in each way; ways in which none has ended are left out."""
    return [EndCount(ENDS[end], END_TITLES[end], ends[end]) for end in ENDS if ends.get(end)]
