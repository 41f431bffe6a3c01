"""The style sheet and the script. Their names hold a digest of their content, so that browsers may keep them for ever."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web
from msgspec import Struct

from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.pages.languages.catalogues import PACKAGE
from nbsweep.service.web.pages.routing import PageRoute, Visit

PATH = "/static/"
KINDS: Mapping[str, str] = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"
DIGITS = 12
"""Hexadecimal digits of a digest in a name."""


class StaticFile(Struct, frozen=True):
    """One file."""

    content: bytes
    kind: str
    """The media type."""


class StaticFiles:
    """The files by their addresses."""

    def __init__(self) -> None:
        """Read all files of the folder `static`, and the colours of charts."""
        self._addresses: dict[str, str] = {}
        self._files: dict[str, StaticFile] = {}
        for file in (files(PACKAGE) / "static").iterdir():
            self._add(file.name, file)
        self._add("charts.css", files("nbsweep.charts") / "style.css")

    def _add(self, name: str, file: Traversable) -> None:
        stem, dot, ending = name.rpartition(".")
        if dot + ending in KINDS:
            content = file.read_bytes()
            hashed = f"{stem}.{sha256(content).hexdigest()[:DIGITS]}.{ending}"
            self._addresses[name] = f"{PATH}{hashed}"
            self._files[hashed] = StaticFile(content, KINDS[dot + ending])

    def address(self, name: str) -> str:
        """Return the address of a file.

        Raises:
            KeyError: there is no such file.
        """
        return self._addresses[name]

    def section(self) -> None:
        """Return None: there is nothing to navigate to."""

    def routes(self) -> Sequence[PageRoute]:
        """Return the route of the files, which say nothing about notebooks."""
        return (PageRoute("GET", f"{PATH}{{name}}", self.show, Needs.NOTHING),)

    async def show(self, visit: Visit) -> web.Response:
        """Return one file.

        Raises:
            HTTPNotFound: there is no such file.
        """
        found = self._files.get(visit.parts["name"])
        if found is None:
            raise web.HTTPNotFound
        headers = {"Content-Type": f"{found.kind}; charset=utf-8", "Cache-Control": FOR_EVER}
        return web.Response(body=found.content, headers=headers)
