"""Tables that fit the terminal, of any length: a short one is drawn by rich; a long one is written row by row.

A hundred thousand rows drawn by rich took 82 s and 616 MB, because rich keeps every cell of a table.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from msgspec import Struct
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

DRAWN_AT_MOST = 500
"""Rows; also so many are looked at for the widths of a longer table's columns."""
NAME = 24
"""Cells, of a column of notebooks where a table is too wide."""
SHORT_NAME = 14
"""Cells, of a column of owners or policies where a table is too wide."""
NARROWEST = 12
"""Cells, of a column of names where a table is far too wide."""
READABLE = 30
"""Cells, of a column that folds: narrower only after other columns were left out."""
FOLDED = 22
"""Cells, of a column that folds: narrower only after names were cut."""
LEAST = 14
"""Cells, of a column that folds where nothing else can become narrower."""
BETWEEN = "  "

Row = tuple[Text, ...]


class Column(Struct, frozen=True):
    """A column of a table. Columns of numbers and times are never cut."""

    heading: str
    right: bool = False
    most: int | None = None
    """Width in cells to which long text may be cut where the table is too wide; None for text that is never cut."""
    folds: bool = False
    """Whether long text continues on further lines."""
    leaves: int = 0
    """The turn in which the column is left out where the table is too wide, counted from 1; 0 for never."""


class Layout(Struct, frozen=True):
    """The columns of a table that are shown, by their places, and their widths in cells."""

    places: tuple[int, ...]
    widths: tuple[int, ...]


def fit(columns: Sequence[Column], natural: Sequence[int], room: int) -> Layout:
    """Return the layout of a table in that many cells; `natural` is the width that each column's text takes.

    Names are cut to their limit first, and reasons are folded. Then columns are left out, one after the other. Then reasons are
    folded and names cut further, in turn.
    """
    widths = dict(enumerate(natural))
    names = {place: column.most for place, column in enumerate(columns) if column.most is not None}
    reasons = [place for place, column in enumerate(columns) if column.folds]
    _narrow(widths, names, room)
    _narrow(widths, dict.fromkeys(reasons, READABLE), room)
    for place in sorted(widths, key=lambda place: columns[place].leaves):
        if columns[place].leaves and _excess(widths, room) > 0:
            del widths[place]
    _narrow(widths, dict.fromkeys(reasons, FOLDED), room)
    _narrow(widths, dict.fromkeys(names, NARROWEST), room)
    _narrow(widths, dict.fromkeys(reasons, LEAST), room)
    _widen(widths, [*reasons, *names], natural, room)
    return Layout(tuple(widths), tuple(widths.values()))


def _excess(widths: Mapping[int, int], room: int) -> int:
    """Return the number of cells that the columns take beyond the room, with a blank at each side."""
    return 2 + sum(widths.values()) + len(BETWEEN) * (len(widths) - 1) - room


def _narrow(widths: dict[int, int], lowest: Mapping[int, int], room: int) -> None:
    """Take the excess from these columns, the widest first, down to their lowest widths."""
    for place in sorted(widths.keys() & lowest.keys(), key=lambda place: -widths[place]):
        less = min(_excess(widths, room), widths[place] - lowest[place])
        widths[place] -= max(0, less)


def _widen(widths: dict[int, int], places: Iterable[int], natural: Sequence[int], room: int) -> None:
    """Give these columns the room that the columns left out have freed, one after the other."""
    for place in places:
        if place in widths:
            more = min(-_excess(widths, room), natural[place] - widths[place])
            widths[place] += max(0, more)


def make_table(columns: Sequence[Column], rows: Callable[[], Iterable[Row]]) -> "ShortTable | LongTable":
    """Return the table for this number of rows; `rows` returns a new iterator at each call."""
    first = list(islice(rows(), DRAWN_AT_MOST + 1))
    return LongTable(columns, rows) if len(first) > DRAWN_AT_MOST else ShortTable(columns, first)


class ShortTable:
    """A table that is drawn as a whole, with as many columns as the screen has room for."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Take the columns and the rows."""
        self._columns = columns
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the table in the width of the screen."""
        yield self._drawn(fit(self._columns, _natural(self._columns, self._rows), options.max_width))

    def _drawn(self, layout: Layout) -> RenderableType:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold", expand=False)
        for place, width in zip(layout.places, layout.widths, strict=True):
            column = self._columns[place]
            table.add_column(
                column.heading,
                justify="right" if column.right else "left",
                no_wrap=not column.folds,
                overflow="fold" if column.folds else "ellipsis",
                width=width,
            )
        for row in self._rows:
            table.add_row(*(row[place] for place in layout.places))
        return table


class LongTable:
    """A table that is never in memory at once: plain lines, whose column widths follow from the first rows."""

    def __init__(self, columns: Sequence[Column], rows: Callable[[], Iterable[Row]]) -> None:
        """Take the columns and the rows."""
        self._columns = columns
        self._rows = rows

    def lines(self, room: int) -> Iterator[str]:
        """Yield the table line by line, without line ends. Reasons are not folded, so that a line is a row."""
        rows = iter(self._rows())
        first = list(islice(rows, DRAWN_AT_MOST))
        layout = fit(self._columns, _natural(self._columns, first), room)
        yield self._line(tuple(Text(column.heading) for column in self._columns), layout)
        yield " " + "-" * (sum(layout.widths) + len(BETWEEN) * (len(layout.widths) - 1))
        for row in chain(first, rows):
            yield self._line(row, layout)

    def _line(self, row: Row, layout: Layout) -> str:
        shown = zip(layout.places, layout.widths, strict=True)
        cells = (_fitted(row[place].plain, self._columns[place], width) for place, width in shown)
        return f" {BETWEEN.join(cells)}".rstrip()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines for rich, as part of another view."""
        for line in self.lines(options.max_width):
            yield Segment(line)
            yield Segment.line()


def _natural(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """Return the width of the widest text of each column, the heading included."""
    return [
        max(cell_len(column.heading), *(cell_len(row[place].plain) for row in rows), 0) for place, column in enumerate(columns)
    ]


def _fitted(text: str, column: Column, width: int) -> str:
    size = len(text) if text.isascii() else cell_len(text)
    if column.most is not None and size > (limit := max(width, min(column.most, NARROWEST))):
        text, size = set_cell_size(text, limit - 1) + "…", limit
    # A later cell may be wider than those of the first rows. Its line is then longer, and is not cut.
    blanks = " " * (width - size)
    return blanks + text if column.right else text + blanks
