import pytest
from playwright.sync_api import Route

from browser.addresses import address, file_paths, page_paths, routes
from browser.conftest import Windows
from browser.world import OWNER, TELLTALE, World
from nbsweep.service.web.access.visitors import Needs

LOCALES = {"en": "en-GB", "zh-CN": "zh-CN"}
NAMELESS = frozenset({"/plan", "/backtest", "/notebooks", "/sign-in", "/exemptions/new", "/audit/verify"})
"""Pages that show no name, tag or reason of anybody."""
FURTHER = {
    "/history?since=300d&outcome=failed&page=2": 200,
    "/history?target=nowhere": 200,
    "/marks?page=9": 200,
    "/notebooks?q=announced": 200,
    "/notebooks?q=%3Cb%3Enobody": 200,
    "/notebooks/kept-right-to-left": 200,
    "/notebooks/deleted-long": 200,
    "/notebooks/kept-blank": 200,
    "/plan/other": 200,
    "/exemptions?state=ended": 200,
    "/history?since=soon": 400,
    "/history/20260101T000000Z-abcdef": 404,
    "/no/such/page": 404,
}
"""Pages with filters, and pages of mistakes: address to status."""


def visitor_of(path: str) -> str:
    """Return who sees most on a page: an administrator, or the owner on the page of their own notebooks."""
    return OWNER if routes()[path] is Needs.PERSON else "admin"


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("path", page_paths())
def test_a_page_is_without_fault(world: World, window: Windows, path: str, language: str) -> None:
    """Nothing on the console, within the policy, axe-core finds nothing, and it fits: light and dark, wide and narrow."""
    opened = window(world, visitor_of(path), locale=LOCALES[language])
    assert opened.open(address(path, world.parts)) == 200
    assert opened.tab.locator("html").get_attribute("lang") == language
    opened.assert_faultless()


@pytest.mark.parametrize("path", page_paths())
def test_a_page_is_without_fault_also_without_its_script(world: World, window: Windows, path: str) -> None:
    """Everything on it is there from the start. axe-core is a script itself, so only those of the page are held back."""
    opened = window(world, visitor_of(path))
    held_back: list[str] = []

    def hold_back(route: Route) -> None:
        held_back.append(route.request.url)
        route.fulfill(body="", content_type="text/javascript")

    opened.tab.context.route("**/*.js*", hold_back)
    assert opened.open(address(path, world.parts)) == 200
    assert held_back
    opened.assert_faultless()


@pytest.mark.parametrize("path", [path for path in page_paths() if "{" not in path and routes()[path] is Needs.READING])
def test_a_page_of_a_service_that_has_done_nothing_yet_is_without_fault(new_world: World, window: Windows, path: str) -> None:
    """It says why it is empty, and has no part that leads nowhere."""
    opened = window(new_world)
    assert opened.open(path) == 200
    assert opened.tab.locator("main p").count() > 0
    opened.assert_faultless()


@pytest.mark.parametrize(("path", "status"), FURTHER.items())
def test_a_page_with_filters_or_of_a_mistake_is_without_fault(world: World, window: Windows, path: str, status: int) -> None:
    """The same holds for what is found by filters, and for what cannot be shown."""
    opened = window(world)
    assert opened.open(path) == status
    opened.assert_faultless()


@pytest.mark.parametrize("path", [path for path in page_paths() if path not in NAMELESS])
def test_a_page_shows_texts_of_other_people_as_they_are(world: World, window: Windows, path: str) -> None:
    """Markup in a name is text on each page that shows names; `problems` holds that nothing of it became an element."""
    opened = window(world, visitor_of(path))
    opened.open(address(path, world.parts))
    assert TELLTALE in opened.tab.locator("main").inner_text()


@pytest.mark.parametrize("path", file_paths())
def test_what_is_no_page_is_a_file_to_save(world: World, window: Windows, path: str) -> None:
    """So no page escapes these tests by an address that looks like that of a file."""
    opened = window(world, "admin")
    response = opened.tab.request.get(address(path, world.parts))
    assert response.status == 200
    assert response.headers["content-disposition"].startswith("attachment")
    assert "html" not in response.headers["content-type"]
