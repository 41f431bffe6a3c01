"""What a page consists of: its routes, the visit that a handler gets, and what a handler returns."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from aiohttp import web
from msgspec import Struct

from nbsweep.core.actor import Actor, Via
from nbsweep.core.reasons.language import Language
from nbsweep.service.web.access.visitors import NOBODY, Needs, Visitor
from nbsweep.service.web.cookies import Cookie
from nbsweep.service.web.messages import Message

LARGEST_FORM_BYTES = 16 * 1024
MOST_FIELDS = 20


class Section(Struct, frozen=True):
    """An entry of the navigation."""

    path: str
    title: Message


class Shown(Struct, frozen=True):
    """A page to show."""

    template: str
    """The name of a file in `templates`."""
    view: Struct
    """The record that the template shows, as `view`."""
    title: Message
    status: int = 200
    headers: Mapping[str, str] = {}


class Moved(Struct, frozen=True):
    """The answer to a POST that was done: the browser gets the page at another address, with a message on it."""

    to: str
    """A path of this service, with its query."""
    flash: Message | None = None
    headers: Mapping[str, str] = {}
    cookies: Sequence[Cookie] = ()


def local_path(text: str) -> str:
    """Return a path of this service with its query; `/` in place of anything else, which may lead to another site."""
    is_local = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if is_local else "/"


class Visit(Struct, frozen=True):
    """A request to a page that may pass: its query and its form are checked, and the visitor has what the route needs."""

    request: web.Request
    language: Language = Language.ENGLISH
    visitor: Visitor = NOBODY
    form: Mapping[str, str] = {}
    """The fields of a POST."""

    @property
    def query(self) -> Mapping[str, str]:
        """The query, in which each key is once."""
        return self.request.query

    @property
    def parts(self) -> Mapping[str, str]:
        """The parts of the path that the route names in braces."""
        return self.request.match_info

    @property
    def actor(self) -> Actor:
        """Who acts, for the record of a change."""
        return self.visitor.actor(Via.PAGE)


Answer = Shown | Moved | web.StreamResponse
Handle = Callable[[Visit], Awaitable[Answer]]


class PageRoute(Struct, frozen=True):
    """One address of a page."""

    method: str
    """GET or POST. A GET changes nothing."""
    path: str
    handle: Handle
    needs: Needs
    query: tuple[str, ...] = ()
    """The allowed query keys."""
    fields: tuple[str, ...] = ()
    """The allowed fields of the form."""
    largest_form_bytes: int = LARGEST_FORM_BYTES


class Page(Protocol):
    """A page: an object with the handlers of its routes."""

    def section(self) -> Section | None:
        """Return the entry of the page in the navigation; None if it has none."""
        ...

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes of the page."""
        ...
