"""Counts business days by a calendar of holidays and of working days that lie on a weekend.

What is not known only ever moves a deadline later: in a year without official data, no day of a weekend counts as a business
day, and no day near a holiday does, because a holiday may be prolonged and its working days may be moved.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

A_DAY = timedelta(days=1)
NEAR = timedelta(days=7)
"""In a year without official data, days that are so near a holiday do not count."""
LONGEST_SEARCH_DAYS = 4000


class Year(Struct, frozen=True):
    """What is known about the days of one year."""

    closed: frozenset[date] = frozenset()
    """Holidays; also those on a weekend."""
    opened: frozenset[date] = frozenset()
    """Days of a weekend on which people work, such as China's make-up days."""
    official: bool = True
    """Whether the arrangement of this year has been published."""


UNKNOWN_YEAR = Year(official=False)


class BusinessCalendar(Struct, frozen=True):
    """The business days of one place."""

    zone: str
    """The IANA name of its time zone."""
    years: Mapping[int, Year] = {}
    weekend: frozenset[int] = frozenset({5, 6})
    """Days of the week, Monday is 0."""
    extra_closed: frozenset[date] = frozenset()
    """Days of the configuration on which nobody works."""
    extra_open: frozenset[date] = frozenset()
    """Days of the configuration on which people work."""

    def counts(self, day: date) -> bool:
        """Return whether a day is a business day; what the configuration says comes first."""
        if day in self.extra_open:
            return True
        if day in self.extra_closed:
            return False
        year = self.years.get(day.year, UNKNOWN_YEAR)
        if year.official and day in year.opened:
            return True
        if day.weekday() in self.weekend or day in year.closed:
            return False
        return year.official or not self._is_near_holiday(day)

    def known_years(self, first: int, last: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the years between two whose days are known officially, and those that are not."""
        years = range(first, last + 1)
        known = tuple(year for year in years if self.years.get(year, UNKNOWN_YEAR).official)
        return known, tuple(year for year in years if year not in known)

    def after(self, start: datetime, count: int) -> datetime:
        """Return the same wall time, in the zone of the calendar, on the `count`-th business day after the day of a moment."""
        local = start.astimezone(ZoneInfo(self.zone))
        return self._at(self._walk(local.date(), count, A_DAY), local)

    def before(self, end: datetime, count: int) -> datetime:
        """Return the same wall time on the `count`-th business day before the day of a moment."""
        local = end.astimezone(ZoneInfo(self.zone))
        return self._at(self._walk(local.date(), count, -A_DAY), local)

    def _walk(self, day: date, count: int, step: timedelta) -> date:
        for _ in range(LONGEST_SEARCH_DAYS):
            if count == 0:
                return day
            day += step
            count -= self.counts(day)
        message = "the calendar has no business day in ten years: look at extra_closed"
        raise ValueError(message)

    def _at(self, day: date, local: datetime) -> datetime:
        """Return a wall time on a day; of two moments with this wall time, when clocks are set back, the later one."""
        moment = datetime.combine(day, local.timetz().replace(tzinfo=None), ZoneInfo(self.zone)).replace(fold=1)
        return moment.astimezone(UTC)

    def _is_near_holiday(self, day: date) -> bool:
        near = (day + A_DAY * ahead for ahead in range(-NEAR.days, NEAR.days + 1))
        return any(each in self.years.get(each.year, UNKNOWN_YEAR).closed for each in near)
