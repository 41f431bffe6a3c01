from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from nbsweep.core.errors import Unreachable
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.routing import local_path
from nbsweep.testing import InMemoryJournal
from unit.service.web.pages.reading import BROWSER, Element, see
from unit.service.web.support import BEARER, FakeControl, Scene, token_file

ELSEWHERE = "192.0.2.1:9464"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/nowhere", 404), ("/?a=b", 400)])
async def test_every_page_has_the_frame_and_the_headers(path: str, status: int) -> None:
    """A language, one heading, landmarks, a skip link that leads somewhere, the search field; errors too."""
    async with Scene().open() as face:
        seen = await see(face, path)
        assert seen.status == status
        assert seen.headers["Content-Security-Policy"] == POLICY
        assert seen.headers["Referrer-Policy"] == "no-referrer"
        assert seen.headers["X-Content-Type-Options"] == "nosniff"
        assert seen.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert seen.headers["Cache-Control"] == "no-store"
        page = seen.page
        assert page.only("html").attributes["lang"] == "en"
        assert page.only("title").words == f"{seen.heading} – nbsweep"
        assert len(page.all("header")) == len(page.all("main")) == len(page.all("footer")) == 1
        skip = page.all("a")[0].attributes["href"]
        assert skip == f"#{page.only('main').attributes['id']}"
        assert [each.attributes.get("name") for each in page.all("input") if each.attributes["type"] == "search"] == ["q"]
        assert not [each for each in page.all("script") if each.words]
        assert page.all("style") == []
        assert 'style="' not in seen.source


async def test_headings_follow_each_other_in_order() -> None:
    """None is left out on the way down."""
    async with Scene().open() as face:
        page = (await see(face, "/")).page
        levels = [int(each.tag[1]) for each in walk(page) if each.tag in ("h1", "h2", "h3", "h4")]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def walk(element: Element) -> Iterator[Element]:
    """Return all elements in the order of the page."""
    for child in element.children:
        yield child
        yield from walk(child)


async def test_the_navigation_marks_the_page_that_is_shown() -> None:
    """For eyes and for screen readers."""
    async with Scene().open() as face:
        marked = [each for each in (await see(face, "/")).page.only("nav").all("a") if "aria-current" in each.attributes]
        assert [(each.words, each.attributes["href"]) for each in marked] == [("Fleet", "/")]


async def test_what_is_not_there_is_a_page_for_browsers_and_json_for_programs() -> None:
    """Whoever asks for HTML gets it, except from the API."""
    async with Scene().open() as face:
        assert (await see(face, "/nowhere")).heading == "There is nothing here"
        assert (await face.error("GET", "/nowhere"))[:2] == (404, "not-found")
        assert (await face.error("GET", "/api/v1/nowhere", headers=BROWSER))[:2] == (404, "not-found")


async def test_the_style_and_the_script_may_be_kept_for_ever() -> None:
    """Their names change with their content; what has another name is not there."""
    async with Scene().open() as face:
        page = (await see(face, "/")).page
        addresses = [each.attributes["href"] for each in page.all("link")] + [page.only("script").attributes["src"]]
        kinds = []
        for address in addresses:
            async with face.session.get(face.url + address) as response:
                assert response.status == 200
                assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                kinds.append(response.content_type)
                assert len(await response.read()) < 12_000
        assert kinds == ["text/css", "image/svg+xml", "text/javascript"]
        assert (await see(face, "/static/style.css")).status == 404
        assert (await see(face, "/static/style.000000000000.css")).status == 404


async def test_elsewhere_a_page_needs_a_token_and_its_files_do_not(tmp_path: Path) -> None:
    """The style says nothing about notebooks; on loopback reading is free."""
    async with Scene(listen=ELSEWHERE, token_file=token_file(tmp_path)).open() as face:
        refused = await see(face, "/")
        assert (refused.status, refused.headers["Location"], refused.source) == (303, "/sign-in?next=%2F", "")
        seen = await see(face, "/", headers=BEARER)
        assert seen.status == 200
        wrong = await see(face, "/", headers={"Authorization": "Bearer wrong"})
        assert (wrong.status, wrong.heading) == (401, "Sign in first")
        assert "research" not in wrong.source
        style = seen.page.all("link")[0].attributes["href"]
        assert (await face.ask("GET", style))[0] == 200


