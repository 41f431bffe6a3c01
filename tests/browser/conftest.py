"""Chromium, and the services that it looks at."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from acceptance.conftest import signals_are_heeded
from acceptance.support import Json
from browser.fleet_of_processes import Served, busy_fleet, serving_fleet
from browser.watching import Watched
from browser.world import OWNER, PROXY_HEADERS, TOKENS, World, empty_world, filled_world

__all__ = ["signals_are_heeded"]

WAIT_MS = 30_000
Windows = Callable[..., Watched]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Run the browser while there are tests."""
    path = shutil.which("chromium")
    assert path, "chromium is missing: `make test-browser` brings it"
    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root, and the pages are our own.
        yield playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--lang=en-US"])


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run a service with a past; tests only read from it."""
    with filled_world(tmp_path_factory.mktemp("filled")) as found:
        yield found


@pytest.fixture(scope="session")
def new_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run a service that has done nothing yet; tests only read from it."""
    with empty_world(tmp_path_factory.mktemp("empty")) as found:
        yield found


@pytest.fixture(scope="module")
def fleet_world() -> Iterator[Served]:
    """Run the pages of a service of a fleet that has something of everything."""
    with serving_fleet(busy_fleet()) as found:
        yield found


@pytest.fixture
def window(chromium: Browser) -> Iterator[Windows]:
    """Open windows of people who share nothing: of nobody, of somebody with a role, who signs in, or of an owner."""
    with ExitStack() as stack:

        def opened(world: World | Served, role: str = "", **more: Any) -> Watched:
            headers = {"extra_http_headers": PROXY_HEADERS} if role == OWNER else {}
            context = stack.enter_context(_context(chromium, world, **headers | more))
            found = Watched.opened(context)
            if role in TOKENS:
                sign_in(found, role)
            return found

        yield opened


def _context(chromium: Browser, world: World | Served, **more: Any) -> BrowserContext:
    context = chromium.new_context(base_url=world.url, **{"locale": "en-GB", "color_scheme": "light"} | more)
    context.set_default_timeout(WAIT_MS)
    return context


def sign_in(window: Watched, role: str) -> None:
    """Sign in by the form."""
    window.open("/sign-in")
    window.tab.locator("#token").fill(TOKENS[role])
    window.tab.locator("main button[type=submit]").click()
    window.tab.wait_for_url("**/")


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Run services that the test changes."""
    with ExitStack() as stack:

        def start(*notebooks: Json, **options: Json) -> World:
            return stack.enter_context(empty_world(tmp_path, notebooks, **options))

        yield start
