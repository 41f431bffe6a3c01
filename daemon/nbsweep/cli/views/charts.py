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
