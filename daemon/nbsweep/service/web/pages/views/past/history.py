"""What the page History shows: removals by day, how long deletions took, why removals failed, and the sweeps."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.charts.bins import Bins, bins_of_counts, quantile_s
from nbsweep.charts.model import Tone
from nbsweep.core.lifecycle import RemovalOutcome
from nbsweep.core.runs import RunRecord
from nbsweep.core.statistics.model import CauseCount, DurationCount, EndCount, PeriodCounts
from nbsweep.core.statistics.periods import Period, Span, Step, count_by_period, total_of
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.charts import Bars, Caption, Lengths, Part
from nbsweep.service.web.pages.views.elements.sweeps import END_TITLES
from nbsweep.service.web.pages.views.elements.words import Said, sentence_words
from nbsweep.service.web.pages.views.past.history_filters import FilterView
from nbsweep.service.web.pages.views.past.removals import RemovalsView, RunRow

PARTS: Mapping[RemovalOutcome, tuple[Message, Tone]] = {
    "deleted": (message("deleted"), Tone.GOOD),
    "failed": (message("failed"), Tone.BAD),
    "timed_out": (message("timed out"), Tone.DOUBTFUL),
}
"""The parts of each bar, by short names."""
STEPS: Mapping[Step, Message] = {
    Step.DAY: message("Removals by day"),
    Step.WEEK: message("Removals by week, from Monday on"),
    Step.MONTH: message("Removals by month"),
}
SIZES: Mapping[Step, Message] = {
    Step.DAY: message("GB reclaimed by day"),
    Step.WEEK: message("GB reclaimed by week, from Monday on"),
    Step.MONTH: message("GB reclaimed by month"),
}


class HistoryInputs(Struct, frozen=True):
    """What the journal knows of a time."""

    span: Span
    ends: Sequence[EndCount]
    durations: Sequence[DurationCount]
    causes: Sequence[CauseCount]
    latest: RunRecord | None
    """The latest sweep of all; None if there was none."""


class Sheets(Struct, frozen=True):
    """The addresses of the tables as CSV."""

    periods: str
    lengths: str
    causes: str


class PeriodRow(Struct, frozen=True):
    """One day, week or month."""

    period: Period
    deleted: int
    failed: int
    timed_out: int
    reclaimed_gb: int


class LengthRow(Struct, frozen=True):
    """Deletions that took about the same time."""

    least: timedelta
    most: timedelta | None
    """None if there is no limit."""
    count: int


class CauseRow(Struct, frozen=True):
    """One cause of failures."""

    end: Message
    cause: str
    said: Said | None
    """The cause in the language of the page; None if there are no words for it."""
    count: int


class HistoryView(Struct, frozen=True):
    """The page."""

    filters: FilterView
    first: datetime
    last: datetime
    nothing: Message | None
    """Why there is nothing to count; None if there is something."""
    total: PeriodRow
    step: Message
    sizes_title: Message
    ends: Bars
    sizes: Bars
    periods: Sequence[PeriodRow]
    lengths: Lengths | None
    """None if no deletion ended."""
    length_rows: Sequence[LengthRow]
    half: timedelta | None
    """Half of the deletions took no longer."""
    most: timedelta | None
    """95 % of them took no longer."""
    causes: Sequence[CauseRow]
    other_causes: int
    """The removals that failed for other causes."""
    sheets: Sheets
    runs: Sequence[RunRow]
    more_runs: bool
    removals: RemovalsView


def build_history(
    known: HistoryInputs, filters: FilterView, sheets: Sheets, runs: tuple[Sequence[RunRow], bool], removals: RemovalsView
) -> HistoryView:
    """Return what the page shows; `runs` are the latest sweeps, and whether there are more."""
    span, periods = known.span, count_by_period(known.ends, known.span)
    total = _row(total_of(periods), span.step)
    durations = {float(each.took_s): each.count for each in known.durations}
    bins = bins_of_counts(durations)
    failures = sum(each.count for each in known.causes)
    return HistoryView(
        filters=filters,
        first=span.since,
        last=span.until - timedelta(seconds=1),
        nothing=None if known.ends else why_nothing(span, known.latest),
        total=total,
        step=STEPS[span.step],
        sizes_title=SIZES[span.step],
        ends=_ends_chart(periods, span.step, total),
        sizes=_sizes_chart(periods, span.step, total),
        periods=[_row(each, span.step) for each in periods],
        lengths=_lengths_chart(bins, durations) if durations else None,
        length_rows=_length_rows(bins),
        half=timedelta(seconds=quantile_s(durations, 0.5)) if durations else None,
        most=timedelta(seconds=quantile_s(durations, 0.95)) if durations else None,
        causes=[
            CauseRow(END_TITLES[each.outcome], each.cause, sentence_words(each.cause), each.count) for each in known.causes
        ],
        other_causes=total.failed + total.timed_out - failures,
        sheets=sheets,
        runs=runs[0],
        more_runs=runs[1],
        removals=removals,
    )


def why_nothing(span: Span, latest: RunRecord | None) -> Message:
    """Return why there is nothing to count, and what to do."""
    if latest is None:
        return message("The journal has no sweep yet. The first one begins at the next due time that the page Fleet shows.")
    if latest.started_at < span.since:
        return message(
            "No removal ended in this time: the latest sweep began at %(at)s. Choose a longer time.", at=latest.started_at
        )
    if latest.dry_run:
        return message(
            "No removal ended in this time. The latest sweep, at %(at)s, was a dry run, which deletes nothing.",
            at=latest.started_at,
        )
    return message(
        "No removal ended in this time. The latest sweep began at %(at)s; its page says what it did.", at=latest.started_at
    )


def _row(period: PeriodCounts, step: Step) -> PeriodRow:
    ends = period.ends
    counts = (ends.get("deleted", 0), ends.get("failed", 0), ends.get("timed_out", 0))
    return PeriodRow(Period(period.begins, step), *counts, period.reclaimed_gb)


# ---- charts ---------------------------------------------------------------------------------------------------------------


def _ends_chart(periods: Sequence[PeriodCounts], step: Step, total: PeriodRow) -> Bars:
    said = message(
        "%(deleted)s deleted, %(failed)s failed and %(timed_out)s timed out in all. The table below has the figures.",
        deleted=total.deleted,
        failed=total.failed,
        timed_out=total.timed_out,
    )
    parts = [Part(name, tone, [each.ends.get(end, 0) for each in periods]) for end, (name, tone) in PARTS.items()]
    return Bars(Caption("ends", STEPS[step], said), [Period(each.begins, step) for each in periods], parts)


def _sizes_chart(periods: Sequence[PeriodCounts], step: Step, total: PeriodRow) -> Bars:
    said = message("%(size)s GB in all. The table below has the figures.", size=total.reclaimed_gb)
    part = Part(message("GB"), Tone.GOOD, [each.reclaimed_gb for each in periods])
    return Bars(Caption("sizes", SIZES[step], said), [Period(each.begins, step) for each in periods], [part])


def _lengths_chart(bins: Bins, durations: Mapping[float, int]) -> Lengths:
    half, most = (timedelta(seconds=quantile_s(durations, share)) for share in (0.5, 0.95))
    said = message("Half of the deletions took at most %(half)s, and 95 of 100 at most %(most)s.", half=half, most=most)
    edges = [None if math.isinf(edge) else timedelta(seconds=edge) for edge in bins.edges_s]
    return Lengths(Caption("lengths", message("How long deletions took"), said), edges, bins.counts)


def _length_rows(bins: Bins) -> list[LengthRow]:
    ends = [None if math.isinf(edge) else timedelta(seconds=edge) for edge in bins.edges_s]
    rows = zip(bins.edges_s[:-1], ends[1:], bins.counts, strict=True)
    return [LengthRow(timedelta(seconds=least), most, count) for least, most, count in rows]
