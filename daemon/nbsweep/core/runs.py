"""Sweeps as the journal keeps them, what a sweep can come to, and what of that the next plan depends on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.lifecycle import Removal, State
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
IDENTIFIED = frozenset(Outcome) - {Outcome.RUNNING, Outcome.FAILED}
"""Outcomes of runs that have ended and knew their project; a failed run may have ended before it was known."""
SETTLED = SUCCESSES | {Outcome.REFUSED}
"""Outcomes after which a service need not try again: a brake that refuses has done its work, though the sweep has not."""


TRIED = frozenset({State.DELETED, State.FAILED, State.TIMED_OUT})
"""The ends of removals that somebody has tried to carry out."""
FAILURES = frozenset({State.FAILED, State.TIMED_OUT})


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


class FleetBefore(Struct, frozen=True):
    """What the last survey saw that passed the brakes."""

    run_id: str
    fleet: int
    deleted: int = 0
    """How many of them nbsweep itself has deleted since."""

    @property
    def left(self) -> int:
        """How many are to be expected now, if nobody else has deleted or created any."""
        return max(0, self.fleet - self.deleted)


class History(Struct, frozen=True):
    """One target's past."""

    requested: int = 0
    """How many removals have had a DELETE sent since the moment that was asked about, whatever came of it."""
    before: FleetBefore | None = None
    """None where no survey is known of."""
    ends: Sequence[Removal] = ()
    """How the removals ended of every notebook of which one has failed since the moment that was asked about."""


NO_HISTORY = History()
