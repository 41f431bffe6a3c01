"""A length of time: so much time, or so many business days of a calendar."""

from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.calendar.business_days import BusinessCalendar
from nbsweep.core.facts import format_age

DAYS_OF_A_WEEK = 7
BUSINESS_DAYS_OF_A_WEEK = 5


class BusinessDays(Struct, frozen=True):
    """A number of business days."""

    count: int
    calendar: BusinessCalendar


Length = timedelta | BusinessDays


def after(start: datetime, length: Length) -> datetime:
    """Return the moment that lies a length after another."""
    return start + length if isinstance(length, timedelta) else length.calendar.after(start, length.count)


def before(end: datetime, length: Length) -> datetime:
    """Return the moment that lies a length before another."""
    return end - length if isinstance(length, timedelta) else length.calendar.before(end, length.count)


def usual(length: Length) -> timedelta:
    """Return the usual time of a length: with its weekends, and without holidays."""
    if isinstance(length, timedelta):
        return length
    return timedelta(days=length.count * DAYS_OF_A_WEEK / BUSINESS_DAYS_OF_A_WEEK)


def describe_length(length: Length) -> str:
    """Return a length in words: ``7d``, or ``5 business days``."""
    if isinstance(length, timedelta):
        return format_age(length)
    return f"{length.count} business day{'s' if length.count > 1 else ''}"
