"""Tables of any length: a short one is drawn by rich; a long one is written row by row, for rich keeps every cell of a table.

A hundred thousand rows drawn by rich took 82 s and 616 MB.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

from msgspec import Struct
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

DRAWN_AT_MOST = 500
"""Rows; also so many are looked at for the widths of a longer table's columns."""
WIDEST = 36
"""Cells, of a column of names."""
BETWEEN = "   "

Row = tuple[Text, ...]


class Column(Struct, frozen=True):
    """A column of a table."""

    heading: str
    right: bool = False
    most: int | None = None
    """Largest width in characters, longer text is cut; None for no limit."""
    folds: bool = False
    """Whether long text continues on further lines."""


def make_table(columns: Sequence[Column], rows: Callable[[], Iterable[Row]]) -> "Table | LongTable":
    """Return the table for this number of rows; `rows` returns a new iterator at each call."""
    first = list(islice(rows(), DRAWN_AT_MOST + 1))
    if len(first) > DRAWN_AT_MOST:
        return LongTable(columns, rows)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", expand=False)
    for column in columns:
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
            max_width=column.most,
        )
    for row in first:
        table.add_row(*row)
    return table


class LongTable:
    """A table that is never there as a whole: plain lines, whose columns are as wide as the first rows need."""

    def __init__(self, columns: Sequence[Column], rows: Callable[[], Iterable[Row]]) -> None:
        """Take the columns and the rows."""
        self._columns = columns
        self._rows = rows

    def lines(self) -> Iterator[str]:
        """Yield the table line by line, without line ends."""
        rows = iter(self._rows())
        first = list(islice(rows, DRAWN_AT_MOST))
        headings = tuple(Text(column.heading) for column in self._columns)
        widths = [self._width(place, [headings, *first]) for place in range(len(self._columns))]
        yield self._line(headings, widths)
        yield " " + "-" * (sum(widths) + len(BETWEEN) * (len(widths) - 1))
        for row in chain(first, rows):
            yield self._line(row, widths)

    def _width(self, place: int, rows: Sequence[Row]) -> int:
        column = self._columns[place]
        widest = max(cell_len(row[place].plain) for row in rows)
        return widest if column.most is None else min(widest, column.most)

    def _line(self, row: Row, widths: Sequence[int]) -> str:
        cells = (_fitted(row[place].plain, column, widths[place]) for place, column in enumerate(self._columns))
        return f" {BETWEEN.join(cells)}".rstrip()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Write the lines where something else is drawn too."""
        for line in self.lines():
            yield Segment(line)
            yield Segment.line()


def _fitted(text: str, column: Column, width: int) -> str:
    size = len(text) if text.isascii() else cell_len(text)
    if column.most is not None and size > column.most:
        text, size = set_cell_size(text, column.most - 1) + "…", column.most
    # A later cell may be wider than the first ones: its line is longer then, and nothing of it is lost.
    blanks = " " * (width - size)
    return blanks + text if column.right else text + blanks
