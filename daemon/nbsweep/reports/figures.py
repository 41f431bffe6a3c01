"""The charts of a back-test: its figures as the values that charts are drawn from."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from nbsweep.charts.bars import bar_chart
from nbsweep.charts.bins import Bins, bins_of
from nbsweep.charts.histogram import histogram
from nbsweep.charts.model import BarChart, Heading, Histogram, Series, Share, ShareChart, SharePoint, Tone
from nbsweep.charts.shares import share_chart
from nbsweep.charts.strip import strip
from nbsweep.documents.past.backtest import LabelCountsDocument, ThresholdDocument, WeekDocument, WouldBeDocument
from nbsweep.reports.words import counted, percent, rate
from nbsweep.settings.fields.units import format_duration

Part = tuple[str, Tone, int]
"""The name, the tone and the number of deletions with a label."""


def label_parts(counts: LabelCountsDocument) -> tuple[Part, ...]:
    """Return the deletions by label, the regrets first, so that they stand on the same line in all bars."""
    return (
        ("came back", Tone.BAD, counts.came_back),
        ("not judged", Tone.DOUBTFUL, counts.censored),
        ("still idle", Tone.GOOD, counts.still_idle),
        ("removed by owner", Tone.NEUTRAL, counts.removed_by_owner),
    )


def threshold_chart(thresholds: Sequence[ThresholdDocument], most: float | None) -> str:
    """Return the rate of regrets by threshold as SVG; `most` is the limit of the rate."""
    described = "; ".join(f"{each.idle_over}: {rate(each.counts)}" for each in thresholds)
    heading = Heading("thresholds", "Rate of regrets by idle_over", f"{described}.")
    points = [SharePoint(each.idle_over, _share(each.counts)) for each in thresholds]
    return share_chart(ShareChart(heading, points, most, "" if most is None else f"limit {percent(most)}"))


def week_chart(weeks: Sequence[WeekDocument]) -> str:
    """Return the deletions of each week by label as SVG."""
    parts = [label_parts(week.counts) for week in weeks]
    fullest = max(weeks, key=lambda week: week.counts.deletions)
    total = sum(week.counts.deletions for week in weeks)
    described = (
        f"{counted(total, 'deletion')} in {counted(len(weeks), 'week')}; the most, {fullest.counts.deletions}, in the week of "
        f"{fullest.monday}."
    )
    series = [Series(name, tone, [each[place][2] for each in parts]) for place, (name, tone, _) in enumerate(parts[0])]
    labels = [week.monday.partition("-")[2] for week in weeks]
    return bar_chart(BarChart(Heading("weeks", "Deletions by week and label", described), labels, series))


def return_bins(regrets: Sequence[WouldBeDocument]) -> Bins:
    """Return how long after their deletion people came back."""
    return bins_of([each.total_seconds() for regret in regrets if (each := away(regret)) is not None])


def return_chart(bins: Bins) -> str:
    """Return these times as SVG."""
    fullest = max(range(len(bins.counts)), key=lambda place: bins.counts[place])
    described = (
        f"Most of {counted(sum(bins.counts), 'return')}, {bins.counts[fullest]}, from {edge(bins.edges_s[fullest])} to "
        f"{edge(bins.edges_s[fullest + 1])} after the deletion."
    )
    heading = Heading("returns", "Time until somebody came back", described)
    return histogram(Histogram(heading, [edge(each) for each in bins.edges_s], bins.counts, Tone.BAD))


def edge(edge_s: float) -> str:
    """Return the edge of a bin as text."""
    return "more" if math.isinf(edge_s) else format_duration(timedelta(seconds=edge_s)) if edge_s else "0"


def counts_strip(counts: LabelCountsDocument, largest: int) -> str:
    """Return a bar of the deletions by label as SVG, for the row of a table."""
    return strip([(tone, count) for _, tone, count in label_parts(counts)], largest)


def away(regret: WouldBeDocument) -> timedelta | None:
    """Return how long after the deletion somebody came back; None if it is not known."""
    if regret.label_at is None:
        return None
    return datetime.fromisoformat(regret.label_at) - datetime.fromisoformat(regret.at)


def _share(counts: LabelCountsDocument) -> Share | None:
    return None if counts.regret is None else Share(counts.regret, counts.regret_low, counts.regret_high)
