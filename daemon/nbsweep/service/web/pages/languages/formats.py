"""Writes values for people: numbers, dates, durations and sizes, as the language of the reader does."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, get_timezone_gmt
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from markupsafe import Markup
from msgspec import Struct

from nbsweep.core.facts import age_units
from nbsweep.core.reasons.language import Language
from nbsweep.core.statistics.periods import Period, Step
from nbsweep.service.web.messages import Message, Value
from nbsweep.service.web.pages.languages.catalogues import translations_of

LOCALES: Mapping[Language, Locale] = {
    # Days before months, and hours from 0 to 23.
    Language.ENGLISH: Locale("en", "GB"),
    Language.CHINESE: Locale("zh", "CN", script="Hans"),
}
COMMAS = {Language.ENGLISH: ", ", Language.CHINESE: "，"}
COLONS = {Language.ENGLISH: ": ", Language.CHINESE: "："}
UNITS: Mapping[str, str] = {"d": "duration-day", "h": "duration-hour", "m": "duration-minute", "s": "duration-second"}
A_TERABYTE_GB = 1000


class Formats(Struct, frozen=True):
    """How values look in one language and one time zone."""

    language: Language
    zone: ZoneInfo

    @property
    def locale(self) -> Locale:
        """The conventions of the language."""
        return LOCALES[self.language]

    def say(self, message: Message) -> str:
        """Return a message in the language; its values are other people's text, which the template escapes."""
        values = {name: self.value(value) for name, value in message.values.items()}
        translations = translations_of(self.language)
        count = message.values.get("count")
        if message.plural and isinstance(count, int):
            return translations.ngettext(message.text, message.plural, count) % values
        return translations.gettext(message.text) % values

    def value(self, value: Value) -> str:
        """Return a value of a message."""
        match value:
            case datetime():
                return self.moment_text(value)
            case timedelta():
                return self.age(value)
            case int() | float():
                return self.number(value)
            case tuple():
                return COMMAS[self.language].join(map(one_line, value))
        return one_line(value)

    def moment_text(self, moment: datetime) -> str:
        """Return a moment to the minute, with its zone: `1 Mar 2026 20:00 GMT+08:00`."""
        return f"{self.day(moment)} {self.time(moment)} {self._zone_of(moment)}"

    def moment(self, moment: datetime) -> Markup:
        """Return a moment to the minute as an element that programs can read too."""
        iso = moment.astimezone(UTC).isoformat(timespec="seconds")
        return Markup('<time datetime="{}">{}</time>').format(iso, self.moment_text(moment))

    def day(self, moment: datetime) -> str:
        """Return the day of a moment: `1 Mar 2026`."""
        return str(format_skeleton("yMMMd", moment, self.zone, locale=self.locale))

    def time(self, moment: datetime) -> str:
        """Return the time of day of a moment, without its zone: `20:00`."""
        return str(format_skeleton("Hm", moment, self.zone, locale=self.locale))

    def age(self, age: timedelta) -> str:
        """Return a length of time in its two largest units: `21 days 4 hrs`."""
        units = age_units(age)
        words = " ".join(format_unit(amount, UNITS[unit], "short", locale=self.locale) for amount, unit in units)
        return f"-{words}" if int(age.total_seconds()) < 0 else words

    def brief_age(self, age: timedelta) -> str:
        """Return a length of time as briefly as the language can: `1m 30s`."""
        units = age_units(age)
        return " ".join(format_unit(amount, UNITS[unit], "narrow", locale=self.locale) for amount, unit in units)

    def period(self, period: Period) -> str:
        """Return a period by its first day: `1 Mar`, or `Mar 2026` for a month."""
        skeleton = "yMMM" if period.step is Step.MONTH else "MMMd"
        return str(format_skeleton(skeleton, period.begins, locale=self.locale))

    def number(self, number: float) -> str:
        """Return a number: `1,234` or `2.5`."""
        return str(format_decimal(number, locale=self.locale))

    def percent(self, share: float | Fraction) -> str:
        """Return a share: `25%`."""
        return str(format_percent(float(share), locale=self.locale))

    def size(self, size_gb: float) -> str:
        """Return a size in GB, or in TB if it is large."""
        if abs(size_gb) >= A_TERABYTE_GB:
            size_tb = round(size_gb / A_TERABYTE_GB, 1)
            return str(format_unit(size_tb, "digital-terabyte", "short", locale=self.locale))
        return str(format_unit(size_gb, "digital-gigabyte", "short", locale=self.locale))

    def _zone_of(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        return "UTC" if not local.utcoffset() else str(get_timezone_gmt(local, "long", self.locale))


def one_line(text: str) -> str:
    """Return a text on one line, without characters that control the display."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in " ".join(text.split()))
