"""Draws bars whose parts stand on each other, with a legend."""

from xml.etree.ElementTree import Element

from nbsweep.charts.drawing import add, finish, one_line, percent, shorten, write
from nbsweep.charts.model import BarChart
from nbsweep.charts.plot import LEFT, LEGEND_ROW_PX, WIDTH, Plot, add_parts, draw_part, label_slots, open_plot
from nbsweep.charts.scale import compact, ticks

GAP = 0.1
"""At each side of a bar, as a share of its slot."""
SWATCH_PX = 10
ONE_ROW = 3
"""Names that fit side by side on the narrowest screen."""
LONGEST_NAME = 18
"""Characters of a name in the legend."""
LONGEST_LABEL = 60
"""Characters of a label where one points at a bar."""


def bar_chart(chart: BarChart) -> str:
    """Return the chart as SVG."""
    totals = [sum(values) for values in zip(*(series.values for series in chart.series), strict=True)]
    columns = len(chart.series) if len(chart.series) <= ONE_ROW else 2
    rows = -(-len(chart.series) // columns) if len(chart.series) > 1 else 0
    plot = open_plot(chart.heading, len(chart.labels), ticks(max(totals, default=0)), compact, legend_rows=rows)
    parts = add_parts(plot)
    if rows:
        _legend(plot.root, parts, chart, columns)
    for slot, total in enumerate(totals):
        if total:
            _bar(parts, plot, chart, slot)
    label_slots(plot, chart.labels)
    return finish(plot.root)


def _legend(root: Element, parts: Element, chart: BarChart, columns: int) -> None:
    for place, series in enumerate(chart.series):
        row, column = divmod(place, columns)
        x, y = percent(LEFT + WIDTH / columns * column), row * LEGEND_ROW_PX
        draw_part(parts, series.tone, x=x, y=y + 2, width=SWATCH_PX, height=SWATCH_PX)
        write(root, shorten(series.name, LONGEST_NAME), "legend", x=x, dx=SWATCH_PX + 5, y=y + 11)


def _bar(parts: Element, plot: Plot, chart: BarChart, slot: int) -> None:
    """Draw one bar, which says its figures when one points at it."""
    bar = add(parts, "g")
    add(bar, "title").text = f"{shorten(chart.labels[slot], LONGEST_LABEL)}: {_figures(chart, slot)}"
    below = 0
    for series in chart.series:
        if value := series.values[slot]:
            below += value
            vertical = {"y": plot.down(below), "height": plot.height(value)}
            draw_part(bar, series.tone, x=plot.across(slot + GAP), width=percent(plot.slot * (1 - 2 * GAP)), **vertical)


def _figures(chart: BarChart, slot: int) -> str:
    return ", ".join(f"{series.values[slot]} {one_line(series.name)}" for series in chart.series if series.values[slot])
