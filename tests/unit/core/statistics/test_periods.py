"""Days, weeks and months in a time zone; every expected date was read off a calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from nbsweep.core.statistics.model import EndCount, PeriodCounts
from nbsweep.core.statistics.periods import Span, Step, count_by_period, span_of, total_of

SHANGHAI, BERLIN, KATHMANDU = (ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "Asia/Kathmandu"))
NOW = datetime(2026, 11, 29, 20, 30, tzinfo=UTC)  # a Sunday; a Monday in Shanghai


@pytest.mark.parametrize(
    ("days", "zone", "first", "last", "step"),
    [
        (1, ZoneInfo("UTC"), date(2026, 11, 29), date(2026, 11, 29), Step.DAY),
        (30, SHANGHAI, date(2026, 11, 1), date(2026, 11, 30), Step.DAY),
        (35, ZoneInfo("UTC"), date(2026, 10, 26), date(2026, 11, 29), Step.DAY),
        (36, ZoneInfo("UTC"), date(2026, 10, 19), date(2026, 11, 29), Step.WEEK),  # from 25 October, a Sunday
        (371, ZoneInfo("UTC"), date(2025, 11, 24), date(2026, 11, 29), Step.WEEK),
        (372, ZoneInfo("UTC"), date(2025, 11, 1), date(2026, 11, 29), Step.MONTH),
    ],
)
def test_a_span_ends_today_and_cuts_no_period(days: int, zone: ZoneInfo, first: date, last: date, step: Step) -> None:
    """A week begins on Monday, a month on its first; today is that of the time zone."""
    assert span_of(timedelta(days=days), NOW, zone) == Span(first, last, step, zone)


def test_a_part_of_a_day_is_a_day() -> None:
    """36 hours are two days, 5 minutes are one."""
    assert [(span_of(timedelta(minutes=minutes), NOW, BERLIN)).first.day for minutes in (5, 36 * 60)] == [29, 28]


def test_the_day_of_an_end_is_that_of_the_time_zone() -> None:
    """Kathmandu is 5 h 45 min ahead: its day begins at 18:15 UTC."""
    span = Span(date(2026, 11, 28), date(2026, 11, 29), Step.DAY, KATHMANDU)
    assert (span.since, span.until) == (datetime(2026, 11, 27, 18, 15, tzinfo=UTC), datetime(2026, 11, 29, 18, 15, tzinfo=UTC))
    counts = [
        EndCount(datetime(2026, 11, 27, 18, 0, tzinfo=UTC), "deleted", 100, 100),
        EndCount(datetime(2026, 11, 27, 18, 15, tzinfo=UTC), "deleted", 2, 10),
        EndCount(datetime(2026, 11, 28, 18, 0, tzinfo=UTC), "failed", 1),
        EndCount(datetime(2026, 11, 28, 18, 0, tzinfo=UTC), "deleted", 3, 5),
        EndCount(datetime(2026, 11, 28, 18, 15, tzinfo=UTC), "timed_out", 4),
        EndCount(datetime(2026, 11, 29, 18, 15, tzinfo=UTC), "deleted", 100, 100),
    ]
    assert count_by_period(counts, span) == (
        PeriodCounts(date(2026, 11, 28), {"deleted": 5, "failed": 1}, 15),
        PeriodCounts(date(2026, 11, 29), {"timed_out": 4}, 0),
    )


def test_the_day_on_which_clocks_change_has_its_own_length() -> None:
    """25 October 2026 has 25 hours in Berlin: from 22:00 UTC of the day before until 23:00 UTC."""
    span = Span(date(2026, 10, 25), date(2026, 10, 25), Step.DAY, BERLIN)
    assert (span.since, span.until) == (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC))


def test_weeks_and_months_are_all_there_also_without_an_end() -> None:
    """From a Monday to the next, and over the end of a year."""
    weeks = count_by_period([], Span(date(2026, 12, 21), date(2027, 1, 5), Step.WEEK, BERLIN))
    assert [each.begins.isoformat() for each in weeks] == ["2026-12-21", "2026-12-28", "2027-01-04"]
    months = count_by_period([], Span(date(2026, 11, 1), date(2027, 2, 1), Step.MONTH, BERLIN))
    assert [each.begins.isoformat() for each in months] == ["2026-11-01", "2026-12-01", "2027-01-01", "2027-02-01"]
    assert all(each.ends == {} for each in (*weeks, *months))


def test_the_sum_counts_every_outcome_and_all_gigabytes() -> None:
    """A total over periods of which each lacks something."""
    periods = [
        PeriodCounts(date(2026, 1, 1), {"deleted": 2}, 5),
        PeriodCounts(date(2026, 1, 2), {"deleted": 1, "failed": 4}, 1),
    ]
    assert total_of(periods) == PeriodCounts(date(2026, 1, 1), {"deleted": 3, "failed": 4}, 6)
