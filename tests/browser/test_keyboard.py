"""The pages by the keyboard alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from acceptance.support import eventually, idle
from browser.addresses import address, page_paths
from browser.conftest import Windows
from browser.test_every_page import visitor_of
from browser.watching import CHECKS
from browser.world import TOKENS, World

FOCUSED = (CHECKS / "focused.js").read_text(encoding="utf-8")
REACHABLE = (CHECKS / "reachable.js").read_text(encoding="utf-8")
MOST_TABS = 600
NAME_OF_FOCUSED = """
() => { const each = document.activeElement; return (each.labels?.[0] ?? each).innerText?.trim() ?? ""; }
"""


@pytest.mark.parametrize("path", page_paths())
def test_the_tab_key_goes_through_a_page_in_its_order(world: World, window: Windows, path: str) -> None:
    """It reaches everything that can be used, the skip link first, each with a visible outline, and is caught nowhere."""
    opened = window(world, visitor_of(path), reduced_motion="reduce")
    opened.open(address(path, world.parts))
    expected = opened.tab.evaluate(REACHABLE)
    reached: list[str] = []
    for _ in range(MOST_TABS):
        opened.tab.keyboard.press("Tab")
        focused = opened.tab.evaluate(FOCUSED)
        if focused is None:
            break
        assert focused["fault"] == "", f"{focused['name']} {focused['fault']}"
        if reached[-1:] != [focused["name"]]:  # a field for a date has several parts
            reached.append(focused["name"])
    assert reached == expected
    assert "skip" in reached[0]


def test_the_skip_link_leads_past_the_navigation(world: World, window: Windows) -> None:
    """After it, the next thing is in the content."""
    opened = window(world)
    opened.open("/history")
    opened.tab.keyboard.press("Tab")
    opened.tab.keyboard.press("Enter")
    opened.tab.wait_for_url("**#*")
    opened.tab.keyboard.press("Tab")
    assert opened.tab.evaluate("document.activeElement.closest('main') !== null")


def go_to(tab: Page, name: str) -> None:
    """Press the Tab key until something with this name has the focus."""
    for _ in range(MOST_TABS):
        tab.keyboard.press("Tab")
        if tab.evaluate(NAME_OF_FOCUSED).startswith(name):
            return
    raise AssertionError(f"the Tab key does not reach {name}")


def test_everything_is_done_by_the_keyboard_alone(changing: Callable[..., World], window: Windows) -> None:
    """Signing in, pausing, finding a notebook, keeping it, changing the language, and signing out."""
    world = changing(idle("nb-1", name="bert-eval"), idle("nb-2", name="other"))
    opened = window(world)
    tab, keys = opened.tab, opened.tab.keyboard
    opened.open("/")
    go_to(tab, "Sign in")
    keys.press("Enter")
    tab.wait_for_url("**/sign-in*")
    go_to(tab, "API token")
    keys.type(TOKENS["admin"])
    keys.press("Enter")
    tab.get_by_text("admin-wei").wait_for()

    go_to(tab, "Pause")
    keys.press("Enter")
    go_to(tab, "How long")
    keys.press("ArrowDown")
    go_to(tab, "Why, for the record")
    keys.type("moving house")
    keys.press("Enter")
    tab.locator(".flash").wait_for()
    assert "moving house" in tab.locator("#fleet").inner_text()

    go_to(tab, "Find a notebook")
    keys.type("nb-1")
    keys.press("Enter")
    tab.wait_for_url("**/notebooks?q=nb-1")
    go_to(tab, "Ask the cloud")
    keys.press("Enter")
    tab.wait_for_url("**/notebooks/nb-1")
    go_to(tab, "Keep it")
    keys.press("Enter")
    tab.wait_for_url("**/exemptions/new*")
    go_to(tab, "Last day")
    keys.type(f"{datetime.now(UTC) + timedelta(days=10):%m%d%Y}")  # in the order of en-US
    go_to(tab, "Reason")
    keys.type("the paper is due")
    keys.press("Enter")
    tab.locator(".flash").wait_for()
    assert eventually(lambda: "the paper is due" in world.desk.run("exempt", "list").out, "the exemption is there")

    go_to(tab, "中文")
    keys.press("Enter")
    tab.locator("html[lang=zh-CN]").wait_for()
    go_to(tab, "退出")
    keys.press("Enter")
    tab.wait_for_url("**/sign-in")
    opened.assert_faultless()
