"""The due times of a schedule in its time zone. Pure.

If the clock is set forward past a due time, the due time moves by the same amount: 02:30 moves to 03:30 if 02:00 is followed by
03:00. If the clock is set back, a due time that occurs twice counts once, the first time. A schedule that names no hour, such
as "every 20 minutes", continues through both hours. Each due time occurs once.

All arithmetic is in UTC, because datetimes of one zone compare by wall-clock time, which repeats in autumn.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from nbsweep.core.schedule.wall_times import A_SECOND, WallTimes

WIDEST = timedelta(hours=26)
"""More than the largest change of any zone's clock, which is a day: Samoa left out 30 December 2011."""
STEP = timedelta(minutes=15)
"""The step of the search for clock changes; no zone had two changes within less."""
EARLIEST, LATEST = datetime(1800, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class OffsetPeriod(NamedTuple):
    """A period with a constant UTC offset; its end is excluded."""

    begin: datetime
    end: datetime
    offset: timedelta


class Timetable(Struct, frozen=True):
    """The due times of a crontab line in a zone; all results are in UTC."""

    times: WallTimes
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """Return the first due time after a time; None if there is none for years."""
        moment = moment.astimezone(UTC)
        while EARLIEST < moment < LATEST:
            periods = self._periods(moment - WIDEST, moment + WIDEST)
            if due := min(self._next_in(periods, moment), default=None):
                return due
            following = self.times.after(_naive(moment, periods[-1].offset))
            if following is None:
                return None
            # Nothing is due within the window, and no later due time is before the next wall time, apart from the offset.
            moment = max(periods[-1].end - A_SECOND, following.replace(tzinfo=UTC) - periods[-1].offset - 2 * WIDEST)
        return None

    def at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last due time at or before a time; None if there was none for years."""
        moment = moment.astimezone(UTC)
        while EARLIEST < moment < LATEST:
            periods = self._periods(moment - 2 * WIDEST, moment + A_SECOND)
            begin = moment - WIDEST
            if due := max((each for each in self._last_in(periods, moment) if each > begin), default=None):
                return due
            preceding = self.times.at_or_before(_naive(moment, periods[0].offset))
            if preceding is None:
                return None
            moment = min(begin, preceding.replace(tzinfo=UTC) - periods[0].offset + 2 * WIDEST)
        return None

    def _next_in(self, periods: list[OffsetPeriod], moment: datetime) -> Iterator[datetime]:
        for place, period in enumerate(periods):
            yield from self._first(period, max(moment, period.begin - A_SECOND), period.end)
            if following := periods[place + 1 : place + 2]:
                # Wall times that the clock skips belong to the period before the change.
                yield from self._first(period, max(moment, period.end - A_SECOND), _past(period, following[0]))

    def _first(self, period: OffsetPeriod, moment: datetime, end: datetime) -> Iterator[datetime]:
        found = self.times.after(_naive(moment, period.offset))
        while found is not None and (due := found.replace(tzinfo=UTC) - period.offset) < end:
            if self._counts(due):
                yield due
                return
            found = self.times.after(found)

    def _last_in(self, periods: list[OffsetPeriod], moment: datetime) -> Iterator[datetime]:
        for place, period in enumerate(periods):
            yield from self._last(period, period.begin, min(moment, period.end - A_SECOND))
            if following := periods[place + 1 : place + 2]:
                yield from self._last(period, period.end, min(moment, _past(period, following[0]) - A_SECOND))

    def _last(self, period: OffsetPeriod, begin: datetime, moment: datetime) -> Iterator[datetime]:
        found = self.times.at_or_before(_naive(moment, period.offset))
        while found is not None and (due := found.replace(tzinfo=UTC) - period.offset) >= begin:
            if self._counts(due):
                yield due
                return
            found = self.times.at_or_before(found - A_SECOND)

    def _counts(self, due: datetime) -> bool:
        """Return whether a due time counts: of a repeated wall time, only the first occurrence does."""
        return self.times.every_hour or not due.astimezone(self.zone).fold

    def _periods(self, begin: datetime, end: datetime) -> list[OffsetPeriod]:
        """Divide the time from `begin` to `end` into periods of constant offset."""
        found, at = [], begin.replace(microsecond=0)
        while at < end:
            offset, until = self._offset(at), at
            while until < end and self._offset(until) == offset:
                until += STEP
            changed = self._change(until - STEP, until, offset) if self._offset(until) != offset else until
            found.append(OffsetPeriod(at, changed, offset))
            at = changed
        return found

    def _change(self, before: datetime, after: datetime, offset: timedelta) -> datetime:
        """Return the second at which the offset changes."""
        while after - before > A_SECOND:
            middle = (before + (after - before) / 2).replace(microsecond=0)
            before, after = (middle, after) if self._offset(middle) == offset else (before, middle)
        return after

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).utcoffset() or timedelta(0)


def _naive(moment: datetime, offset: timedelta) -> datetime:
    return moment.replace(tzinfo=None) + offset


def _past(period: OffsetPeriod, following: OffsetPeriod) -> datetime:
    """Return the end of a period, extended by the wall times that the clock skips after it."""
    return period.end + max(following.offset - period.offset, timedelta(0))
