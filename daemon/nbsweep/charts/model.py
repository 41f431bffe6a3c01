"""The values that charts are drawn from. Every text is the caller's, in the language of the page, and may hold anything."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class Tone(StrEnum):
    """What a part of a chart means; the style sheet has a colour for each."""

    GOOD = "good"
    BAD = "bad"
    DOUBTFUL = "doubtful"
    NEUTRAL = "neutral"


class Heading(Struct, frozen=True):
    """The texts of a chart for those who do not see it."""

    id: str
    """Unique on the page: letters, digits and hyphens."""
    title: str
    description: str
    """What the chart shows in one or two sentences, with its most important figures."""


class Series(Struct, frozen=True):
    """One part of each bar."""

    name: str
    tone: Tone
    values: Sequence[int]
    """A value for each bar; none is negative."""


class BarChart(Struct, frozen=True):
    """Bars whose parts stand on each other, the first series at the bottom."""

    heading: Heading
    labels: Sequence[str]
    """A label for each bar, such as a date."""
    series: Sequence[Series]


class Share(Struct, frozen=True):
    """A share with its interval, from 0 to 1."""

    value: float
    low: float
    high: float


class SharePoint(Struct, frozen=True):
    """A share at one place of the axis."""

    label: str
    share: Share | None
    """None where there is nothing to take a share of."""


class ShareChart(Struct, frozen=True):
    """A line through shares, with a band for their intervals."""

    heading: Heading
    points: Sequence[SharePoint]
    limit: float | None = None
    """A share that should not be exceeded."""
    limit_label: str = ""


class Histogram(Struct, frozen=True):
    """How many values lie between neighbouring edges."""

    heading: Heading
    edges: Sequence[str]
    """The labels of the edges: one more than there are counts."""
    counts: Sequence[int]
    tone: Tone = Tone.GOOD
