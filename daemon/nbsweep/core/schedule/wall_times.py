"""The wall-clock times that a crontab line names, in any zone. Pure; all datetimes here are naive."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from msgspec import Struct

A_DAY, A_SECOND = timedelta(days=1), timedelta(seconds=1)
SEARCHED = timedelta(days=9 * 366)
"""29 February occurs at least once in eight years, even around a century year without it."""


class WallTimes(Struct, frozen=True):
    """The times that a crontab line names; each field is sorted and not empty."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    """0 is Sunday."""

    @classmethod
    def of(cls, numbers: Mapping[str, Sequence[int]]) -> "WallTimes":
        """Create the times from numbers by column, as `read_crontab` returns them; the default second is 0."""
        names = ("second", "minute", "hour", "day", "month", "day_of_week")
        return cls(*(tuple(numbers.get(name, (0,))) for name in names))

    @property
    def every_hour(self) -> bool:
        """Return whether the line allows every hour; then it is an interval, which continues through clock changes."""
        return len(self.hours) == 24  # noqa: PLR2004  # hours of a day

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after a time; None if there is none for nine years, or in the calendar."""
        least = moment.replace(microsecond=0) + A_SECOND
        found = self._from(least.time()) if self._has(least.date()) else None
        if found is not None:
            return datetime.combine(least.date(), found)
        day = self._day(least.date(), A_DAY)
        return datetime.combine(day, self._from(time.min) or time.min) if day else None

    def at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last time at or before a time; None if there is none for nine years."""
        found = self._up_to(moment.time()) if self._has(moment.date()) else None
        if found is not None:
            return datetime.combine(moment.date(), found)
        day = self._day(moment.date(), -A_DAY)
        return datetime.combine(day, self._up_to(time.max) or time.max) if day else None

    def _has(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def _day(self, day: date, step: timedelta) -> date | None:
        """Return the nearest matching day in one direction, excluding the first day."""
        for _ in range(SEARCHED.days):
            if not date.min < day < date.max:
                return None
            day += step
            if self._has(day):
                return day
        return None

    def _from(self, least: time) -> time | None:
        """Return the first time of a day at or after `least`; None if there is none."""
        for hour in self.hours[bisect_left(self.hours, least.hour) :]:
            same_hour = hour == least.hour
            for minute in self.minutes[bisect_left(self.minutes, least.minute) if same_hour else 0 :]:
                same_minute = same_hour and minute == least.minute
                place = bisect_left(self.seconds, least.second) if same_minute else 0
                if place < len(self.seconds):
                    return time(hour, minute, self.seconds[place])
        return None

    def _up_to(self, most: time) -> time | None:
        """Return the last time of a day at or before `most`; None if there is none."""
        for hour in reversed(self.hours[: bisect_right(self.hours, most.hour)]):
            same_hour = hour == most.hour
            minutes = self.minutes[: bisect_right(self.minutes, most.minute)] if same_hour else self.minutes
            for minute in reversed(minutes):
                same_minute = same_hour and minute == most.minute
                seconds = self.seconds[: bisect_right(self.seconds, most.second)] if same_minute else self.seconds
                if seconds:
                    return time(hour, minute, seconds[-1])
        return None
