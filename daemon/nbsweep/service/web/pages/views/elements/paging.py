"""The pages of a long list, and the addresses that filters and orders give a page."""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct

from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import Message, message

MOST_PAGES = 1_000_000


class Choice(Struct, frozen=True):
    """One value that a filter may have."""

    value: str
    title: Message
    is_chosen: bool


class Paging(Struct, frozen=True):
    """Which part of a list a page shows."""

    total: int
    first: int
    """The number of the first row, counted from 1; 0 if there is none."""
    last: int
    previous: str
    """The address of the page before; empty if there is none."""
    following: str
    """The address of the next page; empty if there is none."""


def address(path: str, query: Mapping[str, str]) -> str:
    """Return an address with those keys of a query that have a value."""
    given = urlencode({key: value for key, value in query.items() if value})
    return f"{path}?{given}" if given else path


def page_number(query: Mapping[str, str]) -> int:
    """Return the number of the page that a query asks for, counted from 1.

    Raises:
        Refused: it is no such number.
    """
    text = query.get("page") or "1"
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MOST_PAGES)) or int(text) < 1:
        raise Refused(Code.BAD_REQUEST, message("page must be a whole number from 1"))
    return int(text)


def paging(path: str, query: Mapping[str, str], total: int, size: int) -> Paging:
    """Return the part of a list of `total` rows, `size` of which are on each page."""
    number = page_number(query)
    first = (number - 1) * size + 1
    return Paging(
        total=total,
        first=first if first <= total else 0,
        last=min(total, number * size) if first <= total else 0,
        previous=address(path, {**query, "page": str(number - 1) if number > 2 else ""}) if number > 1 else "",  # noqa: PLR2004
        following=address(path, {**query, "page": str(number + 1)}) if number * size < total else "",
    )
