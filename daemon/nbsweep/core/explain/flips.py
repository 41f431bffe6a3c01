"""Finds when a result changes by itself, because time passes and nothing else happens.

Conditions on ages can change only at a few points in time. The functions that decide now are evaluated at each of these points,
so that a prediction cannot differ from the later decision.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.marks.model import due_at, stale_at
from nbsweep.core.matching.conditions import Condition, LongerThan
from nbsweep.core.matching.structure import single_conditions
from nbsweep.core.model import Notebook
from nbsweep.core.policy import judge

TICK = timedelta(microseconds=1)
"""The smallest step of time: an age equal to a threshold is not over it, one tick more is."""


def flips_at(
    decide: Callable[[Moment], object],
    notebook: Notebook,
    conditions: Iterable[Condition],
    moment: Moment,
    ends: Iterable[datetime] = (),
) -> datetime | None:
    """Return after which time `decide`, which uses these conditions, first returns another result; None if never.

    `ends` are further times at which the result may change.
    """
    result = decide(moment)
    points = {*_points(notebook, conditions, moment), *(end for end in ends if end >= moment.now)}
    for point in sorted(points):
        if any(
            decide(Moment(later, moment.last_active)) != result
            for later in (point, _later(point, TICK))
            if later and later > moment.now
        ):
            return point
    return None


def verdict_flips_at(notebook: Notebook, rules: Rules, moment: Moment) -> datetime | None:
    """Return after which time the decision on a notebook first changes, if nothing else happens; None if never."""

    def decide(later: Moment) -> Decision:
        return judge(notebook, rules, later).decision

    return flips_at(decide, notebook, rules.conditions, moment, _ends(notebook, rules))


def _ends(notebook: Notebook, rules: Rules) -> Iterator[datetime]:
    """Yield when the grace of a notebook's mark ends, when its notice becomes stale, and when its hold and exemptions end."""
    yield from (exemption.until for exemption in rules.exemptions)
    if hold := rules.holds.get(notebook.id):
        yield hold.until
    mark = rules.marks.get(notebook.id)
    if mark is None:
        return
    grace = rules.graces.get(mark.policy)
    ends = (mark.deadline, due_at(mark, grace) if grace else None, stale_at(mark, grace) if grace else None)
    yield from (end for end in ends if end is not None)


def _points(notebook: Notebook, conditions: Iterable[Condition], moment: Moment) -> list[datetime]:
    """List all times from now on at which an age may pass a threshold, or start again."""
    leaves = (leaf for condition in conditions for leaf in single_conditions(condition))
    thresholds = {leaf.threshold for leaf in leaves if isinstance(leaf, LongerThan)}
    if not thresholds:
        return []
    lease_end = notebook.lease.ends_at if notebook.lease else None
    starts = {notebook.created_at, notebook.last_change, lease_end, moment.last_active.get(notebook.id)}
    points = {lease_end} | {_later(start, threshold) for start in starts if start for threshold in thresholds}
    return [point for point in points if point is not None and point >= moment.now]


def _later(moment: datetime, length: timedelta) -> datetime | None:
    """Return a later time; None if it is out of range."""
    try:
        return moment + length
    except OverflowError:
        return None
