"""The section about workers, accounts and due sweeps, which the page Fleet has where a fleet of processes sweeps."""

import pytest

from browser.conftest import Windows
from browser.fleet_of_processes import Served, idle_fleet, serving_fleet
from browser.world import TELLTALE
from nbsweep.service.web.pages.views.processes import SERVES, WORKERS

LOCALES = {"en": "en-GB", "zh-CN": "zh-CN"}
SECTION = "section[aria-labelledby=processes]"


@pytest.mark.parametrize("language", LOCALES)
def test_the_page_of_a_fleet_is_without_fault(fleet_world: Served, window: Windows, language: str) -> None:
    """Nothing on the console, within the policy, axe-core finds nothing, and it fits: light and dark, wide and narrow."""
    opened = window(fleet_world, locale=LOCALES[language])
    assert opened.open("/") == 200
    assert opened.tab.locator("html").get_attribute("lang") == language
    assert opened.tab.locator(SECTION).count() == 1
    opened.assert_faultless()


def test_the_page_shows_every_part_of_a_fleet(fleet_world: Served, window: Windows) -> None:
    """So that what is held here is all that there is: problems, the four tables, and a service and a worker in each state."""
    opened = window(fleet_world)
    opened.open("/")
    section = opened.tab.locator(SECTION)
    assert section.locator(".note.bad li").count() > 3
    assert section.locator("table").count() == 4
    shown = section.inner_text()
    for state in (*SERVES.values(), *WORKERS.values()):
        assert state.text in shown
    for words in (
        "differs",
        "being swept",
        "its worker reports nothing",
        "waits for a worker",
        "tried again later",
        "1 job waits",
        TELLTALE,
    ):
        assert words in shown, words


def test_an_idle_fleet_is_without_fault(window: Windows) -> None:
    """Without workers, leader and jobs the section says what to do."""
    with serving_fleet(idle_fleet()) as served:
        opened = window(served)
        assert opened.open("/") == 200
        assert "Start one with nbsweep worker." in opened.tab.locator(SECTION).inner_text()
        opened.assert_faultless()
