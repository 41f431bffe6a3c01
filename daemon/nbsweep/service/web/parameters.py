"""Reads the parameters of requests, and knows their limits."""

import re
from enum import StrEnum
from typing import TypeVar

from aiohttp import web

from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message

ID_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
LIMIT_DEFAULT = 20
LIMIT_MOST = 1000
OFFSET_MOST = 1_000_000_000
TEXT_PATTERN = r"^[^\x00-\x1f\x7f]{1,256}$"
NUMBER = re.compile(r"[0-9]{1,10}")


def checked_id(key: str, value: str) -> str:
    """Return an id that is valid.

    Raises:
        Refused: it is not.
    """
    if not re.fullmatch(ID_PATTERN, value):
        said = message(
            "%(key)s consists of letters, digits, '.', '_' and '-', begins with a letter or digit, and has at most 64 "
            "characters",
            key=key,
        )
        raise Refused(Code.BAD_REQUEST, said)
    return value


def number(request: web.Request, key: str, usual: int, least: int, most: int) -> int:
    """Return a number of the query.

    Raises:
        Refused: it is no number, or out of range.
    """
    text = request.query.get(key, str(usual))
    if not NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise Refused(Code.BAD_REQUEST, f"{key} must be a whole number from {least} to {most}")
    return int(text)


Choice = TypeVar("Choice", bound=StrEnum)


def choice(request: web.Request, key: str, choices: type[Choice]) -> Choice | None:
    """Return one of the values that a key of the query may have, without regard to case; None without the key.

    Raises:
        Refused: it is none of them.
    """
    text = request.query.get(key)
    if text is None:
        return None
    for each in choices:
        if each.value.lower() == text.lower():
            return each
    raise Refused(Code.BAD_REQUEST, f"{key} must be one of {', '.join(each.value.lower() for each in choices)}")


def free_text(request: web.Request, key: str) -> str | None:
    """Return a text of the query; None without the key.

    Raises:
        Refused: it is empty, too long, or holds control characters.
    """
    text = request.query.get(key)
    if text is not None and not re.fullmatch(TEXT_PATTERN, text):
        raise Refused(Code.BAD_REQUEST, f"{key} has 1 to 256 characters, and no control characters")
    return text


def flag(request: web.Request, key: str) -> bool:
    """Return whether a key of the query is true; false without it.

    Raises:
        Refused: it is neither true nor false.
    """
    text = request.query.get(key, "false")
    if text not in ("true", "false"):
        raise Refused(Code.BAD_REQUEST, f"{key} must be true or false")
    return text == "true"
