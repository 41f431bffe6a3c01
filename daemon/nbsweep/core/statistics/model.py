"""Counts of removals that have ended, by time, outcome, duration and cause, and the choice of some of them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from msgspec import Struct

from nbsweep.core.identity import UNKNOWN, TargetIdentity
from nbsweep.core.lifecycle import RemovalOutcome

QUARTER = timedelta(minutes=15)
"""The length of time that a journal counts together: every time zone's midnight is the beginning of one."""


MINUTES_FROM_S = 600
"""Deletions that took as long or longer are counted by whole minutes,"""
HOURS_FROM_S = 36_000
"""and from here on by whole hours, so that there are few counts whatever the journal holds."""


class EndCount(Struct, frozen=True):
    """The number of tried removals that ended in the same quarter of an hour, with the same outcome."""

    begins: datetime
    """The beginning of the quarter of an hour, in UTC."""
    outcome: RemovalOutcome
    count: int
    reclaimed_gb: int = 0
    """The size of the deleted disks, as far as it is known."""


class PeriodCounts(Struct, frozen=True):
    """How the tried removals of one day, week or month have ended."""

    begins: date
    ends: Mapping[RemovalOutcome, int]
    """The number of removals by outcome, without outcomes that none has."""
    reclaimed_gb: int = 0


class DurationCount(Struct, frozen=True):
    """The number of deletions that took about as long, from the accepted DELETE to the proof that the notebook is gone."""

    took_s: int
    """The shortest time that is counted here: in whole seconds below ten minutes, in minutes below ten hours, else in hours."""
    count: int


class CauseCount(Struct, frozen=True):
    """The number of removals that failed or timed out for the same reason."""

    outcome: RemovalOutcome
    cause: str
    """The reason of the end, in English or in the words of the cloud."""
    count: int


class SentCount(Struct, frozen=True):
    """The number of removals with a DELETE sent since a time, of those that belong to the same targets."""

    target: str
    """The name of their target."""
    project: str
    """Empty if it is not on record."""
    workspace_id: str
    feature: str
    count: int


def sent_of(target: str, identity: TargetIdentity, counts: Iterable[SentCount]) -> int:
    """Return how many of these removals belong to a target; `History.requested` counts the same."""
    return sum(
        each.count
        for each in counts
        if each.project in (identity.project, UNKNOWN)
        and (each.target == target or (each.project != UNKNOWN and identity.covers(each.workspace_id, each.feature)))
    )


class RemovalQuery(Struct, frozen=True):
    """Selects the removals that ended from `since` until before `until`, and match the other fields; None matches all."""

    since: datetime
    until: datetime
    target: str | None = None
    outcome: RemovalOutcome | None = None


def counted_s(took_s: int) -> int:
    """Return the `took_s` that a deletion of this length is counted with, see `DurationCount`."""
    if took_s < MINUTES_FROM_S:
        return max(0, took_s)
    unit_s = 60 if took_s < HOURS_FROM_S else 3600
    return took_s // unit_s * unit_s
