"""Reads when an exemption ends."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from nbsweep.core.errors import GrantRefused
from nbsweep.core.granting.grants import end_of_day
from nbsweep.settings.fields.units import parse_duration


def parse_until(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Read a duration from now, a date, which is included, or a time; the zone is that of dates and times without one.

    Raises:
        GrantRefused: the text is none of them.
    """
    try:
        return (now + parse_duration(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        return _moment(text, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        message = (
            f"{text} is neither a duration such as 30d, nor a date such as 2026-12-31, nor a time such as 2026-12-31T08:00"
        )
        raise GrantRefused("until", message) from None


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return end_of_day(day, zone)
