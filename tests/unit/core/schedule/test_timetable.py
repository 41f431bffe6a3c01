"""When a schedule is due: against a walk over every minute of the days around, in all zones in which clocks are set."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbsweep.core.schedule.timetable import Timetable
from nbsweep.core.schedule.wall_times import WallTimes
from nbsweep.settings.fields.crontab import read_crontab

A_MINUTE, AROUND = timedelta(minutes=1), timedelta(hours=30)
LINES = (
    "30 2 * * *",
    "0 0 * * *",
    "0 0 * * 1",
    "*/20 * * * *",
    "15 0,1,2,3 * * *",
    "*/7 1-2 * * *",
    "59 23 * * *",
    "30 1 * * 0",
    "0 12 30 12 *",
)
ZONES = sorted(available_timezones())


def timetable(line: str, zone: str) -> Timetable:
    """Read a line for a zone."""
    return Timetable(WallTimes.of(read_crontab(line)), ZoneInfo(zone))


def at(moment: str, zone: str = "UTC") -> datetime:
    """Read a moment as that zone's clock shows it."""
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))


@cache
def settings_of_clock(zone: str) -> tuple[datetime, ...]:
    """List moments shortly after which a zone's clock was or will be set, from 1971 to 2037, offsets in whole minutes."""
    found, moment, end = [], datetime(1973, 1, 1, tzinfo=UTC), datetime(2037, 12, 1, tzinfo=UTC)
    step = timedelta(days=3)
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    while moment < end:
        later = (moment + step).astimezone(ZoneInfo(zone)).utcoffset()
        if later != offset:
            found.append(_begun(moment, ZoneInfo(zone)))
        moment, offset = moment + step, later
    return tuple(found)


def _begun(moment: datetime, zone: ZoneInfo) -> datetime:
    offset = moment.astimezone(zone).utcoffset()
    while moment.astimezone(zone).utcoffset() == offset:
        moment += timedelta(hours=1)
    return moment


def walked(numbers: Mapping[str, tuple[int, ...]], zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Go through every minute by UTC, look at what the clock shows, and through the minutes that it is set past."""
    moment, before = begin, None
    while moment < end:
        shown = moment.astimezone(zone)
        wall = shown.replace(tzinfo=None, fold=0)
        if named(numbers, wall) and (not shown.fold or len(numbers["hour"]) == 24):
            yield moment
        if before is not None:
            passed = round((wall - before - A_MINUTE) / A_MINUTE)
            yield from (moment + late * A_MINUTE for late in range(passed) if named(numbers, before + (late + 1) * A_MINUTE))
        moment, before = moment + A_MINUTE, wall


def named(numbers: Mapping[str, tuple[int, ...]], wall: datetime) -> bool:
    """Return whether the line names what a clock shows."""
    return (
        wall.minute in numbers["minute"]
        and wall.hour in numbers["hour"]
        and wall.day in numbers["day"]
        and wall.month in numbers["month"]
        and (wall.weekday() + 1) % 7 in numbers["day_of_week"]
    )


@settings(max_examples=15, deadline=None)
@given(data=st.data(), zone=st.sampled_from(ZONES), line=st.sampled_from(LINES))
def test_every_due_time_comes_once_and_in_order_wherever_clocks_are_set(data: st.DataObject, zone: str, line: str) -> None:
    """Forwards and backwards, from each of them to the next."""
    changes = settings_of_clock(zone) or (datetime(2026, 6, 1, tzinfo=UTC),)
    change = data.draw(st.sampled_from(changes))
    begin, end = change - AROUND, change + AROUND
    # What the clock was set past before the window may come within it.
    walk = walked(read_crontab(line), ZoneInfo(zone), begin - timedelta(hours=26), end)
    expected = sorted({moment for moment in walk if begin < moment < end})
    mine = timetable(line, zone)
    forwards, moment = [], mine.after(begin)
    while moment and moment < end:
        forwards.append(moment)
        moment = mine.after(moment)
    assert forwards == expected
    backwards, moment = [], mine.at_or_before(end - timedelta(microseconds=1))
    while moment and moment > begin:
        backwards.append(moment)
        moment = mine.at_or_before(moment - timedelta(microseconds=1))
    assert backwards == expected[::-1]


@pytest.mark.parametrize(
    ("line", "zone", "after", "due"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:30+00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T00:30+00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T02:30", "2026-10-26T01:30+00:00"),
        ("0 0 * * 1", "Asia/Beirut", "2026-03-24T00:00", "2026-03-29T21:00+00:00"),
        ("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00", "2026-03-28T22:00+00:00"),
        ("0 0 * * 0", "America/Sao_Paulo", "2018-10-29T00:00", "2018-11-04T03:00+00:00"),
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-29T13:00", "2011-12-30T22:00+00:00"),
        ("0 3 29 2 *", "UTC", "2096-02-29T04:00", "2104-02-29T03:00+00:00"),
    ],
)
def test_examples_worked_out_by_hand(line: str, zone: str, after: str, due: str) -> None:
    """Berlin skips two to three o'clock, Beirut and São Paulo midnight, Samoa skipped a day; and a leap day is rare."""
    assert timetable(line, zone).after(at(after, zone)) == datetime.fromisoformat(due)


def test_what_never_comes_has_no_next_time_and_no_last_one() -> None:
    """The search ends, also at the end of the calendar."""
    never = Timetable(WallTimes((0,), (0,), (3,), (30,), (2,), tuple(range(7))), ZoneInfo("Europe/Berlin"))
    assert (never.after(at("2026-01-01T00:00")), never.at_or_before(at("2026-01-01T00:00"))) == (None, None)
    daily = timetable("0 3 * * *", "Pacific/Kiritimati")
    assert daily.after(datetime.max.replace(tzinfo=UTC) - timedelta(days=2)) is None
    assert daily.at_or_before(datetime.min.replace(tzinfo=UTC) + timedelta(days=2)) is None
