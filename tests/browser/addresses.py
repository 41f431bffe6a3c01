"""The addresses of all pages, from the service's own table of routes: a new page is tested without being listed anywhere."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.app import SITE, WebSettings, make_app
from nbsweep.service.web.pages.routing import PageRoute
from nbsweep.testing.journal import InMemoryJournal
from nbsweep.testing.telemetry import RecordingTelemetry
from unit.service.web.pages.trying import NoPast
from unit.service.web.support import FakeControl, Hands

STATIC = "/static/"
STREAMS = frozenset({"/events"})
"""Routes that send events for as long as somebody listens."""
PART = re.compile(r"\{(\w+)\}")


def routes() -> Mapping[str, Needs]:
    """Return the paths of all routes that show something, with what each needs."""
    return {path: route.needs for path, route in site_routes().items()}


def site_routes() -> Mapping[str, PageRoute]:
    """Return all routes that show something, by path."""
    settings = WebSettings("127.0.0.1:0", backtester=NoPast())
    app = make_app(FakeControl(), InMemoryJournal(), bytes, settings, RecordingTelemetry(), Hands())
    return {path: route for (method, path), route in app[SITE].routes.items() if method == "GET" and path not in STREAMS}


def page_paths() -> list[str]:
    """Return the paths of the routes that are pages: not those of files."""
    return [path for path in routes() if not is_file(path)]


def file_paths() -> list[str]:
    """Return the paths of the files that people save, such as `/history/removals.csv`."""
    return [path for path in routes() if is_file(path) and not path.startswith(STATIC)]


def is_file(path: str) -> bool:
    """Return whether a path is that of a file."""
    return path.startswith(STATIC) or bool(PurePosixPath(path).suffix)


def address(path: str, parts: Mapping[str, str]) -> str:
    """Return the address for a path, with real values for what stands in braces.

    Raises:
        AssertionError: nobody has said which value a part may have.
    """

    def value(found: re.Match[str]) -> str:
        assert found[1] in parts, f"{path} is new: say in world.py, `parts`, what {{{found[1]}}} may be"
        return parts[found[1]]

    return PART.sub(value, path)
