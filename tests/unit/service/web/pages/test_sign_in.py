from datetime import timedelta
from pathlib import Path

from nbsweep.core.errors import JournalError
from nbsweep.service.web.access.tokens import Role
from nbsweep.testing import InMemoryJournal
from unit.service.web.pages.reading import Seen, see
from unit.service.web.support import Face, Scene, role_file

ELSEWHERE = "192.0.2.1:9464"
OURS = {"Sec-Fetch-Site": "same-origin"}
TOKEN = f"token-of-{Role.ADMIN}"


async def sign_in(face: Face, token: str = TOKEN, following: str = "/", headers: dict[str, str] | None = None) -> Seen:
    """Send the form."""
    return await see(face, "/sign-in", "POST", data={"token": token, "next": following}, headers={**OURS, **(headers or {})})


def cookie_of(seen: Seen) -> str:
    """Return the cookie as the browser sends it."""
    return seen.headers["Set-Cookie"].split(";")[0]


def scene(tmp_path: Path, *, listen: str = "127.0.0.1:0", journal: InMemoryJournal | None = None) -> Scene:
    """Return a scene with the token of an administrator."""
    files = (role_file(tmp_path, Role.ADMIN), role_file(tmp_path, Role.VIEWER))
    return Scene(listen=listen, token_files=files, journal=journal)


async def test_a_token_signs_in_and_the_page_that_was_asked_for_follows(tmp_path: Path) -> None:
    """Elsewhere the cookie is for HTTPS and for this host only; every page then says who it is."""
    async with scene(tmp_path, listen=ELSEWHERE).open() as face:
        refused = await see(face, "/?")
        form = await see(face, refused.headers["Location"])
        assert form.heading == "Sign in"
        assert [each.attributes["value"] for each in form.content.all("input") if each.attributes["type"] == "hidden"] == ["/"]
        done = await sign_in(face)
        assert (done.status, done.headers["Location"]) == (303, "/")
        cookie = done.headers["Set-Cookie"]
        assert cookie.startswith("__Host-nbsweep-session=")
        assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=43200"))
        seen = await see(face, "/", headers={"Cookie": cookie_of(done)})
        assert seen.heading == "Fleet"
        assert "admin token administrator" in seen.page.only("header").words


async def test_on_loopback_the_cookie_needs_no_https_unless_a_proxy_speaks_it(tmp_path: Path) -> None:
    """Or else nobody could sign in by http://localhost."""
    async with scene(tmp_path).open() as face:
        plain = (await sign_in(face)).headers["Set-Cookie"]
        assert plain.startswith("nbsweep-session=")
        assert "Secure" not in plain
        secure = (await sign_in(face, headers={"X-Forwarded-Proto": "https"})).headers["Set-Cookie"]
        assert secure.startswith("__Host-nbsweep-session=")
        assert "Secure" in secure


async def test_a_wrong_token_shows_the_form_again(tmp_path: Path) -> None:
    """With the reason, and without the token."""
    async with scene(tmp_path).open() as face:
        seen = await sign_in(face, "wrong-token", "/?a")
        assert (seen.status, seen.heading) == (401, "Sign in")
        assert "This token is not valid." in seen.content.words
        assert "wrong-token" not in seen.source
        assert "Set-Cookie" not in seen.headers


async def test_after_five_wrong_tokens_the_right_one_still_signs_in(tmp_path: Path) -> None:
    """Only wrong ones have to wait: 55 of the 60 seconds are left."""
    async with scene(tmp_path).open() as face:
        assert [(await sign_in(face, "wrong")).status for _ in range(5)] == [401] * 5
        face.clock.seconds += 5
        delayed = await sign_in(face, "wrong")
        assert (delayed.status, delayed.headers["Retry-After"]) == (429, "55")
        assert "Try again in a minute." in delayed.content.words
        assert (await sign_in(face)).status == 303


