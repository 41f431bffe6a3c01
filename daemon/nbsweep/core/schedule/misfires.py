"""Finds the due time that a service missed while it was not running. Pure."""

from datetime import datetime

from nbsweep.core.runs import JUDGED, Outcome
from nbsweep.core.schedule.timetable import Timetable

SWEPT = (JUDGED | {Outcome.RUNNING}) - {Outcome.DRY_RUN}
"""Outcomes of a run that count as a sweep at its due time."""
SHOWN = JUDGED | {Outcome.RUNNING}
"""The same for a service that does dry runs."""


def missed_due(timetable: Timetable, now: datetime, noted: datetime | None, last_started: datetime | None) -> datetime | None:
    """Return the last due time that passed without a run; None if nothing was missed.

    `noted` is the next due time as the service last recorded it. Without a record, only a target that was swept before can have
    missed a due time, so that a first start has nothing to catch up on.
    """
    if noted is None and last_started is None:
        return None
    if noted is not None and noted > now:
        return None
    last = timetable.at_or_before(now)
    due = max((each for each in (noted, last) if each is not None), default=None)
    return None if due is None or (last_started is not None and last_started >= due) else due
