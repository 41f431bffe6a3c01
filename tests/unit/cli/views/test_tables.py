import io
from collections.abc import Iterator, Mapping, Sequence

import pytest
from rich.console import Console, Group
from rich.text import Text

from nbsweep.cli.text import csv_pieces
from nbsweep.cli.views.audit import COLUMNS as AUDIT_COLUMNS
from nbsweep.cli.views.fleet import COLUMNS as FLEET_COLUMNS
from nbsweep.cli.views.fleet import GOES
from nbsweep.cli.views.past.history import HISTORY_COLUMNS, REMOVAL_COLUMNS
from nbsweep.cli.views.plan import MARK_COLUMNS, PLAN_COLUMNS
from nbsweep.cli.views.results import REMOVAL_COLUMNS as REPORT_COLUMNS
from nbsweep.cli.views.results import text_pieces
from nbsweep.cli.views.tables import DRAWN_AT_MOST, Column, Layout, LongTable, Row, ShortTable, fit, make_table
from nbsweep.documents.base import Document

COLUMNS = (Column("NAME", most=8), Column("GB", right=True), Column("WHY", folds=True))


def row(*cells: str) -> Row:
    """Make a row."""
    return tuple(map(Text, cells))


def console() -> Console:
    """Make a console off a terminal."""
    return Console(file=io.StringIO(), width=40, highlight=False)


def test_a_long_table_has_columns_of_one_width() -> None:
    """As wide as its widest cell, counted as a terminal does, but cut where a limit is; numbers stand at the right."""
    rows = [row("a", "5", "idle"), row("笔记本", "1000", "idle for long"), row("a-much-too-long-name", "50", "[red]")]
    assert list(LongTable(COLUMNS, lambda: rows).lines(33)) == [
        " NAME          GB  WHY",
        " " + "-" * (10 + 2 + 4 + 2 + 13),
        " a              5  idle",
        " 笔记本      1000  idle for long",
        " a-much-to…    50  [red]",
    ]


# Of NOTEBOOK, OWNER, IDLE, GB and WHY: in 62 cells all have room; the reason takes the last of them.
NATURAL = (20, 8, 4, 3, 17)


@pytest.mark.parametrize(
    ("room", "places", "widths"),
    [
        (62, (0, 1, 2, 3, 4), (20, 8, 4, 3, 17)),
        (61, (0, 1, 2, 3, 4), (19, 8, 4, 3, 17)),
        (57, (0, 1, 2, 3, 4), (15, 8, 4, 3, 17)),
        (56, (0, 1, 3, 4), (20, 8, 3, 17)),
        (46, (0, 3, 4), (20, 3, 17)),
        (38, (0, 3, 4), (12, 3, 17)),
        (37, (0, 3, 4), (12, 3, 16)),
        (20, (0, 3, 4), (12, 3, 14)),
    ],
)
def test_the_least_needed_column_is_left_out_first(room: int, places: tuple[int, ...], widths: tuple[int, ...]) -> None:
    """Names are cut a little, then IDLE goes, then OWNER, then names are cut to 12 cells; numbers and reasons stay."""
    columns = (
        Column("NOTEBOOK", most=15),
        Column("OWNER", leaves=2),
        Column("IDLE", right=True, leaves=1),
        Column("GB", right=True),
        Column("WHY", folds=True),
    )
    assert fit(columns, NATURAL, room) == Layout(places, widths)


LONG_TEXT = 200
WORST: Mapping[str, int] = {
    "RUN": 23, "STARTED": 20, "TIME": 20, "TOOK": 7, "OUTCOME": 14, "FLEET": 6, "PLANNED": 7, "DELETED": 7, "FAILED": 6,
    "SPARED": 6, "GB": 6, "ENTRY": 7, "WHAT": 13, "STATUS": 13, "IDLE": 9, "ID": 8, "VERDICT": 7, "GOES": 10, "GRACE": 6,
    "DUE IF TOLD NOW": 17,
}  # fmt: skip
"""The widest text of each column of numbers, times and words of ours; names and reasons are as long as can be."""


