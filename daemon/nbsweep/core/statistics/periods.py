"""Days, weeks and months in a time zone, and the removals that ended in each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from nbsweep.core.lifecycle import RemovalOutcome
from nbsweep.core.statistics.model import EndCount, PeriodCounts

MOST_DAYS = 35
"""The longest time that is shown day by day."""
MOST_DAYS_OF_WEEKS = 371
"""The longest time that is shown week by week: 53 weeks."""
A_DAY = timedelta(days=1)
A_WEEK = timedelta(days=7)


class Step(StrEnum):
    """The length of a period."""

    DAY = "day"
    WEEK = "week"
    """From Monday on."""
    MONTH = "month"


class Period(Struct, frozen=True):
    """A day, week or month by its first day."""

    begins: date
    step: Step


class Span(Struct, frozen=True):
    """The periods up to and including that of one day."""

    first: date
    """The first day of the first period."""
    last: date
    """The last day that is counted."""
    step: Step
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """The beginning of the first day."""
        return midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The end of the last day."""
        return midnight(self.last + A_DAY, self.zone)


def span_of(age: timedelta, now: datetime, zone: ZoneInfo) -> Span:
    """Return the days that `age` fills, today included, or where these are too many, the weeks or months that cover them.

    The first week or month is covered from its first day on, so that no period is cut.
    """
    today = now.astimezone(zone).date()
    days = max(1, -(-age // A_DAY))
    step = Step.DAY if days <= MOST_DAYS else Step.WEEK if days <= MOST_DAYS_OF_WEEKS else Step.MONTH
    return Span(period_of(today - (days - 1) * A_DAY, step), today, step, zone)


def period_of(day: date, step: Step) -> date:
    """Return the first day of the period that a day belongs to."""
    if step is Step.WEEK:
        return day - day.weekday() * A_DAY
    return day.replace(day=1) if step is Step.MONTH else day


def count_by_period(counts: Iterable[EndCount], span: Span) -> tuple[PeriodCounts, ...]:
    """Return the counts of every period of a span, the oldest first; what lies outside the span is not counted."""
    ends = {begins: Counter[RemovalOutcome]() for begins in _periods(span)}
    reclaimed: Counter[date] = Counter()
    for one in counts:
        begins = period_of(one.begins.astimezone(span.zone).date(), span.step)
        if begins in ends:
            ends[begins][one.outcome] += one.count
            reclaimed[begins] += one.reclaimed_gb
    return tuple(PeriodCounts(begins, dict(found), reclaimed[begins]) for begins, found in ends.items())


def total_of(periods: Sequence[PeriodCounts]) -> PeriodCounts:
    """Return the sum of one period or more."""
    ends = Counter[RemovalOutcome]()
    for period in periods:
        ends.update(period.ends)
    return PeriodCounts(periods[0].begins, dict(ends), sum(period.reclaimed_gb for period in periods))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the beginning of a day in a time zone."""
    return datetime.combine(day, time(), zone)


def _periods(span: Span) -> Iterator[date]:
    begins = span.first
    while begins <= span.last:
        yield begins
        begins = _next(begins, span.step)


def _next(begins: date, step: Step) -> date:
    if step is Step.MONTH:
        return (begins.replace(day=1) + 31 * A_DAY).replace(day=1)
    return begins + (A_WEEK if step is Step.WEEK else A_DAY)
