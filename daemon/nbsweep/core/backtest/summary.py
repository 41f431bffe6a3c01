"""The figures of a back-test: counts of labels and the rate of regrets, by policy, owner and week, and two results compared."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from nbsweep.core.backtest.interval import Interval, wilson
from nbsweep.core.backtest.model import CensorCause, Label, Labelled, Period, WouldBe

A_WEEK = timedelta(days=7)
FEW_LABELS = 30
"""With fewer labelled deletions than this, a rate says little: its interval is 11 percentage points wide even at 0 %."""


class LabelCounts(Struct, frozen=True):
    """How many would-be deletions have each label."""

    deletions: int = 0
    came_back: int = 0
    removed_by_owner: int = 0
    still_idle: int = 0
    censored: Mapping[CensorCause, int] = {}
    capacity_gb: int = 0
    """The capacity that the deletions would have freed, as far as it is known."""

    @property
    def labelled(self) -> int:
        """How many are labelled: all but the censored ones."""
        return self.came_back + self.removed_by_owner + self.still_idle

    @property
    def regret(self) -> float | None:
        """The share of labelled deletions whose notebooks somebody came back for; None if none is labelled."""
        return self.came_back / self.labelled if self.labelled else None

    @property
    def interval(self) -> Interval:
        """The 95 % interval of that share."""
        return wilson(self.came_back, self.labelled)


def count_labels(found: Iterable[Labelled]) -> LabelCounts:
    """Count the labels."""
    listed = tuple(found)
    labels = Counter(each.label for each in listed)
    return LabelCounts(
        deletions=len(listed),
        came_back=labels[Label.CAME_BACK],
        removed_by_owner=labels[Label.REMOVED_BY_OWNER],
        still_idle=labels[Label.STILL_IDLE],
        censored=dict(Counter(each.cause for each in listed if each.cause is not None)),
        capacity_gb=sum(each.would_be.capacity_gb for each in listed),
    )


def by_name(found: Iterable[Labelled], name: Callable[[WouldBe], str]) -> Mapping[str, LabelCounts]:
    """Count the labels by a name, that with the most deletions first."""
    groups: dict[str, list[Labelled]] = {}
    for each in found:
        groups.setdefault(name(each.would_be), []).append(each)
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return {key: count_labels(group) for key, group in ordered}


def by_policy(found: Iterable[Labelled]) -> Mapping[str, LabelCounts]:
    """Count the labels by policy."""
    return by_name(found, lambda would_be: would_be.policy)


def by_owner(found: Iterable[Labelled]) -> Mapping[str, LabelCounts]:
    """Count the labels by the owner's name."""
    return by_name(found, lambda would_be: would_be.notebook.owner_label)


def by_week(found: Sequence[Labelled], period: Period) -> Mapping[date, LabelCounts]:
    """Count the labels by the Monday of their week in UTC, the earliest week first; weeks without any are there, too."""
    groups: dict[date, list[Labelled]] = {}
    first, last = monday(period.since), monday(period.until)
    while first <= last:
        groups[first] = []
        first += A_WEEK
    for each in found:
        groups.setdefault(monday(each.would_be.at), []).append(each)
    return {week: count_labels(group) for week, group in sorted(groups.items())}


def monday(moment: datetime) -> date:
    """Return the Monday of the week of a moment, in UTC."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


class Comparison(Struct, frozen=True):
    """Two results over the same past; the same instance counts as the same deletion, also at another time."""

    only_here: tuple[Labelled, ...]
    only_there: tuple[Labelled, ...]
    both_here: tuple[Labelled, ...]
    """The deletions of both, as this result labels them: another time may give another label."""
    both_there: tuple[Labelled, ...]


def compare(here: Iterable[Labelled], there: Iterable[Labelled]) -> Comparison:
    """Compare two results."""
    ours = {each.would_be.key: each for each in here}
    theirs = {each.would_be.key: each for each in there}
    return Comparison(
        only_here=tuple(each for key, each in ours.items() if key not in theirs),
        only_there=tuple(each for key, each in theirs.items() if key not in ours),
        both_here=tuple(each for key, each in ours.items() if key in theirs),
        both_there=tuple(each for key, each in theirs.items() if key in ours),
    )


class RegretLimit(Struct, frozen=True):
    """Whether a result keeps to the largest rate of regrets that is allowed."""

    most: float
    counts: LabelCounts

    @property
    def passed(self) -> bool:
        """Whether the rate is not above the limit; without a labelled deletion nothing is shown, so that it is not."""
        return self.counts.regret is not None and self.counts.regret <= self.most
