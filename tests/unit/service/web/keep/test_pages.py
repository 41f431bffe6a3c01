import asyncio
from collections.abc import Sequence
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

import builders
from builders import NOON, removal
from nbsweep.core.errors import JournalError
from nbsweep.core.events.marks import MarkCleared
from nbsweep.core.events.service import WebFailed
from nbsweep.core.exemptions.links import keep_link, sign_link
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.granting.grants import GrantLimits
from nbsweep.core.granting.keeping import exemption_id_of, offer_to_keep
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import ClearCause, Mark, MarkState
from nbsweep.core.notices.outbox import ItemKind
from nbsweep.core.reasons.language import Language
from nbsweep.service.web.keep.pages import PageSettings
from nbsweep.service.web.pages.languages.choice import preferred_language
from nbsweep.testing import InMemoryJournal
from trails import whole_trail
from unit.service.web.support import Face, Scene

KEY = b"k" * 32
DAY = timedelta(days=1)
DEADLINE = NOON + 7 * DAY
MARK = builders.mark(state=MarkState.TOLD, told_at=NOON - DAY, clock_verified=True, deadline=DEADLINE, version=0)
LIMITS = GrantLimits(30 * DAY, ZoneInfo("Asia/Shanghai"), "exemptions.owners_may")
PAGES = PageSettings("https://nbsweep.example.com", (KEY,), LIMITS)
ANSWERED = {"length": "30d", "reason": "a paper is due"}
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}


def link(mark: Mark = MARK) -> str:
    """Return the path of the link for a mark."""
    offer = offer_to_keep(mark)
    assert offer is not None
    return f"/keep/{sign_link(offer, KEY)}"


LINK = link()


