"""Reads the parameters of requests."""

import re

from aiohttp import web

from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.schemas import ID_PATTERN

NUMBER = re.compile(r"[0-9]{1,10}")


def checked_id(key: str, value: str) -> str:
    """Return an id that is valid.

    Raises:
        Refused: it is not.
    """
    if not re.fullmatch(ID_PATTERN, value):
        words = "letters, digits, '.', '_' and '-', begins with a letter or digit, and has at most 64 characters"
        raise Refused(Code.BAD_REQUEST, f"{key} consists of {words}")
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


def flag(request: web.Request, key: str) -> bool:
    """Return whether a key of the query is true; false without it.

    Raises:
        Refused: it is neither true nor false.
    """
    text = request.query.get(key, "false")
    if text not in ("true", "false"):
        raise Refused(Code.BAD_REQUEST, f"{key} must be true or false")
    return text == "true"
