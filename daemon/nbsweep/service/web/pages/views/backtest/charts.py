"""The charts of a back-test, with texts for each language."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from nbsweep.charts.bins import Bins
from nbsweep.charts.model import Share, Tone
from nbsweep.core.statistics.periods import Period, Step
from nbsweep.documents.past.backtest import LabelCountsDocument, ThresholdDocument, WeekDocument
from nbsweep.reports.figures import label_parts
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.charts import Bars, Caption, Lengths, Part, Rate, Rates, Strip

LABELS: Mapping[Tone, Message] = {
    Tone.BAD: message("came back"),
    Tone.DOUBTFUL: message("not judged"),
    Tone.GOOD: message("still idle"),
    Tone.NEUTRAL: message("removed by the owner"),
}
"""What the colours of the labels mean."""


def label_strip(counts: LabelCountsDocument, largest: int) -> Strip:
    """Return the bar of a row."""
    return Strip([(tone, count) for _, tone, count in label_parts(counts)], largest)


def week_chart(weeks: Sequence[WeekDocument]) -> Bars:
    """Return the deletions of each week by label."""
    parts = [label_parts(week.counts) for week in weeks]
    deletions = sum(week.counts.deletions for week in weeks)
    described = message("%(deletions)s deletions in all. The table below has the figures.", deletions=deletions)
    series = [Part(LABELS[tone], tone, [each[place][2] for each in parts]) for place, (_, tone, _) in enumerate(parts[0])]
    periods = [Period(date.fromisoformat(week.monday), Step.WEEK) for week in weeks]
    return Bars(
        Caption("chart-weeks", message("Deletions by week, and what became of the notebooks"), described), periods, series
    )


def rate_chart(thresholds: Sequence[ThresholdDocument], most: float | None) -> Rates:
    """Return the rate of regrets by idle time; `most` is its limit."""
    caption = Caption(
        "chart-thresholds",
        message("Rate of regrets by idle time"),
        message("The rate of regrets with its 95%% interval for each idle time. The table below has the figures."),
    )
    rates = [Rate(timedelta(seconds=each.idle_over_s), _share(each.counts)) for each in thresholds]
    limit = message("limit %(most)s%%", most=round((most or 0) * 100, 1))
    return Rates(caption, rates, most, limit)


def return_chart(bins: Bins) -> Lengths:
    """Return how long after their deletion people came back."""
    caption = Caption(
        "chart-returns",
        message("Time until somebody came back"),
        message("%(returns)s returns in all. The table below has the figures.", returns=sum(bins.counts)),
    )
    edges = [None if edge_s == float("inf") else timedelta(seconds=edge_s) for edge_s in bins.edges_s]
    return Lengths(caption, edges, bins.counts, Tone.BAD)


def _share(counts: LabelCountsDocument) -> Share | None:
    return None if counts.regret is None else Share(counts.regret, counts.regret_low, counts.regret_high)