class Page(HTMLParser):
    """Reads a page as a browser does."""

    def __init__(self, text: str) -> None:
        """Parse the text."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each such tag."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def lengths(self) -> list[str | None]:
        """The lengths that may be chosen."""
        return [each["value"] for each in self.all("input") if each["type"] == "radio"]


class ObservedJournal(InMemoryJournal):
    """A journal that counts its changes."""

    changes = 0

    async def write(self, removals: Sequence[Removal], *, exemptions_version: int | None = None) -> None:
        """Count a write of removals."""
        self.changes += 1
        await super().write(removals, exemptions_version=exemptions_version)


@pytest.fixture(name="journal")
async def _journal() -> InMemoryJournal:
    journal = InMemoryJournal()
    await journal.marks.write([MARK])
    return journal


@pytest.fixture(name="scene")
def _scene(journal: InMemoryJournal) -> Scene:
    return Scene(journal=journal, pages=PAGES)


async def seen(face: Face, path: str = LINK, **how: object) -> tuple[int, Page]:
    """Open a page."""
    return await _page(face, "GET", path, **how)


async def sent(face: Face, path: str = LINK, form: object = ANSWERED, **how: object) -> tuple[int, Page]:
    """Press the button."""
    return await _page(face, "POST", path, data=form, **how)


async def _page(face: Face, method: str, path: str, **how: object) -> tuple[int, Page]:
    status, text = await face.ask(method, path, **how)
    assert isinstance(text, str), text
    return status, Page(text)


async def granted(journal: InMemoryJournal) -> tuple[Exemption, ...]:
    """Return all exemptions."""
    return await journal.exemptions.all(10)


async def test_a_link_shows_what_will_be_deleted_and_when(scene: Scene) -> None:
    """In the time zone of the calendar, with the lengths that end after the deadline, and one chosen already."""
    async with scene.open() as face:
        status, page = await seen(face)
    assert status == 200
    for expected in (
        "Keep experiment-1?",
        "nb1",
        "alice",
        "research",
        "2026-03-08 20:00 (Asia/Shanghai)",
        "old: age 200d (over 1d)",
    ):
        assert expected in page.text
    assert page.lengths == ["14d", "30d"]
    assert [each["value"] for each in page.all("input") if "checked" in each] == ["30d"]
    [form] = page.all("form")
    assert form["method"] == "post"
    assert "action" not in form


async def test_nothing_changes_by_a_get_a_head_or_a_prefetch(scene: Scene, journal: InMemoryJournal) -> None:
    """However often scanners of mail open the link."""
    before = await journal.exemptions.version(), await journal.marks.marks(10), await whole_trail(journal)
    async with scene.open() as face:
        for _ in range(3):
            assert (await seen(face))[0] == 200
            assert (await face.ask("HEAD", LINK))[0] == 200
            assert (await seen(face, headers={"Sec-Purpose": "prefetch", "Sec-Fetch-Site": "cross-site"}))[0] == 200
            assert (await seen(face, f"{LINK}?length=30d&reason=x"))[0] == 200
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            assert (await face.error(method, LINK))[0] == 405
    assert (await journal.exemptions.version(), await journal.marks.marks(10), await whole_trail(journal)) == before


async def test_the_button_keeps_exactly_that_notebook(scene: Scene, journal: InMemoryJournal) -> None:
    """With the owner as giver, on the trail; the mark ends at once, and its owner hears of it."""
    async with scene.open() as face:
        status, page = await sent(face)
        assert status == 200
        assert "experiment-1 is kept until 2026-03-31 20:00 (Asia/Shanghai)" in page.text
        assert page.all("form") == []
    [exemption] = await granted(journal)
    assert exemption.selector == Selector("nb1", MARK.notebook_created_at)
    assert exemption.until == NOON + 30 * DAY
    assert (exemption.granted_by, exemption.granted_as, exemption.reason) == ("alice", GrantedBy.OWNER, "a paper is due")
    [mark] = await journal.marks.marks_of("nb1")
    assert (mark.state, mark.cleared) == (MarkState.CLEARED, ClearCause.EXEMPT)
    [item] = await journal.outbox.waiting(NOON, 10)
    assert item.item.kind is ItemKind.CLEARED
    assert scene.telemetry.of(MarkCleared) == [MarkCleared("nb1", "old", ClearCause.EXEMPT, told=True)]
    assert "granted by alice as owner" in str(await whole_trail(journal))


async def test_a_link_works_once(scene: Scene, journal: InMemoryJournal) -> None:
    """Then it shows until when the notebook is kept, and when it was used."""
    async with scene.open() as face:
        await sent(face)
        face.clock.wall += DAY
        for status, page in (await seen(face), await sent(face, form={"length": "14d", "reason": "more"})):
            assert status == 200
            assert "experiment-1 is kept until 2026-03-31 20:00 (Asia/Shanghai)" in page.text
            assert "This link was used on 2026-03-01 20:00" in page.text
        face.clock.wall += 30 * DAY
        assert "was kept until 2026-03-31 20:00" in (await seen(face))[1].text
    assert len(await granted(journal)) == 1


async def test_two_requests_at_once_grant_once(scene: Scene, journal: InMemoryJournal) -> None:
    """Both are told the same end."""
    async with scene.open() as face:
        answers = await asyncio.gather(*(sent(face, form=ANSWERED | {"reason": f"reason {number}"}) for number in range(8)))
    assert {status for status, _ in answers} == {200}
    assert all("is kept until 2026-03-31 20:00" in page.text for _, page in answers)
    assert len(await granted(journal)) == 1


async def test_a_revoked_exemption_is_shown_and_not_granted_again(scene: Scene, journal: InMemoryJournal) -> None:
    """The people who run nbsweep have the last word."""
    async with scene.open() as face:
        await sent(face)
        await journal.exemptions.revoke(exemption_id_of(MARK.id), NOON, "carol")
        for _, page in (await seen(face), await sent(face)):
            assert "experiment-1 is not kept any more" in page.text
            assert "by carol" in page.text
    assert [each.in_force(NOON) for each in await granted(journal)] == [False]


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"length": "30d", "reason": "  "}, "Say in one line"),
        ({"length": "30d"}, "Say in one line"),
        ({"length": "30d", "reason": "x" * 501}, "Say in one line"),
        ({"reason": "a paper"}, "Choose until when"),
        ({"length": "31d", "reason": "a paper"}, "Choose until when"),
        ({"length": "0d", "reason": "a paper"}, "Choose until when"),
        ({"length": "9999999999d", "reason": "a paper"}, "Choose until when"),
        ({"length": "-1d", "reason": "a paper"}, "Choose until when"),
        ([("length", "30d"), ("length", "14d"), ("reason", "a paper")], "Choose until when"),
        (b"\xff", "Choose until when"),
        (b"reason=%ff&length=30d", "Choose until when"),
        ({}, "Choose until when"),
    ],
)
async def test_a_form_that_is_not_filled_in_well_is_shown_again(
    scene: Scene, journal: InMemoryJournal, form: object, problem: str
) -> None:
    """With what is wrong; nothing is granted."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with scene.open() as face:
        status, page = await sent(face, form=form, headers=headers)
    assert status == 400
    assert problem in page.text
    assert page.lengths == ["14d", "30d"]
    assert await granted(journal) == ()


