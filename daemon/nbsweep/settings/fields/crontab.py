"""Crontab lines, read the way crontab reads them.

APScheduler 3 reads them otherwise: its weekday 0 is a Monday, it wants day of month *and* weekday where crontab wants either,
and it ignores what follows a name (``mon-fri/2``). So they are read here, and handed on as numbers, which leave nothing open.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_MONTHS: Mapping[int, int] = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}

PART = re.compile(r"(?P<first>\*|[0-9]{1,2}|[a-z]{3})(?P<range>-(?P<last>[0-9]{1,2}|[a-z]{3}))?(/(?P<step>[0-9]{1,2}))?")


class Column(Struct, frozen=True):
    """One of the five columns of a crontab line."""

    key: str
    label: str
    least: int
    most: int
    names: Mapping[str, int] = {}


COLUMNS = (
    Column("minute", "minute", 0, 59),
    Column("hour", "hour", 0, 23),
    Column("day", "day of month", 1, 31),
    Column("month", "month", 1, 12, {name: number for number, name in enumerate(MONTHS, start=1)}),
    Column("day_of_week", "weekday", 0, 6, {name: number for number, name in enumerate(WEEKDAYS)}),
)
SECOND = Column("second", "second", 0, 59)
"""May come before the five."""


def read_crontab(line: str) -> dict[str, tuple[int, ...]]:
    """Return the columns as sorted numbers, weekday 0 being Sunday; without a second where the line has none.

    Raises:
        ValueError: crontab would not take the line, or it never comes about.
    """
    texts = line.lower().split()
    columns = COLUMNS if len(texts) == len(COLUMNS) else (SECOND, *COLUMNS)
    if len(texts) != len(columns):
        raise ValueError(
            "must have five fields (minute, hour, day of month, month, weekday), such as 0 3 * * *, "
            "or six with the seconds first"
        )
    values = {column.key: _values(column, text) for column, text in zip(columns, texts, strict=True)}
    _check_days(values, texts[-len(COLUMNS) :])
    return values


def _values(column: Column, text: str) -> tuple[int, ...]:
    return tuple(sorted({value for part in text.split(",") for value in _part(column, part)}))


def _part(column: Column, text: str) -> Iterator[int]:
    found = PART.fullmatch(text)
    if not found or (found["first"] == "*" and found["range"]):
        raise ValueError(f"has a {column.label} that cannot be read; there can be *, 5, 1-5, */2, 1-5/2, and lists like 1,3-5")
    if found["step"] and not (found["first"] == "*" or found["range"]):
        raise ValueError(f"has a step without a range as its {column.label}; write */2 or 1-5/2")
    if found["step"] and int(found["step"]) == 0:
        raise ValueError(f"has a step of 0 as its {column.label}")
    first, last = _range(column, found["first"], found["last"])
    yield from (_week_begins_on_sunday(column, value) for value in range(first, last + 1, int(found["step"] or 1)))


def _range(column: Column, first_text: str, last_text: str | None) -> tuple[int, int]:
    if first_text == "*":
        return column.least, column.most
    first = _number(column, first_text)
    last = _number(column, last_text) if last_text else first
    if last == 0 < first and column.key == "day_of_week":
        last = len(WEEKDAYS)
    if last < first:
        raise ValueError(f"has a {column.label} range that runs backwards")
    return first, last


def _number(column: Column, text: str) -> int:
    number = int(text) if text.isdecimal() else column.names.get(text, -1)
    most = len(WEEKDAYS) if column.key == "day_of_week" else column.most
    if not column.least <= number <= most:
        names = f" ({', '.join(column.names)})" if column.names else ""
        raise ValueError(f"has a {column.label} outside of {column.least} to {most}{names}")
    return number


def _week_begins_on_sunday(column: Column, value: int) -> int:
    return value % len(WEEKDAYS) if column.key == "day_of_week" else value


def _check_days(values: Mapping[str, tuple[int, ...]], texts: list[str]) -> None:
    if texts[2] != "*" and texts[4] != "*":
        # crontab takes either, others want both; whichever was meant, the other would be a surprise.
        raise ValueError("must not have a day of month and a weekday; one of the two has to be *")
    if all(values["day"][0] > LONGEST_MONTHS.get(month, 31) for month in values["month"]):
        raise ValueError("never comes about: no such month has such a day")