async def test_the_language_is_chosen_by_a_form_and_kept_in_a_cookie() -> None:
    """The browser comes back to where it was; the cookie goes before Accept-Language."""
    async with Scene().open() as face:
        seen = await see(face, "/language", "POST", data={"language": "zh", "next": "/?a"}, headers={"Origin": face.url})
        assert (seen.status, seen.headers["Location"]) == (303, "/?a")
        cookie = seen.headers["Set-Cookie"]
        assert all(part in cookie for part in ("nbsweep-language=zh", "HttpOnly", "SameSite=Lax", "Path=/"))
        assert (await see(face, "/", headers={"Cookie": "nbsweep-language=zh"})).heading == "总览"
        both = {"Cookie": "nbsweep-language=en", "Accept-Language": "zh"}
        assert (await see(face, "/", headers=both)).heading == "Fleet"
        unknown = {"Cookie": "nbsweep-language=fr", "Accept-Language": "zh"}
        assert (await see(face, "/", headers=unknown)).heading == "总览"
        wrong = await see(face, "/language", "POST", data={"language": "fr"}, headers={"Origin": face.url})
        assert (wrong.status, wrong.heading) == (400, "The request is not valid")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/", "/"),
        ("/plan?target=a&sort=size", "/plan?target=a&sort=size"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/\tb", "/"),
    ],
)
def test_no_form_leads_to_another_site(text: str, path: str) -> None:
    """Only paths of this service are taken."""
    assert local_path(text) == path


async def test_a_form_with_an_unknown_field_is_refused() -> None:
    """A misspelled field is told, and not ignored."""
    async with Scene().open() as face:
        seen = await see(face, "/language", "POST", data={"language": "zh", "nxt": "/"}, headers={"Origin": face.url})
        assert seen.status == 400


async def test_an_error_says_what_to_do_in_the_language_of_the_page() -> None:
    """What happened follows."""
    async with Scene().open() as face:
        seen = await see(face, "/nonesuch", headers={"Accept-Language": "zh-CN"})
        first, second = seen.content.all("p")[:2]
        assert (seen.status, first.words) == (404, "地址有误，或所指的内容已不存在。可按名称或 ID 查找 Notebook。")
        assert (second.words, second.attributes["class"]) == ("未找到；GET /api/v1/openapi.json 可列出 API 的地址", "hint")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/?a=b", 400, "未知的查询参数；此页面不接受查询参数"),
        ("/history?days=7", 400, "未知的查询参数；此页面接受："),
        ("/marks?page=0", 400, "page 必须是从 1 开始的整数"),
        ("/history?outcome=lost", 400, "outcome 必须是以下之一："),
        ("/history?target=%0a-", 400, "target 只能包含字母、数字、“.”、“_”和“-”"),
        ("/audit?before=x", 400, "before 必须是 1 到 999999999 的整数"),
        ("/history/nowhere", 404, "日志中没有此运行；“历史”页面列出了最近的运行"),
        ("/plan/nowhere", 404, "没有此名称的目标；"),
        ("/plan/approved/nowhere", 404, "没有此 ID 的已批准计划"),
    ],
)
async def test_an_error_says_what_happened_in_the_language_of_the_page(path: str, status: int, said: str) -> None:
    """Nothing on the page is marked as English."""
    async with Scene(journal=InMemoryJournal()).open() as face:
        seen = await see(face, path, headers={"Accept-Language": "zh-CN"})
        assert seen.status == status
        assert said in seen.content.words
        assert [
            each.words for tag in ("p", "bdi") for each in seen.content.all(tag) if each.attributes.get("lang") == "en"
        ] == []


async def test_an_error_of_the_cloud_stays_in_its_words(tmp_path: Path) -> None:
    """Marked as English."""
    control = FakeControl()
    control.error = Unreachable("the cloud cannot be reached")
    async with Scene(control, journal=InMemoryJournal(), token_file=token_file(tmp_path)).open() as face:
        seen = await see(face, "/plan/research", "POST", headers={"Accept-Language": "zh-CN", "Origin": face.url, **BEARER})
        assert seen.status == 502
        [words] = [each for each in seen.content.all("p") if each.attributes.get("lang") == "en"]
        assert "the cloud cannot be reached" in words.words


def test_programs_get_the_message_in_english_with_plain_values() -> None:
    """Numbers have no separators, and lists commas."""
    refused = Refused(Code.CONFLICT, message("%(key)s: %(most)s of %(choices)s", key="page", most=1000, choices=("a", "b")))
    assert str(refused) == "page: 1000 of a, b"
    assert refused.message == message("%(key)s: %(most)s of %(choices)s", key="page", most=1000, choices=("a", "b"))