async def test_what_was_typed_is_not_lost(scene: Scene) -> None:
    """It is text, whatever it holds."""
    typed = {"length": "14d", "reason": '"><script>alert(1)</script>' + "x" * 500}
    async with scene.open() as face:
        _, page = await sent(face, form=typed)
    [reason] = [each["value"] for each in page.all("input") if each["type"] == "text"]
    assert reason == typed["reason"]
    assert [each["value"] for each in page.all("input") if "checked" in each] == ["14d"]
    assert page.all("script") == []


FORGERIES = {
    "empty": "/keep/x",
    "another key": f"/keep/{sign_link(keep_link('mark1', MARK.notebook_created_at, DEADLINE), b'o' * 32)}",
    "altered": f"{LINK[:-1]}{'A' if LINK[-1] != 'A' else 'B'}",
    "cut": LINK[:-10],
    "an unknown mark": link(replace(MARK, id="unknown")),
    "another instance": link(replace(MARK, notebook_created_at=NOON)),
    "letters": "/keep/%E4%BF%9D%E7%95%99",
    "long": f"/keep/{'a' * 3000}",
}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_all_that_nobody_has_offered_gets_the_same_answer(scene: Scene, journal: InMemoryJournal, method: str) -> None:
    """404, whatever is wrong with it, so that nobody learns anything; the journal is asked only for what is signed."""
    answers = set()
    async with scene.open() as face:
        for path in FORGERIES.values():
            face.clock.seconds += 60
            async with face.session.request(
                method, f"{face.url}{path}", data=ANSWERED if method == "POST" else None
            ) as response:
                headers = tuple(sorted((key, value) for key, value in response.headers.items() if key != "Date"))
                answers.add((response.status, await response.text(), headers))
    [(status, text, _)] = answers
    assert status == 404
    assert "This link is not valid" in text
    assert await granted(journal) == ()


async def test_guessing_is_slowed_down_and_valid_links_are_not(scene: Scene) -> None:
    """Behind a proxy all share one address."""
    async with scene.open() as face:
        for _ in range(5):
            assert (await seen(face, FORGERIES["altered"]))[0] == 404
        async with face.session.get(f"{face.url}{FORGERIES['cut']}") as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "60")
        assert (await seen(face))[0] == 200
        face.clock.seconds += 60
        assert (await seen(face, FORGERIES["altered"]))[0] == 404


@pytest.mark.parametrize(
    ("mark", "status", "title"),
    [
        (replace(MARK, state=MarkState.CLEARED, cleared=ClearCause.USED), 200, "experiment-1 is no longer to be deleted"),
        (replace(MARK, state=MarkState.REMOVED, run_id="run1"), 200, "experiment-1 was deleted"),
    ],
)
async def test_a_link_of_a_mark_that_has_ended_grants_nothing(mark: Mark, status: int, title: str) -> None:
    """It says what became of the notebook."""
    journal = InMemoryJournal()
    await journal.marks.write([mark])
    async with Scene(journal=journal, pages=PAGES).open() as face:
        for found, page in (await seen(face), await sent(face)):
            assert (found, title in page.text) == (status, True)
            assert page.all("form") == []
    assert await granted(journal) == ()


async def test_a_notebook_that_is_still_there_after_its_deadline_can_be_kept(scene: Scene, journal: InMemoryJournal) -> None:
    """For two weeks; then the link has expired."""
    async with scene.open() as face:
        face.clock.wall = DEADLINE + 14 * DAY
        for status, page in (await seen(face), await sent(face)):
            assert status == 410
            assert "This link has expired" in page.text
        assert await granted(journal) == ()
        face.clock.wall -= timedelta(seconds=1)
        assert (await sent(face))[0] == 200
    assert len(await granted(journal)) == 1


