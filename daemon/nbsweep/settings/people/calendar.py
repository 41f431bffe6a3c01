"""`calendar`: the time zone of messages, and the business days of a country."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, StrictStr

from nbsweep.core.calendar.business_days import BusinessCalendar, Year
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.paths import FilePath
from nbsweep.settings.fields.types import Written
from nbsweep.settings.people.countries import UnknownCountry, years_of
from nbsweep.settings.schedule import known_timezone

COUNTRY = Written(
    r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", "must be two capital letters of ISO 3166, such as CN, or with a part, such as DE-BY"
)
AHEAD = 4
"""Years after the present one that a calendar covers."""


class CalendarSettings(Group):
    """How dates are written in messages, and which days are business days."""

    timezone: Annotated[StrictStr, AfterValidator(known_timezone)] = "UTC"
    """The IANA name of the time zone of messages: an owner gets at most one message for each of its days."""
    country: Annotated[StrictStr, COUNTRY] | None = None
    """The country whose business days count, such as CN; needs the extra nbsweep[calendar]. Only `bd` in a grace needs it."""
    extra_closed: tuple[date, ...] = ()
    """Further days on which nobody works."""
    extra_open: tuple[date, ...] = ()
    """Further days on which people work, also on a weekend or a holiday."""
    file: FilePath | None = None
    """A YAML file: closed and open, lists of dates; years, a list of the years that the file knows in full."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

    def to_business(self) -> BusinessCalendar:
        """Return the business days.

        Raises:
            ValueError: the country is not known, or the file cannot be read; the message says what is right.
        """
        this_year = datetime.now(UTC).year
        years = _years(self.country, range(this_year - 1, this_year + AHEAD + 1))
        if self.file is not None:
            years = _with_file(years, Path(self.file))
        closed, opened = frozenset(self.extra_closed), frozenset(self.extra_open)
        return BusinessCalendar(self.timezone, years, extra_closed=closed, extra_open=opened)


def _years(country: str | None, covered: range) -> Mapping[int, Year]:
    if country is None:
        return {}
    code, _, part = country.partition("-")
    try:
        return years_of(code, covered, part)
    except UnknownCountry as error:
        raise ValueError(f"country {error}") from None


def _with_file(years: Mapping[int, Year], path: Path) -> Mapping[int, Year]:
    """Add the days of a file to what is known; the years that it knows in full become official.

    Raises:
        ValueError: the file cannot be read.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        closed, opened = (_dates(content, key) for key in ("closed", "open"))
        full = {int(year) for year in content.get("years", ())}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"file {path} cannot be used: {str(error).splitlines()[0]}") from None
    touched = full | {day.year for day in closed | opened}
    mine = {year: _joined(years.get(year, Year(official=False)), year, closed, opened) for year in touched}
    return {**years, **{year: Year(each.closed, each.opened, each.official or year in full) for year, each in mine.items()}}


def _joined(before: Year, year: int, closed: frozenset[date], opened: frozenset[date]) -> Year:
    here = [frozenset(day for day in days if day.year == year) for days in (closed, opened)]
    return Year((before.closed | here[0]) - here[1], (before.opened | here[1]) - here[0], before.official)


def _dates(content: Mapping[str, Any], key: str) -> frozenset[date]:
    days = content.get(key) or []
    if wrong := [day for day in days if type(day) is not date]:
        raise ValueError(f"{key} must be a list of dates such as 2027-02-06, and holds {wrong[0]!r}")
    return frozenset(days)
