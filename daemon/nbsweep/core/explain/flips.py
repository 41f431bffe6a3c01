"""Finds when a result changes by itself, because time passes and nothing else happens.

Conditions on ages can change only at a few points in time. The functions that decide now are evaluated at each of these points,
so that a prediction cannot differ from the later decision.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from nbsweep.core.facts import Moment
from nbsweep.core.matching.conditions import Condition, LongerThan
from nbsweep.core.matching.structure import single_conditions
from nbsweep.core.model import Notebook

TICK = timedelta(microseconds=1)
"""The smallest step of time: an age equal to a threshold is not over it, one tick more is."""


def flips_at(
    decide: Callable[[Moment], object], notebook: Notebook, conditions: Iterable[Condition], moment: Moment
) -> datetime | None:
    """Return after which time `decide`, which uses these conditions, first returns another result; None if never."""
    result = decide(moment)
    for point in _points(notebook, conditions, moment):
        if any(
            decide(Moment(later, moment.last_active)) != result
            for later in (point, _later(point, TICK))
            if later and later > moment.now
        ):
            return point
    return None


def _points(notebook: Notebook, conditions: Iterable[Condition], moment: Moment) -> list[datetime]:
    """List, in order, all times from now on at which an age may pass a threshold, or start again."""
    leaves = (leaf for condition in conditions for leaf in single_conditions(condition))
    thresholds = {leaf.threshold for leaf in leaves if isinstance(leaf, LongerThan)}
    if not thresholds:
        return []
    lease_end = notebook.lease.ends_at if notebook.lease else None
    starts = {notebook.created_at, notebook.last_change, lease_end, moment.last_active.get(notebook.id)}
    points = {lease_end} | {_later(start, threshold) for start in starts if start for threshold in thresholds}
    return sorted(point for point in points if point is not None and point >= moment.now)


def _later(moment: datetime, length: timedelta) -> datetime | None:
    """Return a later time; None if it is out of range."""
    try:
        return moment + length
    except OverflowError:
        return None