async def test_a_session_ends_after_twelve_hours(tmp_path: Path) -> None:
    """And not before."""
    async with scene(tmp_path, listen=ELSEWHERE).open() as face:
        cookie = {"Cookie": cookie_of(await sign_in(face))}
        face.clock.wall += timedelta(hours=12, seconds=-1)
        assert (await see(face, "/", headers=cookie)).status == 200
        face.clock.wall += timedelta(seconds=1)
        assert (await see(face, "/", headers=cookie)).status == 303


async def test_a_session_outlives_a_restart_but_not_its_token(tmp_path: Path) -> None:
    """The journal keeps it; whoever changes the token file ends all of its sessions."""
    journal = InMemoryJournal()
    async with scene(tmp_path, listen=ELSEWHERE, journal=journal).open() as face:
        cookie = {"Cookie": cookie_of(await sign_in(face))}
    async with scene(tmp_path, listen=ELSEWHERE, journal=journal).open() as face:
        assert (await see(face, "/", headers=cookie)).status == 200
    changed = scene(tmp_path, listen=ELSEWHERE, journal=journal)
    changed.token_files[0].path.write_text("another-token")
    async with changed.open() as face:
        assert (await see(face, "/", headers=cookie)).status == 303


async def test_signing_out_ends_the_session_on_the_server(tmp_path: Path) -> None:
    """A copy of the cookie is worth nothing afterwards, and the page says that it is done."""
    async with scene(tmp_path, listen=ELSEWHERE).open() as face:
        cookie = cookie_of(await sign_in(face))
        page = (await see(face, "/", headers={"Cookie": cookie})).page.only("header")
        assert [each.attributes["action"] for each in page.all("form") if each.attributes["method"] == "post"] == ["/sign-out"]
        done = await see(face, "/sign-out", "POST", headers={**OURS, "Cookie": cookie})
        assert (done.status, done.headers["Location"]) == (303, "/sign-in")
        assert (await see(face, "/", headers={"Cookie": cookie})).status == 303
        flash = [each.split(";")[0] for each in done.headers.getall("Set-Cookie") if "flash" in each]  # type: ignore[attr-defined]
        assert "You are signed out." in (await see(face, "/sign-in", headers={"Cookie": flash[0]})).content.words


async def test_no_sign_in_leads_to_another_site(tmp_path: Path) -> None:
    """Whatever the form says."""
    async with scene(tmp_path).open() as face:
        assert (await sign_in(face, following="//evil.example")).headers["Location"] == "/"


async def test_without_any_token_the_page_says_what_to_configure() -> None:
    """Rather than a form that cannot succeed."""
    async with Scene().open() as face:
        seen = await see(face, "/sign-in")
        assert "Nobody can sign in, because no token is configured." in seen.content.words
        assert seen.content.all("form") == []


async def test_a_token_in_the_header_goes_before_the_cookie(tmp_path: Path) -> None:
    """A wrong one is not made good by a session."""
    async with scene(tmp_path, listen=ELSEWHERE).open() as face:
        cookie = cookie_of(await sign_in(face))
        seen = await see(face, "/", headers={"Cookie": cookie, "Authorization": "Bearer wrong"})
        assert seen.status == 401


async def test_while_the_journal_cannot_be_read_a_session_is_nobody(tmp_path: Path) -> None:
    """503 says so, and the page needs no session to be shown."""

    class Broken:
        async def find(self, *_: object) -> None:
            raise JournalError("the journal is locked")

    journal = InMemoryJournal()
    async with scene(tmp_path, listen=ELSEWHERE, journal=journal).open() as face:
        cookie = cookie_of(await sign_in(face))
        journal.sessions = Broken()  # type: ignore[assignment]
        seen = await see(face, "/", headers={"Cookie": cookie})
        assert (seen.status, seen.heading) == (503, "The journal cannot be used")
        assert "the journal is locked" in seen.content.words


async def test_a_session_reads_the_api_too(tmp_path: Path) -> None:
    """The links to it in the pages work for whoever is signed in."""
    async with scene(tmp_path, listen=ELSEWHERE).open() as face:
        cookie = {"Cookie": cookie_of(await sign_in(face))}
        assert (await face.ask("GET", "/api/v1/targets", headers=cookie))[0] == 200
        assert (await face.ask("GET", "/api/v1/targets"))[0] == 401