class LateJournal(InMemoryJournal):
    """A journal in which a DELETE is requested right before a grant is stored."""

    late: Removal | None = None

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """Answer first without the DELETE, as it was before the grant."""
        found = await super().removals_of(notebook_id)
        if self.late:
            await self.write([self.late])
            self.late = None
        return found


@pytest.mark.parametrize("state", [State.REQUESTED, State.ACCEPTED])
async def test_it_is_too_late_once_the_delete_was_requested(scene: Scene, journal: InMemoryJournal, state: State) -> None:
    """409; the page says when, and grants nothing."""
    started = removal(state=state, requests=1, project=MARK.project, planned_at=NOON, requested_at=NOON)
    await journal.write([started])
    async with scene.open() as face:
        for status, page in (await seen(face), await sent(face)):
            assert status == 409
            assert "It is too late for experiment-1" in page.text
            assert "requested on 2026-03-01 20:00 (Asia/Shanghai)" in page.text
    assert await granted(journal) == ()


async def test_a_delete_that_was_requested_just_before_the_grant_is_told() -> None:
    """The exemption is on record, and says what it is good for; the mark is left to the sweep."""
    journal = LateJournal()
    await journal.marks.write([MARK])
    journal.late = removal(state=State.REQUESTED, requests=1, project=MARK.project, planned_at=NOON, requested_at=NOON)
    async with Scene(journal=journal, pages=PAGES).open() as face:
        status, page = await sent(face)
    assert status == 409
    assert "It is too late for experiment-1" in page.text
    assert "Only if the cloud fails to delete it, it is kept until 2026-03-31 20:00" in page.text
    assert len(await granted(journal)) == 1
    assert [mark.open for mark in await journal.marks.marks_of("nb1")] == [True]


class BrokenJournal(InMemoryJournal):
    """A journal that cannot be read."""

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """Fail."""
        raise JournalError(f"no disk for {notebook_id}")


async def test_without_the_journal_the_page_says_so() -> None:
    """503, in the language of the reader, and without details."""
    journal = BrokenJournal()
    await journal.marks.write([MARK])
    async with Scene(journal=journal, pages=PAGES).open() as face:
        status, page = await seen(face)
        assert (status, "Please try again later" in page.text, "no disk" in page.text) == (503, True, False)
        assert "请稍后再试" in (await sent(face, headers=CHINESE))[1].text


async def test_the_pages_are_in_the_language_of_the_browser(scene: Scene) -> None:
    """English and Chinese; the answer says which."""
    async with scene.open() as face:
        async with face.session.get(f"{face.url}{LINK}", headers=CHINESE) as response:
            text = await response.text()
            assert (response.headers["Content-Language"], response.headers["Vary"]) == ("zh-CN", "Accept-Language")
        assert '<html lang="zh-CN">' in text
        assert "要保留 experiment-1 吗？" in text
        assert "将保留至 2026-03-31 20:00" in (await sent(face, headers=CHINESE))[1].text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", Language.ENGLISH),
        ("zh", Language.CHINESE),
        ("zh-Hans-CN, en;q=0.5", Language.CHINESE),
        ("en-GB,en;q=0.9,zh;q=0.8", Language.ENGLISH),
        ("fr, zh;q=0.3, en;q=0.2", Language.CHINESE),
        ("zh;q=0, en;q=0.1", Language.ENGLISH),
        ("fr, de;q=0.9", Language.ENGLISH),
        ("*;q=1, ,;q=,zh;q=7", Language.ENGLISH),
    ],
)
def test_the_preferred_language_of_a_browser(accepted: str, language: Language) -> None:
    """By quality, and then by order; what is malformed does not count."""
    assert preferred_language(accepted, Language.ENGLISH) is language


async def test_names_are_text_and_one_line() -> None:
    """Other people choose them."""
    hostile = "</title><script>alert(1)</script>{name}\u202e\n<img src=x>"
    journal = InMemoryJournal()
    await journal.marks.write([replace(MARK, name=hostile, owner_name=hostile, reason=hostile)])
    async with Scene(journal=journal, pages=PAGES).open() as face:
        pages = [await seen(face), await sent(face), await seen(face, headers=CHINESE)]
    for _, page in pages:
        assert page.all("script") == page.all("img") == []
        assert "<script>alert(1)</script>{name}\ufffd <img src=x>" in page.text


