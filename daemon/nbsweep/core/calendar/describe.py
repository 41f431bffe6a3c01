"""Says which years a calendar knows."""

from datetime import date

from nbsweep.core.calendar.business_days import BusinessCalendar


def describe_years(calendar: BusinessCalendar, place: str, today: date) -> tuple[str, bool]:
    """Describe whether this year and the next are known, and return whether both are.

    Deadlines in a year that is not known come later rather than earlier.
    """
    known, unknown = calendar.known_years(today.year, today.year + 1)
    if not unknown:
        return f"business days of {place}: {_listed(known)} are known", True
    verb = "is" if len(unknown) == 1 else "are"
    words = f"{_listed(unknown)} {verb} not published yet, or not in this version of the library holidays"
    before = f"{_listed(known)} {'is' if len(known) == 1 else 'are'} known; " if known else ""
    advice = "no day near a holiday and no weekend counts there, so that deadlines come later rather than earlier"
    return f"business days of {place}: {before}{words}: {advice}", False


def _listed(years: tuple[int, ...]) -> str:
    return " and ".join(map(str, years))
