"""Charts as SVG: where everything stands, by values worked out by hand, and what the SVG never has."""

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbsweep.charts.bars import bar_chart
from nbsweep.charts.histogram import histogram
from nbsweep.charts.model import BarChart, Heading, Histogram, Series, Share, ShareChart, SharePoint, Tone
from nbsweep.charts.shares import share_chart

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "]]>&amp;&#0;<!--",
    "\u202egnp.exe\u2066",
    "a\x00b\x1b[31m\ufffe\ud800",
    "نص من اليمين إلى اليسار",
    "x" * 3000,
    "",
)
HEADING = Heading("ends", "Removals by day", "15 removals ended on 1 March.")


def bars(*labels: str, heading: Heading = HEADING) -> str:
    """Return a chart of two series; the first bar is 12 and 3, each other one 3 and 0."""
    others = len(labels) - 1
    series = [Series("deleted", Tone.GOOD, [12, *[3] * others]), Series("failed", Tone.BAD, [3, *[0] * others])]
    return bar_chart(BarChart(heading, labels, series))


def shares(label: str = "7d", heading: Heading = HEADING, limit_label: str = "limit 5%") -> str:
    """Return a chart of four points, the second of which has no share."""
    known = [Share(0.12, 0.08, 0.17), None, Share(0.02, 0.01, 0.04), Share(0.0, 0.0, 0.03)]
    labels = [label, "14d", "30d", "60d"]
    points = [SharePoint(*each) for each in zip(labels, known, strict=True)]
    return share_chart(ShareChart(heading, points, 0.05, limit_label))


def durations(label: str = "0 s", heading: Heading = HEADING) -> str:
    """Return a histogram of three bins, the second of which is empty."""
    return histogram(Histogram(heading, [label, "10 s", "20 s", "30 s"], [8, 0, 2]))


def of_kind(chart: str, tag: str, kind: str = "") -> list[Element]:
    """Return the elements of a tag and a class, in their order; "" stands for any class."""
    return [each for each in fromstring(chart).iter(f"{SVG}{tag}") if kind in ("", each.get("class"))]  # noqa: S314


def values(elements: list[Element], *names: str) -> list[tuple[str | None, ...]]:
    """Return these attributes of elements."""
    return [tuple(each.get(name) for name in names) for each in elements]


def texts(chart: str) -> list[str | None]:
    """Return everything that is written in a chart."""
    return [each.text for each in of_kind(chart, "text")]


def test_bars_stand_on_each_other_in_the_scale_of_their_axis() -> None:
    """The axis ends at 15, 160 px high: 12 are 128 px, and 3 are 32 px."""
    chart = bars("1 Mar", "2 Mar")
    place = ("x", "y", "width", "height")
    assert values(of_kind(chart, "rect", "chart-good")[1:], *place) == [
        ("16.35%", "64", "34.8%", "128"),
        ("59.85%", "160", "34.8%", "32"),
    ]
    assert values(of_kind(chart, "rect", "chart-bad")[1:], *place) == [("16.35%", "32", "34.8%", "32")]
    assert values([*of_kind(chart, "rect")[:2]], *place) == [("12%", "2", "10", "10"), ("55.5%", "2", "10", "10")]
    assert values(of_kind(chart, "line"), "x1", "x2", "y1", "y2") == [
        ("12%", "99%", y, y) for y in ("192", "138.67", "85.33", "32")
    ]
    assert texts(chart) == ["0", "5", "10", "15", "deleted", "failed", "1 Mar", "2 Mar"]
    assert values(of_kind(chart, "text")[-2:], "x", "y") == [("33.75%", "209"), ("77.25%", "209")]


def test_a_bar_says_its_figures_when_one_points_at_it() -> None:
    """Without what is 0; and a bar of nothing is not there."""
    assert [each.text for each in of_kind(bars("1 Mar", "2 Mar"), "title")[1:]] == [
        "1 Mar: 12 deleted, 3 failed",
        "2 Mar: 3 deleted",
    ]
    nothing = bar_chart(BarChart(HEADING, ["1 Mar"], [Series("deleted", Tone.GOOD, [0])]))
    assert of_kind(nothing, "rect") == []
    assert texts(nothing) == ["0", "1", "1 Mar"]


def test_four_names_stand_in_two_rows_of_the_legend() -> None:
    """Because they do not fit side by side on a phone; the plot begins below them."""
    chart = bar_chart(BarChart(HEADING, ["1 Mar"], [Series(name, Tone.GOOD, [1]) for name in "abcd"]))
    assert values(of_kind(chart, "text", "chart-legend"), "x", "y") == [
        *(("12%", "11"), ("55.5%", "11"), ("12%", "29"), ("55.5%", "29"))
    ]
    assert of_kind(chart, "line")[-1].get("y1") == "50"


def test_one_series_needs_no_legend() -> None:
    """The title says what it is."""
    assert "deleted" not in texts(bar_chart(BarChart(HEADING, ["1 Mar"], [Series("deleted", Tone.GOOD, [2])])))


def test_fewer_labels_are_written_if_their_letters_are_wide() -> None:
    """A Chinese date of four figures and two characters takes 54 px, with its margin 62: four fit on 280 px."""
    labels = [f"11月{day:02}日" for day in range(1, 14)]
    assert texts(bars(*labels))[-4:] == ["11月01日", "11月05日", "11月09日", "11月13日"]


def test_only_as_many_labels_are_written_as_fit_on_a_phone() -> None:
    """280 px hold five labels of six letters, 50 px each: every sixth of thirty."""
    labels = [f"{day:02} Mar" for day in range(1, 31)]
    assert texts(bars(*labels))[-5:] == ["01 Mar", "07 Mar", "13 Mar", "19 Mar", "25 Mar"]


