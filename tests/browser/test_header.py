"""The header on a phone: few lines, and nothing of it is hidden."""

import pytest

from browser.conftest import Windows
from browser.world import World

LOCALES = {"en": "en-GB", "zh-CN": "zh-CN"}
PHONE = {"width": 360, "height": 800}


@pytest.mark.parametrize("language", LOCALES)
def test_the_header_takes_four_lines_on_a_phone(world: World, window: Windows, language: str) -> None:
    """Who is signed in, beside the name of the program; two lines of links, all of which show; and the search."""
    opened = window(world, "admin", locale=LOCALES[language], viewport=PHONE)
    opened.open("/")
    header = opened.tab.locator("header.top")
    places = [link.bounding_box() for link in header.locator("nav a").all()]
    assert len({place["y"] for place in places if place}) == 2
    assert all(place and place["x"] >= 0 and place["x"] + place["width"] <= PHONE["width"] for place in places)
    brand, leave = header.locator(".brand").bounding_box(), header.get_by_role("button").first.bounding_box()
    assert brand
    assert leave
    assert leave["y"] < brand["y"] + brand["height"]
    assert brand["y"] < leave["y"] + leave["height"]
    whole = header.bounding_box()
    assert whole
    assert whole["height"] < 200
