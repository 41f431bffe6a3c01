"""Every route that changes something, from the router, against where a request comes from and who sends it."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nbsweep.core.granting.grants import GrantLimits
from nbsweep.service.web.access.tokens import Role
from nbsweep.service.web.app import WebSettings, make_app
from nbsweep.service.web.keep.pages import PageSettings
from nbsweep.testing import InMemoryJournal, RecordingTelemetry
from unit.service.web.pages.reading import BROWSER
from unit.service.web.pages.trying import NoPast
from unit.service.web.support import Face, FakeControl, Hands, Scene, role_file

ANYBODY: Mapping[str, Role | None] = {"/language": None, "/sign-in": None, "/sign-out": None, "/backtest": None}
LEAST: Mapping[str, Role | None] = {
    **ANYBODY,
    "/targets/{name}/pause": Role.ADMIN,
    "/targets/{name}/resume": Role.ADMIN,
    "/targets/{name}/sweep": Role.ADMIN,
    "/exemptions/new": Role.ADMIN,
    "/exemptions/{exemption_id}/revoke": Role.ADMIN,
    "/api/v1/outbox/{key}/retry": Role.ADMIN,
    "/api/v1/targets/{name}/plan": Role.APPROVER,
    "/api/v1/targets/{name}/plan/exclude": Role.APPROVER,
    "/api/v1/targets/{name}/plan/approve": Role.APPROVER,
    "/api/v1/plans/{plan_id}/compare": Role.APPROVER,
    "/api/v1/plans/{plan_id}/carry-out": Role.APPROVER,
    "/api/v1/targets/{name}/sweep": Role.ADMIN,
    "/api/v1/targets/{name}/pause": Role.ADMIN,
    "/api/v1/targets/{name}/resume": Role.ADMIN,
    "/api/v1/exemptions": Role.ADMIN,
    "/api/v1/exemptions/{exemption_id}/revoke": Role.ADMIN,
    "/mine/keep": Role.VIEWER,
    "/plan/{target}": Role.APPROVER,
    "/plan/{target}/exclude": Role.APPROVER,
    "/plan/{target}/approve": Role.APPROVER,
    "/plan/approved/{plan_id}/compare": Role.APPROVER,
    "/plan/approved/{plan_id}/carry-out": Role.APPROVER,
}
"""The least role of each route; None for anybody. A new route needs its line here."""
BY_LINK = "/keep/{token}"
"""A one-time link is its own permission; its page takes forms from the page itself."""
FROM: Mapping[str, Mapping[str, str]] = {
    "nowhere": {},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "same-origin": {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    "own origin": {"Origin": "http://localhost"},
    "another origin": {"Origin": "https://evil.example"},
    "no origin": {"Origin": "null"},
}
OURS = frozenset({"same-origin", "own origin"})
ROLES = (Role.VIEWER, Role.APPROVER, Role.ADMIN)
WAYS = ("session", "token")
PAGES = PageSettings(
    "http://localhost", (b"k" * 32,), GrantLimits(timedelta(days=30), ZoneInfo("UTC"), "exemptions.owners_may")
)
SIGNING_IN = "/sign-in?next="


def unsafe_routes() -> list[tuple[str, str]]:
    """Return the method and the path of each route that may change something."""
    settings = WebSettings("127.0.0.1:0", pages=PAGES, backtester=NoPast())
    app = make_app(FakeControl(), InMemoryJournal(), bytes, settings, RecordingTelemetry(), Hands())
    found = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}
    return sorted((method, path) for method, path in found if method not in ("GET", "HEAD"))


def filled(path: str) -> str:
    """Return a path without its variable parts."""
    return re.sub(r"\{[^}]+\}", "research", path)


def visitors() -> Iterator[tuple[str, Role | None]]:
    """Return every way to be known with every role, and nobody."""
    yield "nobody", None
    yield from ((way, role) for way in WAYS for role in ROLES)


async def credentials(face: Face, way: str, role: Role | None) -> dict[str, str]:
    """Return the headers with which a visitor is known."""
    if way == "nobody":
        return {}
    if way == "token":
        return {"Authorization": f"Bearer token-of-{role}"}
    headers = {"Sec-Fetch-Site": "same-origin"}
    form = {"token": f"token-of-{role}", "next": "/"}
    async with face.session.post(f"{face.url}/sign-in", data=form, headers=headers, allow_redirects=False) as response:
        assert response.status == 303
        return {"Cookie": response.headers["Set-Cookie"].split(";")[0]}


def test_every_unsafe_route_has_its_line() -> None:
    """Nobody can add one without saying who may use it."""
    assert {path for _, path in unsafe_routes()} == LEAST.keys() | {BY_LINK}
    assert {method for method, _ in unsafe_routes()} == {"POST"}


def test_no_route_changes_anything_by_a_get() -> None:
    """Only GET, HEAD and POST are there at all."""
    app = make_app(FakeControl(), InMemoryJournal(), bytes, WebSettings("127.0.0.1:0"), RecordingTelemetry(), Hands())
    assert {route.method for route in app.router.routes()} == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize("path", sorted(LEAST))
async def test_a_change_needs_its_role_and_a_page_of_ours(tmp_path: Path, path: str) -> None:
    """A cookie alone is never enough: the browser must say that the form is ours. A token may come from nowhere."""
    files = tuple(role_file(tmp_path, role) for role in ROLES)
    wrong = []
    for way, role in visitors():
        async with Scene(token_files=files, backtester=NoPast()).open() as face:
            known = await credentials(face, way, role)
            for origin, headers in FROM.items():
                sent = {**BROWSER, **known, **headers, "Host": "localhost"}
                async with face.session.post(face.url + filled(path), headers=sent, allow_redirects=False) as response:
                    to_sign_in = response.headers.get("Location", "").startswith(SIGNING_IN)
                    passed = not to_sign_in and response.status != 403 and not (response.status == 401 and path != "/sign-in")
                if passed != may(path, way, role, origin):
                    wrong.append((way, role, origin, response.status))
                # A sign-out ends the session of the table, and wrong tokens are delayed.
                if path in ANYBODY:
                    known = await credentials(face, way, role)
                    face.clock.seconds += 60
    assert wrong == []


def may(path: str, way: str, role: Role | None, origin: str) -> bool:
    """Return whether a request may pass, by the rules of the design."""
    least = LEAST[path]
    enough = least is None or (role is not None and ROLES.index(role) >= ROLES.index(least))
    return enough and (origin in OURS or (origin == "nowhere" and way == "token"))


@pytest.mark.parametrize("path", sorted(set(LEAST) - set(ANYBODY)))
async def test_what_is_refused_has_changed_nothing(tmp_path: Path, path: str) -> None:
    """An administrator's browser that is on another site asks for everything, in vain."""
    async with Scene(token_files=(role_file(tmp_path, Role.ADMIN),)).open() as face:
        cookie = await credentials(face, "session", Role.ADMIN)
        for origin in FROM.keys() - OURS:
            headers = {**cookie, **FROM[origin], "Host": "localhost"}
            assert (await face.ask("POST", filled(path), headers=headers, data=b""))[0] == 403
        assert face.control.asked == []


@pytest.mark.parametrize(("origin", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 404)])
async def test_a_form_of_a_link_comes_from_its_page(origin: str, status: int) -> None:
    """The link itself is not valid here."""
    async with Scene(pages=PAGES).open() as face:
        headers = {**FROM[origin], "Host": "localhost"}
        assert (await face.ask("POST", "/keep/research", headers=headers))[0] == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
        ({}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/v1/targets"])
async def test_reading_is_for_links_and_for_our_own_pages(path: str, headers: dict[str, str], status: int) -> None:
    """A link in a chat opens; a script or an image on another site gets nothing."""
    async with Scene().open() as face:
        assert (await face.ask("GET", path, headers=headers))[0] == status
