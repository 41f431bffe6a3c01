"""The journal's records of sweeps, the outcomes of a sweep, and the history that the next plan depends on."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.lifecycle import OUTCOMES, Removal, RemovalOutcome, State
from nbsweep.core.pacing import LaneState
from nbsweep.core.reasons.statement import Statement


class Outcome(StrEnum):
    """The outcome of one target's sweep."""

    RUNNING = "running"
    """The sweep has not ended; without a process it has crashed."""
    FINISHED = "finished"
    DRY_RUN = "dry-run"
    DECLINED = "declined"
    """The plan was declined at the prompt."""
    REFUSED = "refused"
    """A brake refused the plan, or stopped the sweep."""
    HELD_ELSEWHERE = "held-elsewhere"
    """Another nbsweep held the lease."""
    INTERRUPTED = "interrupted"
    FAILED = "failed"


SUCCESSES = frozenset({Outcome.FINISHED, Outcome.DRY_RUN})
JUDGED = SUCCESSES | {Outcome.FAILED, Outcome.REFUSED, Outcome.INTERRUPTED, Outcome.DECLINED}
"""Outcomes that describe the target: its sweep has ended, and no other nbsweep held the lease."""
STOPPED = frozenset({Outcome.INTERRUPTED, Outcome.DECLINED})
"""Outcomes of sweeps that somebody ended early; without a problem, they say nothing about the target."""
SURVEYED = frozenset({Outcome.FINISHED, Outcome.DRY_RUN, Outcome.DECLINED, Outcome.INTERRUPTED})
"""Outcomes of runs whose survey passed the brakes, where there was one.

The next run is never compared with a refused run: otherwise a second run would pass unchecked.
"""
IDENTIFIED = frozenset(Outcome) - {Outcome.FAILED}
"""Outcomes of runs that knew their project, crashed runs included; a failed run may have ended before it was known."""
PLANNED = SUCCESSES | {Outcome.REFUSED, Outcome.DECLINED}
"""Outcomes of runs that have ended and made a plan."""
SETTLED = SUCCESSES | {Outcome.REFUSED}
"""Outcomes after which a service does not retry; a refusal by a brake is one of them."""


TRIED = frozenset({State.DELETED, State.FAILED, State.TIMED_OUT})
"""The ends of removals that were tried."""
FAILURES = frozenset({State.FAILED, State.TIMED_OUT})


class RunRecord(Struct, frozen=True):
    """The journal's record of one target's sweep."""

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
    """The rates of the account's lanes at the end."""
    project: str = ""
    """The endpoint and project of the sweep, see `identity`; empty if they are not on record."""
    extent: str = ""
    """The part of the project that was covered, see `identity`; empty if it is not on record."""
    overrides: str = ""
    """The options by which the run set aside `mode` or a pause, such as `--enforce`; empty if it set nothing aside."""
    statements: tuple[Statement, ...] | None = None
    """The problem as statements, which each language renders, with their English sentences. None if there are none: for an
    error, and in records of earlier versions."""


class RunCounts(Struct, frozen=True):
    """How the removals of one target's sweep have ended so far."""

    run_id: str
    target: str
    ends: Mapping[RemovalOutcome, int]
    """The number of removals by outcome, without outcomes that none has."""
    reclaimed_gb: int
    """The size of the deleted disks, as far as it is known."""


def count_ends(groups: Iterable[tuple[str, str, State, int, int]]) -> tuple[RunCounts, ...]:
    """Return the counts of each sweep; a group is its run, target, a state, the number of removals in it, and their GB."""
    ends: dict[tuple[str, str], Counter[RemovalOutcome]] = {}
    reclaimed: Counter[tuple[str, str]] = Counter()
    for run_id, target, state, count, size_gb in groups:
        ends.setdefault((run_id, target), Counter())[OUTCOMES.get(state, "unfinished")] += count
        reclaimed[run_id, target] += size_gb if state is State.DELETED else 0
    return tuple(RunCounts(*key, dict(found), reclaimed[key]) for key, found in sorted(ends.items()))


class FleetBefore(Struct, frozen=True):
    """The fleet of the last survey that passed the brakes."""

    run_id: str
    fleet: int
    deleted: int = 0
    """The number of its notebooks that nbsweep has deleted since."""

    @property
    def left(self) -> int:
        """The number of notebooks to expect now, if nobody else has deleted or created any."""
        return max(0, self.fleet - self.deleted)


class History(Struct, frozen=True):
    """The history of one target."""

    requested: int = 0
    """The number of removals with a DELETE sent since the given moment, whatever their ends."""
    before: FleetBefore | None = None
    """None if no survey is on record."""
    ends: Sequence[Removal] = ()
    """The ended removals of each notebook with a failed removal since the given moment."""


NO_HISTORY = History()
