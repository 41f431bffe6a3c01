"""Charts in the terminal: bars and intervals that stand in tables beside their figures.

Each part of a bar has a character of its own beside its colour, so that a chart can be read without colour, in light and dark
terminals, and with ASCII characters where the terminal takes no others. They are drawn with rich, which knows all of that.
plotext, the living alternative, sets its own colours and background, and does not know the console of the tables or NO_COLOR.
"""

from collections.abc import Sequence

from msgspec import Struct
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

NARROWEST = 8
"""Cells of a bar or an interval where the terminal is narrow."""
WIDEST = 60


class Part(Struct, frozen=True):
    """One part of every bar of a chart."""

    name: str
    style: str
    sign: str
    """The character that it is drawn with."""
    ascii_sign: str

    def drawn(self, cells: int, options: ConsoleOptions) -> str:
        """Return the part in this number of cells."""
        return (self.ascii_sign if options.ascii_only else self.sign) * cells


class IntervalSigns(Struct, frozen=True):
    """The characters of an interval."""

    low: str
    inside: str
    high: str
    value: str
    limit: str
    limit_inside: str
    """Where the limit crosses an interval."""


SIGNS = IntervalSigns("├", "─", "┤", "●", "┊", "┼")
ASCII_SIGNS = IntervalSigns("|", "-", "|", "o", ":", "+")


class StackedBar:
    """A bar whose parts follow one another, as long as its sum is in relation to the largest one of the chart."""

    def __init__(self, parts: Sequence[Part], values: Sequence[int], largest: int) -> None:
        """Take the parts, the value of each, and the largest sum of a bar."""
        self._parts = parts
        self._values = values
        self._largest = largest

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Tell the table how narrow and how wide the bar may be."""
        return Measurement(NARROWEST, WIDEST).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the bar in the width of its column."""
        cells = cells_of(self._values, self._largest, min(options.max_width, WIDEST))
        for part, count in zip(self._parts, cells, strict=True):
            if count:
                yield Segment(part.drawn(count, options), console.get_style(part.style))


class Legend:
    """The line that says what the parts mean."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Take the parts."""
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the line."""
        yield Segment(" ")
        for place, part in enumerate(self._parts):
            yield Segment("   " if place else "")
            yield Segment(part.drawn(2, options), console.get_style(part.style))
            yield Segment(f" {part.name}")
        yield Segment.line()


def cells_of(values: Sequence[int], largest: int, width: int) -> list[int]:
    """Return the number of cells of each part of a bar; a part that is not 0 has at least one.

    The largest part gives way where that would make the bar longer than `width`.
    """
    if not largest:
        return [0] * len(values)
    cells = [max(1, round(value / largest * width)) if value else 0 for value in values]
    while sum(cells) > width and max(cells) > 1:
        cells[cells.index(max(cells))] -= 1
    return cells


class IntervalBar:
    """A share from 0 to 1 with its interval, and the limit that it should keep to."""

    def __init__(self, share: tuple[float, float, float] | None, largest: float, limit: float | None = None) -> None:
        """Take the lower end, the share and the upper end (None if there is no share), the end of the axis, and the limit."""
        self._share = share
        self._largest = largest
        self._limit = limit

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Tell the table how narrow and how wide the interval may be drawn."""
        return Measurement(2 * NARROWEST, WIDEST).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the interval in the width of its column."""
        signs = _signs(options)
        styles = {signs.value: "bold", signs.limit: "red", signs.limit_inside: "red"}
        for cell in self.cells(min(options.max_width, WIDEST), signs):
            yield Segment(cell, console.get_style(styles.get(cell, "cyan")))

    def cells(self, width: int, signs: IntervalSigns) -> list[str]:
        """Return the character of each cell; the limit covers the interval, and the share covers the limit."""
        cells = [" "] * width
        if self._share:
            low, _, high = (self._place(value, width) for value in self._share)
            cells[low : high + 1] = signs.inside * (high + 1 - low)
            cells[low], cells[high] = signs.low, signs.high
        if self._limit is not None and self._limit <= self._largest:
            place = self._place(self._limit, width)
            cells[place] = signs.limit if cells[place] == " " else signs.limit_inside
        if self._share:
            cells[self._place(self._share[1], width)] = signs.value
        return cells

    def _place(self, value: float, width: int) -> int:
        return min(width - 1, round(value / self._largest * (width - 1)))


class IntervalLegend:
    """The line that says what the characters of intervals mean."""

    def __init__(self, value: str, interval: str, limit: str) -> None:
        """Take their names; that of the limit is empty if there is none."""
        self._names = (value, interval, limit)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the line."""
        signs = _signs(options)
        drawn = ((signs.value, "bold"), (signs.low + signs.inside + signs.high, "cyan"), (signs.limit, "red"))
        for (sign, style), name in zip(drawn, self._names, strict=True):
            if name:
                yield Segment(" ")
                yield Segment(sign, console.get_style(style))
                yield Segment(f" {name}  ")
        yield Segment.line()


class Axis:
    """The heading above intervals: the two ends of their axis."""

    def __init__(self, first: str, last: str) -> None:
        """Take both ends as text."""
        self._first = first
        self._last = last

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Tell the table how narrow and how wide the heading may be."""
        return Measurement(2 * NARROWEST, WIDEST).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the heading in the width of its column."""
        width = min(options.max_width, WIDEST)
        yield Segment(self._first + self._last.rjust(width - len(self._first)))


def _signs(options: ConsoleOptions) -> IntervalSigns:
    return ASCII_SIGNS if options.ascii_only else SIGNS
