"""Draws the charts of pages in the language of the reader."""

from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never

from markupsafe import Markup
from msgspec import Struct

from nbsweep.charts.bars import bar_chart
from nbsweep.charts.histogram import histogram
from nbsweep.charts.model import BarChart, Heading, Histogram, Series, Share, ShareChart, SharePoint, Tone
from nbsweep.charts.shares import share_chart
from nbsweep.charts.strip import strip
from nbsweep.core.statistics.periods import Period
from nbsweep.service.web.messages import Message
from nbsweep.service.web.pages.languages.formats import Formats


class Caption(Struct, frozen=True):
    """What a chart is called, and what it shows, for those who do not see it."""

    id: str
    """Unique on the page: letters, digits and hyphens."""
    title: Message
    description: Message


class Part(Struct, frozen=True):
    """One part of each bar."""

    name: Message
    tone: Tone
    values: Sequence[int]


class Bars(Struct, frozen=True):
    """A bar for each period."""

    caption: Caption
    periods: Sequence[Period]
    parts: Sequence[Part]


class Lengths(Struct, frozen=True):
    """How many durations lie between neighbouring edges."""

    caption: Caption
    edges: Sequence[timedelta | None]
    """One more than there are counts; the last one is None if the longest durations have no edge."""
    counts: Sequence[int]
    tone: Tone = Tone.GOOD


class Rate(Struct, frozen=True):
    """A rate for one length of time, with its interval, from 0 to 1."""

    age: timedelta
    rate: Share | None
    """None where there is nothing to take a rate of."""


class Rates(Struct, frozen=True):
    """A rate for each of several lengths of time, and the limit that it should keep to."""

    caption: Caption
    rates: Sequence[Rate]
    limit: float | None
    limit_label: Message


class Strip(Struct, frozen=True):
    """A bar in the row of a table, which has the figures too."""

    parts: Sequence[tuple[Tone, int]]
    largest: int
    """The largest sum of parts in the table."""


Chart = Bars | Lengths | Rates | Strip


def draw(chart: Chart, formats: Formats) -> Markup:
    """Return a chart as SVG."""
    match chart:
        case Rates():
            return Markup(share_chart(_rates(chart, formats)))  # noqa: S704  # every text in it is escaped
        case Strip():
            return Markup(strip(chart.parts, chart.largest))  # noqa: S704  # it holds no text
        case Bars():
            return Markup(bar_chart(_bars(chart, formats)))  # noqa: S704  # every text in it is escaped
        case Lengths():
            return Markup(histogram(_histogram(chart, formats)))  # noqa: S704  # every text in it is escaped
    assert_never(chart)


def _heading(caption: Caption, formats: Formats) -> Heading:
    return Heading(caption.id, formats.say(caption.title), formats.say(caption.description))


def _bars(chart: Bars, formats: Formats) -> BarChart:
    parts = [Series(formats.say(part.name), part.tone, part.values) for part in chart.parts]
    return BarChart(_heading(chart.caption, formats), [formats.period(each) for each in chart.periods], parts)


def _histogram(chart: Lengths, formats: Formats) -> Histogram:
    edges = ["\N{INFINITY}" if edge is None else formats.brief_age(edge) for edge in chart.edges]
    return Histogram(_heading(chart.caption, formats), edges, chart.counts, chart.tone)


def _rates(chart: Rates, formats: Formats) -> ShareChart:
    points = [SharePoint(formats.brief_age(each.age), each.rate) for each in chart.rates]
    return ShareChart(_heading(chart.caption, formats), points, chart.limit, formats.say(chart.limit_label))
