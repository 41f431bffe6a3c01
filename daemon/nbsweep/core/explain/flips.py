"""When an answer changes by itself: nothing about the notebook changes but the time.

What conditions say of lengths of time can change at a few moments only. The same functions that decide now are asked again
at each of these, so that what is foretold cannot differ from what will be decided.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from nbsweep.core.conditions import AllOf, AnyOf, Condition, LongerThan, Not
from nbsweep.core.facts import Moment
from nbsweep.core.model import Notebook

TICK = timedelta(microseconds=1)
"""The shortest time that there is here. Exactly a threshold is not over it, a tick more is."""


def flips_at(
    look: Callable[[Moment], object], notebook: Notebook, conditions: Iterable[Condition], moment: Moment
) -> datetime | None:
    """Return after which moment `look`, which asks these conditions, first gives another answer than now; None if never."""
    answer = look(moment)
    for point in _points(notebook, conditions, moment):
        if any(
            look(Moment(later, moment.last_active)) != answer
            for later in (point, _later(point, TICK))
            if later and later > moment.now
        ):
            return point
    return None


def _points(notebook: Notebook, conditions: Iterable[Condition], moment: Moment) -> list[datetime]:
    """List, in order, all moments from now on at or right after which a length of time may pass a threshold, or begin anew."""
    thresholds = {threshold for condition in conditions for threshold in _thresholds(condition)}
    if not thresholds:
        return []
    lease_end = notebook.lease.ends_at if notebook.lease else None
    starts = {notebook.created_at, notebook.last_change, lease_end, moment.last_active.get(notebook.id)}
    points = {lease_end} | {_later(start, threshold) for start in starts if start for threshold in thresholds}
    return sorted(point for point in points if point is not None and point >= moment.now)


def _thresholds(condition: Condition) -> Iterable[timedelta]:
    match condition:
        case LongerThan(threshold=threshold):
            yield threshold
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _thresholds(part)
        case Not(part=part):
            yield from _thresholds(part)
        case _:
            return


def _later(moment: datetime, length: timedelta) -> datetime | None:
    """Add a length of time; None beyond the calendar."""
    try:
        return moment + length
    except OverflowError:
        return None
