"""A sweep of one target, as the journal keeps it, and what a sweep can come to."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.pacing import LaneState


class Outcome(StrEnum):
    """What a sweep of one target has come to."""

    RUNNING = "running"
    """It has not ended; without a process this means a crash."""
    FINISHED = "finished"
    DRY_RUN = "dry-run"
    DECLINED = "declined"
    """The plan was declined at the prompt."""
    REFUSED = "refused"
    """By a brake, before the first DELETE or midway."""
    HELD_ELSEWHERE = "held-elsewhere"
    """Another nbsweep held the lease, and the target was left to it."""
    INTERRUPTED = "interrupted"
    FAILED = "failed"


SUCCESSES = frozenset({Outcome.FINISHED, Outcome.DRY_RUN})
JUDGED = SUCCESSES | {Outcome.FAILED, Outcome.REFUSED, Outcome.INTERRUPTED, Outcome.DECLINED}
"""Outcomes that say something of the target: its sweep has ended, and was not left to another nbsweep."""
SURVEYED = frozenset({Outcome.FINISHED, Outcome.DRY_RUN, Outcome.DECLINED, Outcome.INTERRUPTED})
"""Outcomes of runs whose survey passed the brakes, where there was one.

A run that was refused is never what the next one is compared with: otherwise the second would pass by itself.
"""
SETTLED = SUCCESSES | {Outcome.REFUSED}
"""Outcomes after which a service need not try again: a brake that refuses has done its work, though the sweep has not."""


class RunRecord(Struct, frozen=True):
    """A target's sweep, as the journal keeps it."""

    run_id: str
    target: str
    started_at: datetime
    started_by: str
    dry_run: bool
    ended_at: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    problem: str = ""
    fleet: int = 0
    planned: int = 0
    kept: Mapping[str, int] | None = None
    lanes: tuple[LaneState, ...] | None = None
    """How fast the account's lanes went when it ended."""
    project: str = ""
    """The endpoint and project that were swept, see `identity`; empty where that is not on record."""
    extent: str = ""
    """What of the project was covered, likewise."""