async def test_a_notebook_whose_name_is_only_blanks_is_called_by_its_id() -> None:
    """The sentence would begin with nothing."""
    journal = InMemoryJournal()
    await journal.marks.write([replace(MARK, name=" \n\t ")])
    async with Scene(journal=journal, pages=PAGES).open() as face:
        (_, offered), (_, kept) = await seen(face), await sent(face)
    assert "Keep nb1?" in offered.text
    assert "nb1 is kept until" in kept.text


async def test_every_answer_has_the_headers_that_keep_the_link_to_itself(scene: Scene) -> None:
    """No other site learns the link, frames the page, or has a script run on it."""
    async with scene.open() as face:
        for path in (LINK, "/keep/x", "/keep/style.css", "/keep/a/b", "/keep/"):
            async with face.session.get(f"{face.url}{path}") as response:
                assert response.headers["Referrer-Policy"] == "no-referrer"
                assert response.headers["Cache-Control"] == "no-store"
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                policy = response.headers["Content-Security-Policy"]
                assert policy == (
                    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
                )


async def test_a_page_needs_nothing_but_its_style_sheet(scene: Scene) -> None:
    """No script, no inline style, nothing from elsewhere; it fits a telephone."""
    async with scene.open() as face:
        _, page = await seen(face)
        [sheet] = page.all("link")
        async with face.session.get(f"{face.url}/keep/{sheet['href']}") as response:
            assert (response.status, response.content_type) == (200, "text/css")
    assert page.all("script") == page.all("style") == page.all("img") == []
    assert not any("style" in attributes or "onclick" in attributes for _, attributes in page.tags)
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "nbsweep.example.com"}, 200),
        ({"Host": "NBSWEEP.example.com:443"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "nbsweep.example.com.evil.example"}, 403),
        ({"Origin": "null"}, 200),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://nbsweep.example.com"}, 200),
        ({"Origin": "https://nbsweep.example.com", "Host": "127.0.0.1:9464", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://nbsweep.example.com"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_the_button_works_on_our_own_page_only(
    scene: Scene, journal: InMemoryJournal, headers: dict[str, str], status: int
) -> None:
    """A page without referrer sends the origin `null`; Fetch Metadata then says where the form is."""
    async with scene.open() as face:
        answer, _ = await face.ask("POST", LINK, data=ANSWERED, headers=headers)
    assert answer == status
    assert len(await granted(journal)) == (status == 200)


async def test_the_host_of_the_links_opens_nothing_else(scene: Scene) -> None:
    """A proxy in front of loopback must not show the API, which needs no token there."""
    async with scene.open() as face:
        for path in ("/api/v1/targets", "/metrics", "/", "/keep", "/keep/../api/v1/targets", "/keep/%2e%2e/api/v1/targets"):
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(face.url).port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: nbsweep.example.com\r\nConnection: close\r\n\r\n".encode())
            answer = (await reader.read()).decode()
            writer.close()
            await writer.wait_closed()
            assert answer.split()[1] in ("403", "404"), path
            assert "phase" not in answer


async def test_without_links_there_are_no_pages(journal: InMemoryJournal) -> None:
    """404 for the address of a page, and the token of the API for a POST, as everywhere."""
    async with Scene(journal=journal).open() as face:
        assert (await face.ask("GET", LINK))[0] == 404
        assert (await face.ask("POST", LINK, data=ANSWERED))[0] == 403
    assert await granted(journal) == ()


class FaultyJournal(InMemoryJournal):
    """A journal with a bug."""

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """Fail."""
        raise RuntimeError(f"a bug with {notebook_id}")


async def test_no_log_line_holds_a_token() -> None:
    """Of a bug, or of a request that is refused."""
    journal = FaultyJournal()
    await journal.marks.write([MARK])
    scene = Scene(journal=journal, pages=PAGES)
    async with scene.open() as face:
        assert (await face.error("GET", LINK))[0] == 500
        await face.ask("POST", LINK, data=ANSWERED, headers={"Host": "evil.example"})
        await face.ask("GET", f"/x{LINK}")
    [failed] = scene.telemetry.of(WebFailed)
    assert (failed.path, failed.problem) == ("/keep/***", "RuntimeError: a bug with nb1")
    assert LINK.rpartition("/")[2] not in str(scene.telemetry.records)
