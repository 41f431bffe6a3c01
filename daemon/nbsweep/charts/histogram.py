"""Draws how many values lie between neighbouring edges."""

from nbsweep.charts.drawing import add, finish, percent, shorten
from nbsweep.charts.model import Histogram
from nbsweep.charts.plot import add_parts, draw_part, label_slots, open_plot
from nbsweep.charts.scale import compact, ticks

LONGEST_EDGE = 30
"""Characters of an edge where one points at a bar."""


def histogram(chart: Histogram) -> str:
    """Return the chart as SVG."""
    plot = open_plot(chart.heading, len(chart.counts), ticks(max(chart.counts, default=0)), compact)
    parts = add_parts(plot)
    edges = [shorten(edge, LONGEST_EDGE) for edge in chart.edges]
    for slot, count in enumerate(chart.counts):
        if count:
            bar = add(parts, "g")
            add(bar, "title").text = f"{edges[slot]} \N{EN DASH} {edges[slot + 1]}: {count}"
            vertical = {"y": plot.down(count), "height": plot.height(count)}
            draw_part(bar, chart.tone, x=plot.across(slot), width=percent(plot.slot), **vertical)
    label_slots(plot, edges, offset=0)
    return finish(plot.root)
