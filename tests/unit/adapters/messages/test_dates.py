"""Dates in messages: absolute, with the day of the week and the zone, and without doubt."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from nbsweep.adapters.messages.dates import format_date, format_iso
from nbsweep.core.reasons.language import Language


@pytest.mark.parametrize(
    ("moment", "zone", "english", "chinese"),
    [
        # By the calendar of 2026: 8 December is a Tuesday.
        (
            datetime(2026, 12, 8, 1, 0, 59, tzinfo=UTC),
            "Asia/Shanghai",
            "Tuesday 2026-12-08 09:00 (Asia/Shanghai)",
            "2026年12月8日 星期二 09:00（Asia/Shanghai）",
        ),
        # West of Greenwich it is still the day before, and the year before.
        (
            datetime(2027, 1, 1, 3, 30, tzinfo=UTC),
            "America/New_York",
            "Thursday 2026-12-31 22:30 (America/New_York)",
            "2026年12月31日 星期四 22:30（America/New_York）",
        ),
        # In Berlin, clocks are set forward on 29 March 2026 from 02:00 to 03:00: a minute later it is 03:00.
        (
            datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
            "Europe/Berlin",
            "Sunday 2026-03-29 01:59 (Europe/Berlin)",
            "2026年3月29日 星期日 01:59（Europe/Berlin）",
        ),
        (
            datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
            "Europe/Berlin",
            "Sunday 2026-03-29 03:00 (Europe/Berlin)",
            "2026年3月29日 星期日 03:00（Europe/Berlin）",
        ),
        # On 25 October 2026 they show 02:30 twice; the offset tells which.
        (
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            "Europe/Berlin",
            "Sunday 2026-10-25 02:30 (Europe/Berlin, UTC+02:00)",
            "2026年10月25日 星期日 02:30（Europe/Berlin, UTC+02:00）",
        ),
        (
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            "Europe/Berlin",
            "Sunday 2026-10-25 02:30 (Europe/Berlin, UTC+01:00)",
            "2026年10月25日 星期日 02:30（Europe/Berlin, UTC+01:00）",
        ),
        (
            datetime(2026, 12, 8, 1, 0, tzinfo=UTC),
            "UTC",
            "Tuesday 2026-12-08 01:00 (UTC)",
            "2026年12月8日 星期二 01:00（UTC）",
        ),
        (
            datetime(2026, 12, 8, 1, 0, tzinfo=UTC),
            "Asia/Kathmandu",
            "Tuesday 2026-12-08 06:45 (Asia/Kathmandu)",
            "2026年12月8日 星期二 06:45（Asia/Kathmandu）",
        ),
    ],
)
def test_a_date_is_absolute_and_never_later_than_the_moment(moment: datetime, zone: str, english: str, chinese: str) -> None:
    """Weekday, ISO date, minute and zone; seconds are cut, so that a deletion is never before the time that was written."""
    assert format_date(moment, ZoneInfo(zone), Language.ENGLISH) == english
    assert format_date(moment, ZoneInfo(zone), Language.CHINESE) == chinese


def test_the_iso_form_has_the_offset() -> None:
    """For programs that read messages."""
    assert format_iso(datetime(2026, 12, 8, 1, tzinfo=UTC), ZoneInfo("Asia/Shanghai")) == "2026-12-08T09:00+08:00"
