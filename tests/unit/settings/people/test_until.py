from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from nbsweep.core.errors import GrantRefused
from nbsweep.settings.people.until import parse_until

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("30d", datetime(2026, 10, 1, 12, tzinfo=UTC)),
        ("2026-12-31", datetime(2026, 12, 31, 16, tzinfo=UTC)),
        ("20261231", datetime(2026, 12, 31, 16, tzinfo=UTC)),
        ("2026-12-31T08:00", datetime(2026, 12, 31, 0, tzinfo=UTC)),
        ("2026-12-31T08:00Z", datetime(2026, 12, 31, 8, tzinfo=UTC)),
        ("2026-12-31T08:00+01:00", datetime(2026, 12, 31, 7, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_duration_a_date_or_a_time(text: str, end: datetime) -> None:
    """A date is included; what names no zone is in that of the calendar, in which midnight is 16:00 UTC."""
    assert parse_until(text, NOON, SHANGHAI) == end


@pytest.mark.parametrize("text", ["", "soon", "30", "0d", "2026-13-01", "9999-12-31", "999999999d", "12-31-2026"])
def test_anything_else_is_refused(text: str) -> None:
    """With an example of each form."""
    with pytest.raises(GrantRefused, match="nor a date such as 2026-12-31"):
        parse_until(text, NOON, SHANGHAI)
