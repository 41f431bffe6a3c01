"""`windows`: the times in which DELETEs may leave."""

import re
from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, StrictStr

from nbsweep.core.calendar.business_days import BusinessCalendar
from nbsweep.core.windows.window import EVERY_DAY, Window
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.types import OneOrMore
from nbsweep.settings.schedule import known_timezone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")


def _days(text: str) -> str:
    read_days(text)
    return text


def read_days(text: str) -> frozenset[int]:
    """Return the days of the week of a day or of a range: ``sat``, ``mon-fri``, ``fri-mon``.

    Raises:
        ValueError: it is something else.
    """
    first, dash, last = text.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise ValueError(f"must be a day or a range of days, of {', '.join(DAYS)}, such as mon-fri")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return frozenset((begin + number) % len(DAYS) for number in range((end - begin) % len(DAYS) + 1))


def _hours(text: object) -> str:
    if not isinstance(text, str) or not HOURS.fullmatch(text):
        raise ValueError('must be hours such as "09:00-17:00", "22:00-06:00" or "00:00-24:00", in quotes')
    begin, _, end = text.partition("-")
    if begin == end:
        raise ValueError('begins and ends at the same time; write "00:00-24:00" for a whole day')
    return text


class WindowSettings(Group):
    """Hours on days of the week in which DELETEs may leave."""

    days: OneOrMore[Annotated[StrictStr, AfterValidator(_days)]] = ("mon-sun",)
    """The days on which the window opens: mon-fri, sat, or a list."""
    hours: Annotated[str, BeforeValidator(_hours)]
    """From when to when: "09:00-17:00"; "22:00-06:00" ends on the next day."""
    timezone: Annotated[StrictStr, AfterValidator(known_timezone)] | None = None
    """The IANA name of the time zone of the hours; when absent, that of calendar."""
    holidays: Literal["skip", "open"] = "open"
    """skip: the window opens only on the business days of calendar."""

    def to_core(self, timezone: str, calendar: BusinessCalendar) -> Window:
        """Convert the group to the core's window."""
        days = frozenset[int]().union(*map(read_days, self.days))
        begin, _, end = self.hours.partition("-")
        closes = time(0) if end == "24:00" else time.fromisoformat(end)
        zone = self.timezone or timezone
        return Window(days or EVERY_DAY, time.fromisoformat(begin), closes, zone, calendar if self.holidays == "skip" else None)
