"""A window that opens on some days of the week, in one time zone.

Where clocks change, a window is never longer than its hours say: of two moments with one wall time, it begins at the later one
and ends at the earlier one.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from nbsweep.core.calendar.business_days import BusinessCalendar

A_DAY = timedelta(days=1)
SEARCHED_DAYS = 370
"""A window that does not open within a year is as good as closed."""
EVERY_DAY = frozenset(range(7))


class Window(Struct, frozen=True):
    """The hours of a day in which DELETEs may leave."""

    days: frozenset[int] = EVERY_DAY
    """The days of the week on which it opens, Monday is 0."""
    opens: time = time(0)
    closes: time = time(0)
    """The wall time of its end, on the next day if it is not later than the beginning."""
    zone: str = "UTC"
    calendar: BusinessCalendar | None = None
    """It opens only on the business days of this calendar; None if holidays do not matter."""

    def contains(self, moment: datetime) -> bool:
        """Return whether DELETEs may leave at a moment."""
        return any(begin <= moment < end for begin, end in self._near(moment, -1, 1))

    def next_opening(self, moment: datetime) -> datetime | None:
        """Return when it opens after a moment; None if it does not within a year."""
        return next((begin for begin, _ in self._near(moment, 0, SEARCHED_DAYS) if begin > moment), None)

    def end_of(self, moment: datetime) -> datetime | None:
        """Return when it closes after a moment at which it is open; None if it is closed."""
        return next((end for begin, end in self._near(moment, -1, 1) if begin <= moment < end), None)

    def _near(self, moment: datetime, first: int, last: int) -> Iterator[tuple[datetime, datetime]]:
        """Yield the times from some days before a moment to some days after it."""
        today = moment.astimezone(ZoneInfo(self.zone)).date()
        for ahead in range(first, last + 1):
            day = today + A_DAY * ahead
            if day.weekday() in self.days and (self.calendar is None or self.calendar.counts(day)):
                begin, end = self._on(day)
                if begin < end:
                    yield begin, end

    def _on(self, day: date) -> tuple[datetime, datetime]:
        closing_day = day if self.closes > self.opens else day + A_DAY
        return max(self._moments(day, self.opens)), min(self._moments(closing_day, self.closes))

    def _moments(self, day: date, wall: time) -> list[datetime]:
        """Return the moments with a wall time: two where clocks change, otherwise one."""
        local = datetime.combine(day, wall, ZoneInfo(self.zone))
        return [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]


def is_open(windows: Iterable[Window], moment: datetime) -> bool:
    """Return whether DELETEs may leave at a moment; without windows they always may."""
    listed = tuple(windows)
    return not listed or any(window.contains(moment) for window in listed)


def next_opening(windows: Iterable[Window], moment: datetime) -> datetime | None:
    """Return when the next of several windows opens; None if none does within a year."""
    openings = (window.next_opening(moment) for window in windows)
    return min((opening for opening in openings if opening is not None), default=None)
