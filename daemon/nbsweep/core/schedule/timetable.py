"""When a schedule is due, in the time zone that it is meant in. Pure.

A time that the clock is set past comes as much later as the clock was set: half past two, where two o'clock is followed by
three, comes at half past three. A time that comes twice counts once, the first time, unless the schedule names no hour: what is
due every twenty minutes goes on through both. Each due time is one moment, and comes once.

All arithmetic is on UTC: two datetimes of one zone compare by what the clock on the wall shows, which goes back in autumn.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from nbsweep.core.schedule.wall_times import A_SECOND, WallTimes

WIDEST = timedelta(hours=26)
"""The most that a clock was ever set by is a day: Samoa left out 30 December 2011."""
STEP = timedelta(minutes=15)
"""How closely is looked for clocks that are set; no zone had two such moments within less."""
EARLIEST, LATEST = datetime(1800, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class Stretch(NamedTuple):
    """A stretch of time, its end excluded, in which a zone's clock is off UTC by the same."""

    begin: datetime
    end: datetime
    offset: timedelta


class Timetable(Struct, frozen=True):
    """The due times of a crontab line in a zone; all moments that it gives are in UTC."""

    times: WallTimes
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """Return the first due time that is later than a moment; None if there is none for years."""
        moment = moment.astimezone(UTC)
        while EARLIEST < moment < LATEST:
            stretches = self._stretches(moment - WIDEST, moment + WIDEST)
            if due := min(self._next_in(stretches, moment), default=None):
                return due
            following = self.times.after(_naive(moment, stretches[-1].offset))
            if following is None:
                return None
            # Nothing is due within the window; and what is due later is due no earlier than the wall's next time, give or take.
            moment = max(stretches[-1].end - A_SECOND, following.replace(tzinfo=UTC) - stretches[-1].offset - 2 * WIDEST)
        return None

    def at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last due time that is not later than a moment; None if there was none for years."""
        moment = moment.astimezone(UTC)
        while EARLIEST < moment < LATEST:
            stretches = self._stretches(moment - 2 * WIDEST, moment + A_SECOND)
            begin = moment - WIDEST
            if due := max((each for each in self._last_in(stretches, moment) if each > begin), default=None):
                return due
            preceding = self.times.at_or_before(_naive(moment, stretches[0].offset))
            if preceding is None:
                return None
            moment = min(begin, preceding.replace(tzinfo=UTC) - stretches[0].offset + 2 * WIDEST)
        return None

    def _next_in(self, stretches: list[Stretch], moment: datetime) -> Iterator[datetime]:
        for place, stretch in enumerate(stretches):
            yield from self._first(stretch, max(moment, stretch.begin - A_SECOND), stretch.end)
            if following := stretches[place + 1 : place + 2]:
                # The times that the clock is set past belong to the stretch before.
                yield from self._first(stretch, max(moment, stretch.end - A_SECOND), _past(stretch, following[0]))

    def _first(self, stretch: Stretch, moment: datetime, end: datetime) -> Iterator[datetime]:
        found = self.times.after(_naive(moment, stretch.offset))
        while found is not None and (due := found.replace(tzinfo=UTC) - stretch.offset) < end:
            if self._counts(due):
                yield due
                return
            found = self.times.after(found)

    def _last_in(self, stretches: list[Stretch], moment: datetime) -> Iterator[datetime]:
        for place, stretch in enumerate(stretches):
            yield from self._last(stretch, stretch.begin, min(moment, stretch.end - A_SECOND))
            if following := stretches[place + 1 : place + 2]:
                yield from self._last(stretch, stretch.end, min(moment, _past(stretch, following[0]) - A_SECOND))

    def _last(self, stretch: Stretch, begin: datetime, moment: datetime) -> Iterator[datetime]:
        found = self.times.at_or_before(_naive(moment, stretch.offset))
        while found is not None and (due := found.replace(tzinfo=UTC) - stretch.offset) >= begin:
            if self._counts(due):
                yield due
                return
            found = self.times.at_or_before(found - A_SECOND)

    def _counts(self, due: datetime) -> bool:
        """Return whether it is the first time that the clock shows this, if that matters."""
        return self.times.every_hour or not due.astimezone(self.zone).fold

    def _stretches(self, begin: datetime, end: datetime) -> list[Stretch]:
        """Cut the time from `begin` to `end` where the clock is set."""
        found, at = [], begin.replace(microsecond=0)
        while at < end:
            offset, until = self._offset(at), at
            while until < end and self._offset(until) == offset:
                until += STEP
            changed = self._change(until - STEP, until, offset) if self._offset(until) != offset else until
            found.append(Stretch(at, changed, offset))
            at = changed
        return found

    def _change(self, before: datetime, after: datetime, offset: timedelta) -> datetime:
        """Find the second in which the clock stops being off by this."""
        while after - before > A_SECOND:
            middle = (before + (after - before) / 2).replace(microsecond=0)
            before, after = (middle, after) if self._offset(middle) == offset else (before, middle)
        return after

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).utcoffset() or timedelta(0)


def _naive(moment: datetime, offset: timedelta) -> datetime:
    return moment.replace(tzinfo=None) + offset


def _past(stretch: Stretch, following: Stretch) -> datetime:
    """Return until when times come that the clock is set past at the end of a stretch; its end where none are."""
    return stretch.end + max(following.offset - stretch.offset, timedelta(0))
