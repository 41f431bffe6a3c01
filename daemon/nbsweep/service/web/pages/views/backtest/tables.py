"""The tables of counts: by idle time, week, policy, owner, and side of a comparison."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from msgspec import Struct

from nbsweep.core.statistics.periods import Period, Step
from nbsweep.documents.past.backtest import BacktestDocument, ComparisonDocument, LabelCountsDocument
from nbsweep.service.web.messages import Message, message, plural
from nbsweep.service.web.pages.charts import Bars, Rates, Strip
from nbsweep.service.web.pages.views.backtest.charts import label_strip, rate_chart, week_chart

MOST_OWNERS = 50


class CountsRow(Struct, frozen=True):
    """The deletions of one policy, owner, week, idle time, or side of a comparison: one of the first four names it."""

    bar: Strip
    counts: LabelCountsDocument
    name: str = ""
    label: Message | None = None
    week: Period | None = None
    age: timedelta | None = None


class CountsTable(Struct, frozen=True):
    """A table of counts, with its chart if it has one."""

    id: str
    title: Message
    first: Message
    """The heading of the first column."""
    rows: Sequence[CountsRow]
    chart: Bars | Rates | None = None
    note: Message | None = None


def tables_of(document: BacktestDocument) -> Iterator[CountsTable]:
    """Yield the tables of a back-test."""
    if document.thresholds:
        yield _threshold_table(document)
    if document.total.deletions:
        yield _week_table(document)
        policies = [(each.name, each.counts) for each in document.by_policy]
        yield CountsTable("policies", message("By policy"), message("Policy"), _named(policies))
        owners = sorted(document.by_owner, key=lambda each: -each.counts.came_back)
        rows = _named([(each.name, each.counts) for each in owners[:MOST_OWNERS]])
        more = len(owners) - len(rows)
        note = (
            plural("%(count)s more owner is in the files.", "%(count)s more owners are in the files.", more) if more else None
        )
        yield CountsTable("owners", message("By owner"), message("Owner"), rows, note=note)
    if document.comparison:
        yield _comparison_table(document.comparison)


def _named(groups: Sequence[tuple[str, LabelCountsDocument]]) -> list[CountsRow]:
    largest = max((counts.deletions for _, counts in groups), default=0)
    return [CountsRow(label_strip(counts, largest), counts, name=name) for name, counts in groups]


def _threshold_table(document: BacktestDocument) -> CountsTable:
    largest = max(each.counts.deletions for each in document.thresholds)
    rows = [
        CountsRow(label_strip(each.counts, largest), each.counts, age=timedelta(seconds=each.idle_over_s))
        for each in document.thresholds
    ]
    chart = rate_chart(document.thresholds, document.max_regret.most if document.max_regret else None)
    note = message("Each row replaces every idle_over of the policies.")
    return CountsTable("thresholds", message("What if idle_over were"), message("Idle for"), rows, chart, note)


def _week_table(document: BacktestDocument) -> CountsTable:
    weeks = [each for each in document.by_week if each.counts.deletions]
    largest = max(each.counts.deletions for each in weeks)
    rows = [
        CountsRow(label_strip(each.counts, largest), each.counts, week=Period(date.fromisoformat(each.monday), Step.WEEK))
        for each in weeks
    ]
    note = message("Weeks begin on Monday, in UTC. Those without a deletion are left out.")
    return CountsTable("weeks", message("By week"), message("Week from"), rows, week_chart(document.by_week), note)


def _comparison_table(comparison: ComparisonDocument) -> CountsTable:
    sides = (
        (message("only by these policies"), comparison.only_here),
        (message("only by the current policies"), comparison.only_there),
        (message("by both, as in these policies"), comparison.both_here),
        (message("by both, as in the current policies"), comparison.both_there),
        (message("all of the current policies"), comparison.total),
    )
    largest = max(counts.deletions for _, counts in sides)
    rows = [CountsRow(label_strip(counts, largest), counts, label=label) for label, counts in sides]
    return CountsTable("comparison", message("Compared with the current policies"), message("Deleted"), rows)


def held_out_table(held: LabelCountsDocument) -> CountsTable:
    """Return the table of the notebooks that were held out."""
    row = CountsRow(label_strip(held, held.deletions), held, label=message("held out"))
    return CountsTable("held", message("Held out"), message("Notebooks"), [row])
