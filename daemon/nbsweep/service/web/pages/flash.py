"""The message that a page shows once, after a change: a cookie carries it from the answer of the POST to the next page.

Only messages that this program knows are shown, so that nobody can have the page say something else by planting a cookie.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

import msgspec
from msgspec import Struct

from nbsweep.core.reasons.language import Language
from nbsweep.service.web.cookies import Cookie
from nbsweep.service.web.messages import Message, Value
from nbsweep.service.web.pages.languages.catalogues import merged, read_catalogue, translation_files

NAME = "nbsweep-flash"
LASTS_S = 60
LONGEST_VALUE = 200
"""Characters of a value: browsers do not keep large cookies."""
LONGEST_COOKIE = 4000


class _Moment(Struct, tag="moment", frozen=True):
    at: datetime


class _Age(Struct, tag="age", frozen=True):
    age_s: float


_Kept = str | int | float | _Moment | _Age


class _Flash(Struct, frozen=True, array_like=True):
    text: str
    plural: str
    values: Mapping[str, _Kept]


def flash_cookie(message: Message) -> Cookie:
    """Return the cookie that carries a message."""
    values = {name: _kept(value) for name, value in message.values.items()}
    content = msgspec.json.encode(_Flash(message.text, message.plural, values))
    return Cookie(NAME, urlsafe_b64encode(content).decode("ascii").rstrip("="), LASTS_S)


def read_flash(cookie: str) -> Message | None:
    """Return the message of a cookie; None if it holds none that this program knows."""
    if not cookie or len(cookie) > LONGEST_COOKIE:
        return None
    try:
        flash = msgspec.json.decode(urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4)), type=_Flash)
    except (ValueError, msgspec.MsgspecError):
        return None
    found = Message(flash.text, {name: _value(kept) for name, kept in flash.values.items()}, flash.plural)
    return found if (flash.text, flash.plural) in known_messages() and _fits(found) else None


def _fits(message: Message) -> bool:
    """Return whether the values are those that the text names."""
    try:
        return bool(message.text % message.values) and (not message.plural or isinstance(message.values.get("count"), int))
    except (KeyError, TypeError, ValueError):
        return False


@cache
def known_messages() -> frozenset[tuple[str, str]]:
    """Return the texts of all messages, each with its plural; a test holds that none is missing among the translations."""
    files = translation_files(Language.CHINESE)
    found = merged((read_catalogue(file, Language.CHINESE) for file in files), Language.CHINESE)
    return frozenset((str(each.id), "") if isinstance(each.id, str) else (each.id[0], each.id[1]) for each in found if each.id)


def _kept(value: Value) -> _Kept:
    match value:
        case datetime():
            return _Moment(value)
        case timedelta():
            return _Age(value.total_seconds())
        case str():
            return value[:LONGEST_VALUE]
        case tuple():
            return ", ".join(value)[:LONGEST_VALUE]
    return value


def _value(kept: _Kept) -> Value:
    match kept:
        case _Moment():
            return kept.at
        case _Age():
            return timedelta(seconds=kept.age_s)
    return kept
