"""Windows: across midnight, over the nights when clocks change, and on business days, against times worked out by hand."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import searching
from nbsweep.core.calendar.business_days import BusinessCalendar
from nbsweep.core.windows.window import Window, is_open, next_opening
from nbsweep.settings.people.countries import years_of

WEEKDAYS = frozenset(range(5))
OFFICE = Window(WEEKDAYS, time(9), time(17), "Asia/Shanghai")
NIGHT = Window(WEEKDAYS, time(22), time(6), "Europe/Berlin")
ALL_DAY = Window(zone="Asia/Shanghai")


def utc(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("moment", "is_in"),
    [
        ("2026-11-02 00:59", False),  # Monday 08:59 in Shanghai
        ("2026-11-02 01:00", True),
        ("2026-11-02 08:59", True),
        ("2026-11-02 09:00", False),  # 17:00: the end is outside
        ("2026-11-07 03:00", False),  # Saturday
    ],
)
def test_office_hours(moment: str, is_in: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Nine to five in Shanghai is one to nine in UTC."""
    assert OFFICE.contains(utc(moment)) is is_in


@pytest.mark.parametrize(
    ("moment", "is_in"),
    [
        ("2026-11-06 21:30", True),  # Friday 22:30 in Berlin
        ("2026-11-07 04:59", True),  # Saturday 05:59: the night of Friday
        ("2026-11-07 05:00", False),
        ("2026-11-07 21:30", False),  # Saturday 22:30
        ("2026-11-09 04:00", False),  # Monday 05:00: the night of Sunday, which is no weekday
        ("2026-11-09 21:00", True),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, is_in: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Ten to six, Monday to Friday."""
    assert NIGHT.contains(utc(moment)) is is_in


def test_the_night_in_which_clocks_go_forward_is_an_hour_shorter() -> None:
    """Berlin, March 29, 2026: half past two does not exist; a window that begins then begins at half past three."""
    window = Window(opens=time(2, 30), closes=time(4), zone="Europe/Berlin")
    assert not window.contains(utc("2026-03-29 01:29"))
    assert window.contains(utc("2026-03-29 01:30"))
    assert window.end_of(utc("2026-03-29 01:30")) == utc("2026-03-29 02:00")


def test_the_night_in_which_clocks_go_back_is_not_longer() -> None:
    """Berlin, October 25, 2026: half past two comes twice; a window ends at the first, and begins at the second."""
    ends = Window(opens=time(1), closes=time(2, 30), zone="Europe/Berlin")
    assert ends.end_of(utc("2026-10-24 23:30")) == utc("2026-10-25 00:30")
    begins = Window(opens=time(2, 30), closes=time(5), zone="Europe/Berlin")
    assert not begins.contains(utc("2026-10-25 00:45"))
    assert begins.contains(utc("2026-10-25 01:30"))


def test_a_window_of_business_days_is_closed_on_holidays_and_open_on_make_up_days() -> None:
    """China's National Day 2026, and the Saturday after it on which people work."""
    calendar = BusinessCalendar("Asia/Shanghai", years_of("CN", [2026]))
    window = Window(opens=time(9), closes=time(17), zone="Asia/Shanghai", calendar=calendar)
    assert not window.contains(utc("2026-10-06 03:00"))
    assert window.contains(utc("2026-10-10 03:00"))
    assert window.next_opening(utc("2026-09-30 10:00")) == utc("2026-10-08 01:00")


def test_the_next_opening_is_that_of_the_window_that_opens_first() -> None:
    """On Friday evening in Shanghai, the night in Berlin is next."""
    friday = utc("2026-11-06 12:00")
    assert next_opening([OFFICE, NIGHT], friday) == utc("2026-11-06 21:00")
    assert next_opening([OFFICE], friday) == utc("2026-11-09 01:00")
    assert next_opening([Window(frozenset(), time(9), time(17))], friday) is None


def test_without_windows_everything_may_leave() -> None:
    """And a whole day is a window."""
    assert is_open((), utc("2026-11-07 03:00"))
    assert is_open([ALL_DAY], utc("2026-11-07 03:00"))
    assert not is_open([OFFICE], utc("2026-11-07 03:00"))


moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants naive bounds
clocks = st.times().map(lambda wall: wall.replace(second=0, microsecond=0))


@searching
@given(
    moments,
    st.frozensets(st.integers(0, 6), min_size=1),
    clocks,
    clocks,
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Shanghai"]),
)
def test_a_window_opens_and_closes_where_it_says(
    moment: datetime, days: frozenset[int], opens: time, closes: time, zone: str
) -> None:
    """Just before the next opening it is closed or was open already, then it is open; at its end it is closed or opens anew."""
    window = Window(days, opens, closes, zone)
    opening = window.next_opening(moment)
    assert opening is not None
    assert opening > moment
    assert window.contains(opening)
    end = window.end_of(opening)
    assert end is not None
    assert opening < end <= opening + timedelta(hours=25)
    if not window.contains(moment):
        assert not window.contains(moment + (opening - moment) / 2)
