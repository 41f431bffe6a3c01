"""Draws a bar for the row of a table, whose figures stand beside it."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from nbsweep.charts.drawing import add, finish, percent
from nbsweep.charts.model import Tone
from nbsweep.charts.plot import OPACITY

HEIGHT_PX = 12


def strip(parts: Sequence[tuple[Tone, int]], largest: int) -> str:
    """Return a bar as SVG, as long as its sum is in relation to `largest`; screen readers pass it over."""
    root = Element("svg", {"class": "chart-strip", "aria-hidden": "true", "width": "100%", "height": f"{HEIGHT_PX}"})
    root.set("xmlns", "http://www.w3.org/2000/svg")
    before = 0
    for tone, value in parts:
        if value:
            place = {"x": percent(100 * before / largest), "width": percent(100 * value / largest)}
            add(root, "rect", tone, y=0, height=HEIGHT_PX, fill_opacity=OPACITY[tone], **place)
            before += value
    return finish(root)
