"""Which due time a service has missed, because it was away. Pure."""

from datetime import datetime

from nbsweep.core.runs import JUDGED, Outcome
from nbsweep.core.schedule.timetable import Timetable

SWEPT = (JUDGED | {Outcome.RUNNING}) - {Outcome.DRY_RUN}
"""Outcomes of a run that has taken care of a due time."""
SHOWN = JUDGED | {Outcome.RUNNING}
"""The same, for a service that only shows what it would delete."""


def missed_due(timetable: Timetable, now: datetime, noted: datetime | None, last_started: datetime | None) -> datetime | None:
    """Find the last due time that passed without a run; None if nothing was missed.

    `noted` is when the target was to be swept next, as the service knew while it was there. Without a note only a target that
    has been swept before can have missed anything: a first start has nothing to make up for.
    """
    if noted is None and last_started is None:
        return None
    if noted is not None and noted > now:
        return None
    last = timetable.at_or_before(now)
    due = max((each for each in (noted, last) if each is not None), default=None)
    return None if due is None or (last_started is not None and last_started >= due) else due
