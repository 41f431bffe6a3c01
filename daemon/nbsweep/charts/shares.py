"""Draws a line through shares, a band for their intervals, and the limit that they should keep to."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from nbsweep.charts.drawing import add, finish, number, percent, shorten, write
from nbsweep.charts.model import Share, ShareChart
from nbsweep.charts.plot import HEIGHT_PX, LEFT, WIDTH, Plot, label_slots, open_plot
from nbsweep.charts.scale import ticks

POINT_PX = 4
ABOVE_PX = 5
"""Between an interval and its figure."""
LONGEST_LIMIT = 40
"""Characters of the limit's label."""

Placed = tuple[int, Share]
"""The slot of a share, and the share."""


def share_chart(chart: ShareChart) -> str:
    """Return the chart as SVG."""
    placed = [(slot, point.share) for slot, point in enumerate(chart.points) if point.share is not None]
    plot = open_plot(chart.heading, len(chart.points), _scale(chart, placed), lambda value: f"{value:g}%")
    _band(plot, placed)
    if chart.limit is not None:
        _limit(plot, chart.limit, chart.limit_label)
    for (slot, share), (next_slot, next_share) in pairwise(placed):
        if next_slot == slot + 1:
            _line(plot, "line", (slot, share.value), (next_slot, next_share.value), stroke_width=2)
    for slot, share in placed:
        _point(plot, slot, share)
    label_slots(plot, [point.label for point in chart.points])
    return finish(plot.root)


def _scale(chart: ShareChart, placed: Sequence[Placed]) -> tuple[float, ...]:
    """Return the ticks in percent; a tick beyond 100 % is never needed."""
    largest = max([chart.limit or 0, *(share.high for _, share in placed)])
    return ticks(min(largest, 1) * 100, whole=False)


def _band(plot: Plot, placed: Sequence[Placed]) -> None:
    """Draw the band in a scale of its own, a slot being 1 wide, because paths know no shares of the width."""
    size = {"width": percent(WIDTH), "height": HEIGHT_PX, "viewBox": f"0 0 {plot.slots} {HEIGHT_PX}"}
    inside = add(plot.root, "svg", x=percent(LEFT), y=plot.top, preserveAspectRatio="none", **size)
    for run in _runs(placed):
        upper = [_corner(plot, slot, share.high) for slot, share in run]
        lower = [_corner(plot, slot, share.low) for slot, share in reversed(run)]
        add(inside, "path", "band", d=f"M{'L'.join([*upper, *lower])}z", fill_opacity=0.15)


def _runs(placed: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Yield the shares that stand side by side; a band needs two of them."""
    run: list[Placed] = []
    for slot, share in placed:
        if run and slot != run[-1][0] + 1:
            yield from [run] if len(run) > 1 else []
            run = []
        run.append((slot, share))
    yield from [run] if len(run) > 1 else []


def _corner(plot: Plot, slot: int, value: float) -> str:
    return f"{number(slot + 0.5)} {number(HEIGHT_PX - plot.height(100 * value))}"


def _limit(plot: Plot, limit: float, label: str) -> None:
    y = plot.down(100 * limit)
    ends = {"x1": percent(LEFT), "x2": percent(LEFT + WIDTH), "y1": y, "y2": y}
    add(plot.root, "line", "limit", stroke="currentColor", stroke_dasharray="6 4", **ends)
    write(plot.root, shorten(label, LONGEST_LIMIT), "limit-label", x=percent(LEFT + WIDTH), y=y - 4, text_anchor="end")


def _point(plot: Plot, slot: int, share: Share) -> None:
    """Draw a point with its interval and its figure."""
    _line(plot, "whisker", (slot, share.low), (slot, share.high), stroke_width=1)
    x, y = plot.across(slot + 0.5), plot.down(100 * share.value)
    add(plot.root, "circle", "point", cx=x, cy=y, r=POINT_PX)
    figure = f"{number(round(100 * share.value, 1))}%"
    write(plot.root, figure, "value", x=x, y=plot.down(100 * share.high) - ABOVE_PX, text_anchor="middle")


def _line(plot: Plot, kind: str, first: tuple[int, float], last: tuple[int, float], *, stroke_width: float) -> None:
    (slot, value), (next_slot, next_value) = first, last
    ends = {
        "x1": plot.across(slot + 0.5),
        "y1": plot.down(100 * value),
        "x2": plot.across(next_slot + 0.5),
        "y2": plot.down(100 * next_value),
    }
    add(plot.root, "line", kind, stroke="currentColor", stroke_width=stroke_width, **ends)
