"""`backtest --chart`: the rate of regrets with its interval, for each value of `idle_over`."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table

from nbsweep.charts.scale import ticks
from nbsweep.cli.views.past.charts import Axis, IntervalBar, IntervalLegend
from nbsweep.cli.views.results import cell
from nbsweep.documents.past.backtest import BacktestDocument, LabelCountsDocument
from nbsweep.reports.words import interval, percent


def threshold_chart(document: BacktestDocument) -> RenderableType:
    """Return an interval for each threshold of a back-test, with its figures, and the limit of the rate if there is one."""
    thresholds, most = document.thresholds, document.max_regret.most if document.max_regret else None
    highest = max([most or 0, *(each.counts.regret_high for each in thresholds if each.counts.regret is not None)])
    end = ticks(100 * highest, whole=False)[-1]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    table.add_column("IDLE OVER", no_wrap=True)
    table.add_column(Axis("0 %", f"{end:g} %"))
    for heading in ("REGRET", "95 %", "DELETIONS", "CAME BACK"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in thresholds:
        bar = IntervalBar(_share(each.counts), end / 100, most)
        table.add_row(cell(each.idle_over), bar, *map(cell, _figures(each.counts)))
    limit = "" if most is None else f"limit {percent(most)}"
    legend = IntervalLegend("rate of regrets", "95 % interval", limit)
    return Group(cell("What if idle_over were", "bold"), legend, table)


def _share(counts: LabelCountsDocument) -> tuple[float, float, float] | None:
    return None if counts.regret is None else (counts.regret_low, counts.regret, counts.regret_high)


def _figures(counts: LabelCountsDocument) -> tuple[object, ...]:
    judged = counts.regret is not None
    rate = "-" if counts.regret is None else percent(counts.regret)
    return rate, interval(counts) if judged else "-", counts.deletions, counts.came_back
