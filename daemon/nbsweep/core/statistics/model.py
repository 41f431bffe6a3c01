"""Counts of removals that have ended, by time and outcome."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from msgspec import Struct

from nbsweep.core.lifecycle import RemovalOutcome

QUARTER = timedelta(minutes=15)
"""The length of time that a journal counts together: every time zone's midnight is the beginning of one."""


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