@pytest.mark.parametrize(
    ("columns", "always"),
    [
        (PLAN_COLUMNS, {"NOTEBOOK", "GB", "WHY"}),
        (MARK_COLUMNS, {"NOTEBOOK", "OWNER", "DUE IF TOLD NOW", "WHY"}),
        (REPORT_COLUMNS, {"NOTEBOOK", "OUTCOME", "REASON"}),
        (HISTORY_COLUMNS, {"RUN", "OUTCOME", "DELETED", "FAILED", "GB"}),
        (REMOVAL_COLUMNS, {"NOTEBOOK", "POLICY", "GB", "WHY", "OUTCOME", "END"}),
        (AUDIT_COLUMNS, {"ENTRY", "WHAT", "NOTEBOOK", "WHY"}),
        ((*FLEET_COLUMNS[:-1], GOES, FLEET_COLUMNS[-1]), {"NOTEBOOK", "GB", "VERDICT", "GOES", "WHY"}),
    ],
)
def test_every_table_fits_eighty_columns_at_the_worst(columns: Sequence[Column], always: set[str]) -> None:
    """With the longest names and reasons, and the largest numbers; the columns that are never left out are there."""
    # A removal has shorter outcomes than a sweep.
    worst = {**WORST, "OUTCOME": 10} if columns is REMOVAL_COLUMNS else WORST
    natural = [worst.get(column.heading, LONG_TEXT) for column in columns]
    layout = fit(columns, natural, 80)
    assert sum(layout.widths) + 2 * (len(layout.widths) - 1) + 2 <= 80
    assert {columns[place].heading for place in layout.places} >= always
    whole = {columns[place].heading: width for place, width in zip(layout.places, layout.widths, strict=True)}
    assert [heading for heading in whole.keys() & worst.keys() if whole[heading] < worst[heading]] == []


def test_a_short_table_is_no_wider_than_the_screen_and_numbers_are_whole() -> None:
    """Where a column is missing, nothing else of the row is."""
    columns = (*COLUMNS[:2], Column("OWNER", leaves=1), COLUMNS[2])
    screen = console()
    screen.print(make_table(columns, lambda: [row("a-name-of-18-cells", "1000", "somebody", "idle 375d > 14d")]))
    assert isinstance(screen.file, io.StringIO)
    heading, line = (each.rstrip() for each in screen.file.getvalue().splitlines() if "GB" in each or "1000" in each)
    assert (heading, line) == (" NAME               GB  WHY", " a-name-of-18-c…  1000  idle 375d > 14d")


@pytest.mark.parametrize(("count", "kind"), [(0, ShortTable), (DRAWN_AT_MOST, ShortTable), (DRAWN_AT_MOST + 1, LongTable)])
def test_only_a_long_table_is_written_row_by_row(count: int, kind: type) -> None:
    """What a person can look through is drawn."""
    assert isinstance(make_table(COLUMNS, lambda: [row("a", "1", "b")] * count), kind)


def test_a_late_cell_that_is_wider_than_its_column_is_not_cut() -> None:
    """The widths are those of the first rows; nothing is lost where there is no limit."""
    rows = [*[row("a", "1", "x")] * DRAWN_AT_MOST, row("b", "123456", "y")]
    *_, last = LongTable(COLUMNS, lambda: rows).lines(40)
    assert last == " b     123456  y"


def test_a_long_table_is_never_there_as_a_whole() -> None:
    """Not more rows have been made than are needed for the lines that were taken, and the widths."""
    made = 0

    def rows() -> Iterator[Row]:
        nonlocal made
        for made in range(1, 10_001):
            yield row(f"n{made}", "1", "x")

    view = Group(make_table(COLUMNS, rows), Text("the end"))
    pieces = text_pieces(console(), view)
    for _ in range(2 + DRAWN_AT_MOST + 10):
        next(pieces)
    assert made == DRAWN_AT_MOST + 10
    *_, line, end = pieces
    assert (line, end) == (" n10000   1  x\n", "the end\n")


def test_a_long_table_is_drawn_beside_other_things_too() -> None:
    """Before a question on a terminal, every row of it."""
    screen = console()
    screen.print(Group(LongTable(COLUMNS, lambda: [row("a", "1", "x")] * 600), Text("the end")))
    assert isinstance(screen.file, io.StringIO)
    lines = screen.file.getvalue().splitlines()
    assert (len(lines), lines[-1]) == (603, "the end")


class Numbered(Document, frozen=True):
    """A row with a key that is no column."""

    id: int
    name: str
    more: str


def test_csv_is_written_row_by_row() -> None:
    """The rows of tens of thousands are never there as a whole."""
    made = 0

    def items() -> Iterator[Numbered]:
        nonlocal made
        for made in range(1, 101):
            yield Numbered(made, 'a,"b"', "left out")

    pieces = csv_pieces(items(), ["id", "name"])
    assert [next(pieces), next(pieces), made] == ["id,name\n", '1,"a,""b"""\n', 1]
    assert len(list(pieces)) == 99
