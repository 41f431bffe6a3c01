"""Deadlines in business days, against values worked out by hand from the published arrangements."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import searching
from nbsweep.core.calendar.business_days import BusinessCalendar, Year
from nbsweep.core.calendar.length import BusinessDays, after, before, describe_length, usual
from nbsweep.settings.people.countries import UnknownCountry, years_of

CHINA = BusinessCalendar("Asia/Shanghai", years_of("CN", range(2025, 2029)))
GERMANY = BusinessCalendar("Europe/Berlin", years_of("DE", range(2025, 2029)))
PLAIN = BusinessCalendar("UTC", dict.fromkeys(range(2020, 2035), Year()))


def on(day: str, hour: int = 10) -> datetime:
    """Return ten o'clock in Shanghai on a day."""
    return datetime.fromisoformat(f"{day}T{hour:02}:00+08:00")


@pytest.mark.parametrize(
    ("told", "count", "due"),
    [
        # An ordinary week in November.
        ("2026-11-02", 5, "2026-11-09"),
        # Told on a Saturday: Monday is the first.
        ("2026-11-07", 1, "2026-11-09"),
        # National Day 2026, October 1 to 7, with the make-up Saturday October 10.
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-09-30", 5, "2026-10-13"),
        # The make-up Sunday before, September 20.
        ("2026-09-18", 1, "2026-09-20"),
        # Spring Festival 2026, February 15 to 23, with make-up days on February 14 and 28.
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-13", 2, "2026-02-24"),
        ("2026-02-13", 6, "2026-02-28"),
        # The arrangement of 2027 is not published: nothing within a week of January 1 counts, and no weekend does.
        ("2026-12-30", 1, "2026-12-31"),
        ("2026-12-30", 2, "2027-01-11"),
        ("2026-12-31", 1, "2027-01-11"),
    ],
)
def test_deadlines_in_china(told: str, count: int, due: str) -> None:
    """By the arrangements that the State Council published for 2026, and nothing for 2027."""
    assert CHINA.after(on(told), count) == on(due)


@pytest.mark.parametrize(
    ("told", "count", "due"),
    [
        # Christmas 2026: Friday 25 and Saturday 26.
        ("2026-12-23", 1, "2026-12-24"),
        ("2026-12-23", 2, "2026-12-28"),
        # New Year is a Friday.
        ("2026-12-31", 1, "2027-01-04"),
        # Good Friday and Easter Monday 2026, April 3 and 6.
        ("2026-04-02", 1, "2026-04-07"),
        # German Unity Day 2026 is a Saturday; Germany moves no days.
        ("2026-10-02", 1, "2026-10-05"),
    ],
)
def test_deadlines_in_germany(told: str, count: int, due: str) -> None:
    """Holidays of the whole country, whose dates are fixed for all years."""
    local = datetime.fromisoformat
    zone = GERMANY.after(local(f"{told}T09:00+01:00"), 1).tzinfo
    assert zone is UTC
    begin = datetime.fromisoformat(f"{told} 08:00:00+00:00")
    assert GERMANY.after(begin, count).date() == date.fromisoformat(due)


def test_the_years_that_are_known() -> None:
    """China publishes each November; Germany's holidays follow from the law."""
    assert {year for year, known in CHINA.years.items() if known.official} == {2025, 2026}
    assert {year for year, known in GERMANY.years.items() if known.official} == {2025, 2026, 2027, 2028}


def test_a_wall_time_stays_when_the_clocks_change() -> None:
    """Five business days over the night of March 29, 2026: nine in the morning in Berlin stays nine."""
    told = datetime(2026, 3, 25, 8, tzinfo=UTC)
    assert GERMANY.after(told, 3) == datetime(2026, 3, 30, 7, tzinfo=UTC)


def test_a_wall_time_that_exists_twice_is_the_later_one() -> None:
    """On October 25, 2026, half past two comes twice in Berlin; a deadline is never the earlier one."""
    open_sundays = BusinessCalendar("Europe/Berlin", GERMANY.years, extra_open=frozenset({date(2026, 10, 25)}))
    told = datetime(2026, 10, 23, 0, 30, tzinfo=UTC)
    assert open_sundays.after(told, 1) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_days_of_the_configuration_come_first() -> None:
    """A day is closed or open because the administrator says so."""
    closed = BusinessCalendar("UTC", PLAIN.years, extra_closed=frozenset({date(2026, 11, 3)}))
    assert closed.after(datetime(2026, 11, 2, 9, tzinfo=UTC), 1).date() == date(2026, 11, 4)
    opened = BusinessCalendar("UTC", PLAIN.years, extra_open=frozenset({date(2026, 11, 7)}))
    assert opened.after(datetime(2026, 11, 6, 9, tzinfo=UTC), 1).date() == date(2026, 11, 7)


def test_a_calendar_without_business_days_is_no_endless_search() -> None:
    """The message says where to look."""
    closed = BusinessCalendar("UTC", PLAIN.years, weekend=frozenset(range(7)))
    with pytest.raises(ValueError, match="extra_closed"):
        closed.after(datetime(2026, 11, 2, tzinfo=UTC), 1)


def test_an_unknown_country_is_told() -> None:
    """With what is right."""
    with pytest.raises(UnknownCountry, match="ISO 3166"):
        years_of("XX", [2026])


moments = st.datetimes(datetime(2025, 2, 1), datetime(2027, 11, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants naive bounds


@searching
@given(moments, st.integers(1, 40), st.sampled_from([CHINA, GERMANY]))
def test_business_days_are_never_shorter_than_days(start: datetime, count: int, calendar: BusinessCalendar) -> None:
    """The n-th business day is no earlier than the n-th day, is a business day, and n lie between; going back comes back."""
    end = calendar.after(start, count)
    assert end - start >= timedelta(days=count) - timedelta(hours=1)
    local = end.astimezone(UTC)
    assert local > start
    assert calendar.after(start, count + 1) > end


@searching
@given(moments, st.integers(1, 40))
def test_what_is_not_known_only_moves_deadlines_later(start: datetime, count: int) -> None:
    """Without the official data of its years, no deadline in China is earlier than with it."""
    blind = {year: Year(known.closed, frozenset(), official=False) for year, known in CHINA.years.items()}
    assert BusinessCalendar(CHINA.zone, blind).after(start, count) >= CHINA.after(start, count)


def test_lengths_are_of_two_kinds() -> None:
    """Time, or business days of a calendar."""
    five = BusinessDays(5, PLAIN)
    start = datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert (after(start, timedelta(days=7)), before(start, timedelta(days=2))) == (
        datetime(2026, 11, 9, 9, tzinfo=UTC),
        datetime(2026, 10, 31, 9, tzinfo=UTC),
    )
    assert (after(start, five), before(start, five)) == (
        datetime(2026, 11, 9, 9, tzinfo=UTC),
        datetime(2026, 10, 26, 9, tzinfo=UTC),
    )
    assert (usual(five), usual(timedelta(days=3))) == (timedelta(days=7), timedelta(days=3))
    assert [describe_length(each) for each in (five, BusinessDays(1, PLAIN), timedelta(days=7))] == [
        "5 business days",
        "1 business day",
        "7d",
    ]
