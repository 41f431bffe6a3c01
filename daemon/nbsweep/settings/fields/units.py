"""The small values of the configuration, durations, rates and shares, and how they are written."""

import re
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from nbsweep.core.pacing import Rate

UNITS: Mapping[str, timedelta] = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
PERIODS_S: Mapping[str, float] = {"s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST = timedelta(days=36_500)

DURATION = r"^[1-9][0-9]{0,8}(ms|s|m|h|d)$"
DURATION_OR_ZERO = r"^(0|[1-9][0-9]{0,8})(ms|s|m|h|d)$"
RATE = r"^[1-9][0-9]{0,5}/(s|m|h)$"
SHARE = r"^(100|[0-9]{1,2}(\.[0-9]{1,6})?)%$"


def kind(value: object) -> str:
    """Return the kind of a value in the words of the file, never the value, which may be a secret."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "text"),
        ((list, tuple), "a list"),
        (Mapping, "a mapping"),
    )
    return next((words for types, words in kinds if isinstance(value, types)), "null")


def parse_duration(value: object) -> timedelta:
    """Read ``250ms 90s 30m 36h 14d``; a `timedelta` passes as it is.

    Raises:
        ValueError: it is something else, or nothing at all.
    """
    length = parse_duration_or_zero(value)
    if not length:
        raise ValueError("must be longer than nothing")
    return length


def parse_duration_or_zero(value: object) -> timedelta:
    """Read a duration that may also be ``0s``.

    Raises:
        ValueError: it is something else.
    """
    length = value if isinstance(value, timedelta) else _length(value)
    if not timedelta(0) <= length <= LONGEST:
        raise ValueError(f"must be between 0s and {LONGEST.days}d")
    return length


def _length(value: object) -> timedelta:
    if _is_bare_number(value):
        raise ValueError("has no unit; write ms, s, m, h or d right behind the number, as in 90s or 14d")
    if not isinstance(value, str) or not re.fullmatch(DURATION_OR_ZERO, value):
        raise ValueError("must be a duration, which is a whole number and its unit (ms, s, m, h, d): 90s, 30m, 36h, 14d")
    digits = value.rstrip("mshd")
    return int(digits) * UNITS[value.removeprefix(digits)]


def _is_bare_number(value: object) -> bool:
    return kind(value) == "a number" or (isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) is not None)


def format_duration(length: timedelta) -> str:
    """Write a duration as the configuration does, in the largest unit that leaves nothing over."""
    if not length:
        return "0s"
    unit = next((unit for unit, size in UNITS.items() if not length % size), "ms")
    return f"{length // UNITS[unit]}{unit}"


def parse_rate(value: object) -> Rate:
    """Read ``10/s 600/m 100/h``; a `Rate` passes as it is.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, Rate):
        return value
    if _is_bare_number(value):
        raise ValueError("has no unit; write /s, /m or /h right behind the number, as in 10/s or 600/m")
    if not isinstance(value, str) or not re.fullmatch(RATE, value):
        raise ValueError("must be a rate, which is a whole number of calls and their unit (/s, /m, /h): 10/s, 600/m, 100/h")
    calls, unit = value.split("/")
    return Rate(int(calls), PERIODS_S[unit])


def parse_share(value: object) -> Fraction:
    """Read ``25%`` or ``12.5%``, exactly; a `Fraction` from 0 to 1 passes as it is.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, Fraction) and 0 <= value <= 1:
        return value
    if _is_bare_number(value):
        raise ValueError("has no unit; write % right behind the number, as in 25%")
    if not isinstance(value, str) or not re.fullmatch(SHARE, value):
        raise ValueError("must be a share from 0% to 100%, such as 25% or 12.5%")
    return Fraction(value.removesuffix("%")) / 100


def format_share(share: Fraction) -> str:
    """Write a share as the configuration does."""
    return f"{float(share * 100):.6f}".rstrip("0").rstrip(".") + "%"


def _json_text(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


_FORMAT_DURATION = PlainSerializer(format_duration, return_type=str)

Duration = Annotated[timedelta, PlainValidator(parse_duration), _FORMAT_DURATION, _json_text(DURATION, "90s", "30m", "14d")]
"""A length of time, and not nothing."""

DurationOrZero = Annotated[
    timedelta, PlainValidator(parse_duration_or_zero), _FORMAT_DURATION, _json_text(DURATION_OR_ZERO, "0s", "90s", "30m")
]
"""A length of time."""

GRACE = r"^[1-9][0-9]{0,8}(ms|s|m|h|d)$|^[1-9][0-9]{0,2}bd$"
BUSINESS_DAYS = re.compile(r"([1-9][0-9]{0,2})bd")


def parse_length(value: object) -> timedelta | int:
    """Read a duration such as ``7d``, or business days such as ``5bd``, which become their number.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, str) and (found := BUSINESS_DAYS.fullmatch(value)):
        return int(found[1])
    return parse_duration(value)


def format_length(length: timedelta | int) -> str:
    """Write a duration or business days as the configuration does."""
    return f"{length}bd" if isinstance(length, int) else format_duration(length)


LengthOfTime = Annotated[
    timedelta | int,
    PlainValidator(parse_length),
    PlainSerializer(format_length, return_type=str),
    _json_text(GRACE, "7d", "36h", "5bd"),
]
"""A length of time, or so many business days of `calendar`."""

CallRate = Annotated[
    Rate, PlainValidator(parse_rate), PlainSerializer(str, return_type=str), _json_text(RATE, "10/s", "600/m", "100/h")
]
"""So many calls in so much time."""

Share = Annotated[
    Fraction, PlainValidator(parse_share), PlainSerializer(format_share, return_type=str), _json_text(SHARE, "25%", "12.5%")
]
"""A part of a whole, exactly."""
