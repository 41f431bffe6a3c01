"""The holidays and working days of a country, from the library `holidays`, which is an extra: `nbsweep[calendar]`.

The library does not say whether the arrangement of a year has been published. A country that moves working days to weekends, as
China does, publishes that for each year; a year without any such day has not been published. Estimated dates say so in their
names.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from nbsweep.core.calendar.business_days import Year

ESTIMATED = "estimated"
LOOKED_BACK = 5
"""Years before the first that is asked for, in which a country that moves working days has done so."""


class UnknownCountry(Exception):
    """The library does not know the country, or is not installed; the message says what to do."""


def years_of(country: str, years: Iterable[int], part: str = "") -> Mapping[int, Year]:
    """Return what the library knows of a country's years.

    Raises:
        UnknownCountry: it knows no such country, or is not installed.
    """
    wanted = sorted(set(years))
    try:
        import holidays  # noqa: PLC0415  # an extra
    except ImportError:
        raise UnknownCountry("needs the extra nbsweep[calendar]: pip install 'nbsweep[calendar]'") from None
    before = range(wanted[0] - LOOKED_BACK, wanted[0])
    try:
        known: Any = holidays.country_holidays(country, subdiv=part or None, years=[*before, *wanted], language="en_US")
    except NotImplementedError:
        raise UnknownCountry(f"is not known: {country}. Write the letters of ISO 3166, such as CN or DE-BY") from None
    moves_days = bool(known.weekend_workdays)
    return {year: _year(known, year, moves_days=moves_days) for year in wanted}


def _year(known: Any, year: int, *, moves_days: bool) -> Year:
    closed = {day: name for day, name in known.items() if day.year == year}
    opened = frozenset(day for day in known.weekend_workdays if day.year == year)
    estimated = any(ESTIMATED in name.lower() for name in closed.values())
    return Year(frozenset(closed), opened, official=not estimated and (bool(opened) or not moves_days))
