"""Reads the filters of pages from the query; an empty value counts as left out, because forms send all their fields."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta

from nbsweep.core.lifecycle import RemovalOutcome
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.routing import Visit
from nbsweep.service.web.parameters import TEXT_PATTERN, checked_id
from nbsweep.settings.fields.units import parse_duration

NUMBER = re.compile(r"[1-9][0-9]{0,8}")
OUTCOMES: Mapping[str, RemovalOutcome] = {
    "deleted": "deleted",
    "failed": "failed",
    "timed_out": "timed_out",
    "spared": "spared",
    "unfinished": "unfinished",
}


def asked(visit: Visit, key: str) -> str:
    """Return a value of the query without blanks around it; empty if it is left out.

    Raises:
        Refused: it is too long, or holds control characters.
    """
    text = visit.query.get(key, "").strip()
    if text and not re.fullmatch(TEXT_PATTERN, text):
        raise Refused(Code.BAD_REQUEST, message("%(key)s has at most 256 characters, and no control characters", key=key))
    return text


def asked_id(visit: Visit, key: str) -> str:
    """Return a name or an id of the query; empty if it is left out.

    Raises:
        Refused: it is not valid.
    """
    text = asked(visit, key)
    return checked_id(key, text) if text else ""


def asked_number(visit: Visit, key: str) -> str:
    """Return the digits of a whole number from 1 of the query; empty if it is left out.

    Raises:
        Refused: it is no such number.
    """
    text = asked(visit, key)
    if text and not NUMBER.fullmatch(text):
        raise Refused(Code.BAD_REQUEST, message("%(key)s must be a whole number from 1 to 999999999", key=key))
    return text


def asked_age(visit: Visit, key: str, usual: str, longest: timedelta) -> tuple[str, timedelta]:
    """Return a length of time as it is written, and as it is.

    Raises:
        Refused: it is none, or too long.
    """
    text = asked(visit, key) or usual
    try:
        age = parse_duration(text)
    except ValueError as error:
        said = message("%(key)s must be a whole number and its unit (ms, s, m, h, d): 90s, 30m, 36h, 14d", key=key)
        raise Refused(Code.BAD_REQUEST, said) from error
    if age > longest:
        raise Refused(Code.BAD_REQUEST, message("%(key)s must be at most %(days)sd", key=key, days=str(longest.days)))
    return text, age


def asked_choice(visit: Visit, key: str, choices: Collection[str]) -> str:
    """Return one of the values that a key may have; empty if it is left out.

    Raises:
        Refused: it is none of them.
    """
    text = asked(visit, key)
    if text and text not in choices:
        raise Refused(Code.BAD_REQUEST, message("%(key)s must be one of %(choices)s", key=key, choices=tuple(choices)))
    return text
