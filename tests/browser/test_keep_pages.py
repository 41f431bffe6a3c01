"""The pages of one-time links, which owners open from a message: the same rules as for all others, in a browser."""

import pytest

from browser.conftest import Windows
from browser.watching import Watched
from browser.world import TELLTALE, World

LOCALES = {"en": "en-GB", "zh-CN": "zh-CN"}
PAGES = {
    "open": ("", 200),
    "used": ("used", 200),
    "broken": ("/keep/no-link-at-all", 404),
}
"""A link that may be used, one that was used, and one that nobody has offered: path to status; empty for the first open one."""


def path_of(world: World, kind: str) -> str:
    """Return the path of a page."""
    return {"": world.open_links[0], "used": world.used_link}.get(PAGES[kind][0], PAGES[kind][0])


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("kind", PAGES)
def test_the_page_of_a_link_is_without_fault(world: World, window: Windows, kind: str, language: str) -> None:
    """Within the policy, axe-core finds nothing, and it fits: light and dark, wide and narrow; it has no script at all."""
    opened = window(world, locale=LOCALES[language])
    assert opened.open(path_of(world, kind)) == PAGES[kind][1]
    assert opened.tab.locator("html").get_attribute("lang") == language
    assert opened.tab.locator("script").count() == 0
    opened.assert_faultless()


def test_names_of_others_are_text_whatever_they_hold(world: World, window: Windows) -> None:
    """One page for each hostile name; none of them became an element, or makes the page wider."""
    seen = ""
    for link in world.open_links:
        opened = window(world)
        assert opened.open(link) == 200
        seen += opened.tab.locator("main").inner_text()
        opened.assert_faultless()
    assert TELLTALE in seen


@pytest.mark.parametrize("language", LOCALES)
def test_what_is_wrong_with_the_form_is_told_on_it(world: World, window: Windows, language: str) -> None:
    """A reason of blanks: nothing is kept, and the page is without fault."""
    opened = window(world, locale=LOCALES[language])
    opened.open(world.open_links[1])
    submit(opened, "   ")
    opened.tab.get_by_role("alert").wait_for()
    assert opened.tab.locator("#reason").input_value().strip() == ""
    opened.assert_faultless()


def submit(window: Watched, reason: str) -> None:
    """Choose the first length, and send the form by the keyboard."""
    window.tab.locator("input[type=radio]").first.check()
    window.tab.locator("#reason").fill(reason)
    window.tab.keyboard.press("Enter")