def test_a_line_of_shares_has_points_intervals_and_a_band() -> None:
    """The axis ends at 20 %: 12 % are 96 px. The line and the band do not cross the point that has no share."""
    chart = shares()
    assert values(of_kind(chart, "circle"), "cx", "cy") == [("22.88%", "78"), ("66.38%", "158"), ("88.12%", "174")]
    assert values(of_kind(chart, "line", "chart-whisker"), "x1", "x2", "y1", "y2")[0] == ("22.88%", "22.88%", "110", "38")
    assert values(of_kind(chart, "line", "chart-line"), "x1", "y1", "x2", "y2") == [("66.38%", "158", "88.12%", "174")]
    assert values(of_kind(chart, "path", "chart-band"), "d") == [("M2.5 128L3.5 136L3.5 160L2.5 152z",)]
    assert values(of_kind(chart, "line", "chart-limit"), "y1", "y2") == [("134", "134")]
    assert values(of_kind(chart, "text", "chart-value"), "x", "y")[0] == ("22.88%", "33")
    assert texts(chart) == ["0%", "5%", "10%", "15%", "20%", "limit 5%", "12%", "2%", "0%", "7d", "14d", "30d", "60d"]


def test_shares_without_any_point_are_an_empty_chart() -> None:
    """Every threshold without a deletion: the axis is there, and the labels."""
    chart = share_chart(ShareChart(HEADING, [SharePoint("7d", None), SharePoint("14d", None)]))
    assert texts(chart) == ["0%", "1%", "7d", "14d"]
    assert of_kind(chart, "circle") == of_kind(chart, "path") == []


def test_a_share_of_all_ends_the_axis_at_a_hundred_percent() -> None:
    """An interval that reaches beyond 1 by rounding does not change that."""
    assert "120%" not in texts(share_chart(ShareChart(HEADING, [SharePoint("7d", Share(1, 0.9, 1.0000001))])))


def test_the_bars_of_a_histogram_touch_and_its_labels_stand_at_the_edges() -> None:
    """8 of 8 fill the height, 2 are a quarter of it."""
    chart = durations()
    assert values(of_kind(chart, "rect"), "x", "y", "width", "height") == [
        ("12%", "14", "29%", "160"),
        ("70%", "134", "29%", "40"),
    ]
    ends = values(of_kind(chart, "text")[-4:], "x", "text-anchor")
    assert ends == [("12%", None), ("41%", None), ("70%", None), ("99%", "end")]
    assert [each.text for each in of_kind(chart, "title")[1:]] == ["0 s \N{EN DASH} 10 s: 8", "20 s \N{EN DASH} 30 s: 2"]


ANY: list[Callable[..., str]] = [bars, shares, durations]


@pytest.mark.parametrize("draw", ANY)
def test_a_chart_is_an_image_with_a_name_and_a_description(draw: Callable[..., str]) -> None:
    """As screen readers want it: both are elements of the image, and referred to by it."""
    root = fromstring(draw("1"))  # noqa: S314
    assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
    assert [(each.tag, each.get("id"), each.text) for each in root[:2]] == [
        (f"{SVG}title", "ends-title", "Removals by day"),
        (f"{SVG}desc", "ends-desc", "15 removals ended on 1 March."),
    ]
    assert (root.get("aria-labelledby"), root.get("aria-describedby")) == ("ends-title", "ends-desc")


def forbidden(chart: str) -> Iterator[str]:
    """Yield what a content security policy without inline code would block, and what loads something."""
    for element in fromstring(chart).iter():  # noqa: S314
        if element.tag.removeprefix(SVG) in ("script", "style", "image", "use", "foreignObject", "a"):
            yield element.tag
        yield from (name for name in element.attrib if name.startswith("on") or name in ("style", "href", "font-family"))


@pytest.mark.parametrize("draw", ANY)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_text_of_other_people_is_only_text(draw: Callable[..., str], text: str) -> None:
    """Whatever stands in a name, the chart is well-formed and short, and has the same elements."""
    plain, chart = draw("x" * len(text)), draw(text, heading=Heading("ends", text, text))
    assert [each.tag for each in fromstring(chart).iter()] == [each.tag for each in fromstring(plain).iter()]  # noqa: S314
    assert list(forbidden(chart)) == []
    assert len(chart) < len(plain) + 1000
    written = "".join(each.text or "" for each in fromstring(chart).iter())  # noqa: S314
    assert written.isprintable()


@given(text=st.text())
def test_any_text_makes_well_formed_xml(text: str) -> None:
    """As a label, a title and a description, in each kind of chart."""
    for draw in ANY:
        fromstring(draw(text, heading=Heading("ends", text, text)))  # noqa: S314


def days(count: int, failed_every: int) -> str:
    """Return a chart of days on which something was deleted, and something failed every so many."""
    failed = [int(day % failed_every == 0) for day in range(count)]
    series = [
        Series("deleted", Tone.GOOD, [1 + day % 40 for day in range(count)]),
        Series("failed", Tone.BAD, failed),
        Series("timed out", Tone.DOUBTFUL, failed),
    ]
    return bar_chart(BarChart(HEADING, [f"2026-01-{day:02}" for day in range(count)], series))


def test_a_chart_is_a_few_kilobytes() -> None:
    """Thirty days; the worst thirty days, on each of which something failed and something timed out; and a year of weeks."""
    assert [len(days(*each)) // 1000 for each in ((30, 10), (30, 1), (53, 5))] == [6, 11, 10]
