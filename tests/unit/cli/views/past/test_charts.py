"""Charts in the terminal: lengths worked out by hand, in colour, without it, and in ASCII."""

import io
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console, RenderableType

from builders import NOON, ago
from nbsweep.cli.views.past.charts import ASCII_SIGNS, IntervalBar, cells_of
from nbsweep.cli.views.past.history_chart import history_chart
from nbsweep.cli.views.past.threshold_chart import threshold_chart
from nbsweep.core.backtest.interval import wilson
from nbsweep.core.backtest.model import Period
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.statistics.model import PeriodCounts
from nbsweep.core.statistics.periods import Span, Step
from nbsweep.documents.past.backtest import BacktestDocument, LabelCountsDocument, MaxRegretDocument, ThresholdDocument
from nbsweep.documents.past.backtest_result import BacktestResult, backtest_document

SPAN = Span(date(2026, 11, 27), date(2026, 11, 30), Step.DAY, ZoneInfo("Asia/Shanghai"))
PERIODS = [
    PeriodCounts(date(2026, 11, 27), {}),
    PeriodCounts(date(2026, 11, 28), {"deleted": 40, "failed": 5, "timed_out": 5}, 1200),
    PeriodCounts(date(2026, 11, 29), {}),
    PeriodCounts(date(2026, 11, 30), {"deleted": 24, "failed": 1}, 300),
]


def drawn(width: int = 80, encoding: str = "utf-8", **console: object) -> list[str]:
    """Return the lines of the chart on a console."""
    return view_lines(history_chart(PERIODS, SPAN), width, encoding, **console)


def view_lines(view: RenderableType, width: int = 80, encoding: str = "utf-8", **console: object) -> list[str]:
    """Return the lines of a view on a console."""
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(file=written, width=width, highlight=False, **console).print(view)  # type: ignore[arg-type]
    written.seek(0)
    return [line.rstrip() for line in written.read().splitlines()]


@pytest.mark.parametrize(
    ("values", "largest", "width", "expected"),
    [
        ([50, 0, 0], 100, 40, [20, 0, 0]),
        ([90, 5, 5], 100, 40, [36, 2, 2]),
        ([1, 0, 0], 1000, 40, [1, 0, 0]),
        ([998, 1, 1], 1000, 40, [38, 1, 1]),  # 40, 0 and 0 by rounding: the largest gives way
        ([1, 1, 1], 3, 2, [1, 1, 1]),
        ([0, 0, 0], 0, 40, [0, 0, 0]),
    ],
)
def test_a_part_that_is_not_nothing_can_be_seen(values: list[int], largest: int, width: int, expected: list[int]) -> None:
    """One failure among a thousand is one cell, and the bar is no longer for it."""
    assert cells_of(values, largest, width) == expected


def test_eighty_columns_hold_bars_and_figures() -> None:
    """The longest bar has 28 cells, of which a tenth failed; the next one half of it. Days before the first are left out."""
    lines = drawn()
    assert max(map(cell_len, lines)) <= 80
    assert lines[0] == "Removals by day, 2026-11-27 to 2026-11-30 (Asia/Shanghai)"
    assert lines[1] == " ██ deleted   ▒▒ failed   ░░ timed out"
    rows = {line.split()[1]: line.split()[2:] for line in lines if "2026-11" in line and line.startswith(" ")}
    assert list(rows) == ["2026-11-28", "2026-11-29", "2026-11-30"]
    bar = rows["2026-11-28"][0]
    assert bar == "█" * 22 + "▒▒▒" + "░░░"  # of 28 cells: a tenth of them is 2.8
    assert rows["2026-11-30"][0] == "█" * 13 + "▒"
    assert rows["2026-11-28"][1:] == ["40", "5", "5", "1200"]
    assert rows["2026-11-29"] == ["0", "0", "0", "0"]
    assert rows["2026-11-30"][1:] == ["24", "1", "0", "300"]
    assert " ".join(lines[-2:]) == "In all: 64 deleted, 6 failed, 5 timed out; 1500 GB reclaimed. None ended before 2026-11-28."


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_chart_fits_any_width_and_a_bar_never_grows_beyond_sixty_cells(width: int) -> None:
    """The figures are whole at each."""
    lines = drawn(width)
    assert max(map(cell_len, lines[1:-1])) <= width
    assert max(line.count("█") + line.count("▒") + line.count("░") for line in lines) <= 60
    assert any(line.endswith("1200") for line in lines)


def test_without_colour_the_parts_differ_by_their_characters() -> None:
    """NO_COLOR and a pipe: no colour in the output, and the same characters."""
    plain = drawn()
    assert "\x1b" not in "".join(plain)
    coloured = "\n".join(drawn(force_terminal=True, color_system="standard"))
    assert "\x1b[32m█" in coloured
    assert "\x1b[31m▒" in coloured
    assert "\x1b[33m░" in coloured
    without = "\n".join(drawn(force_terminal=True, color_system="standard", no_color=True))
    assert not any(f"\x1b[3{number}m" in without for number in range(8))
    assert {"█", "▒", "░"} <= set(without)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk"])
def test_a_terminal_that_is_not_unicode_gets_ascii(encoding: str) -> None:
    """Every character can be written, and the parts differ still."""
    text = "\n".join(drawn(encoding=encoding))
    assert text.isascii()
    assert " ## deleted   xx failed   .. timed out" in text
    assert re.search(r"[| ]#+x+\.+ *\| +40 ", text)


def test_weeks_and_months_are_named_by_their_beginning() -> None:
    """A month without a day."""
    weeks = Span(date(2026, 11, 23), date(2026, 11, 30), Step.WEEK, ZoneInfo("UTC"))
    months = Span(date(2026, 11, 1), date(2026, 11, 30), Step.MONTH, ZoneInfo("UTC"))
    for span, expected in ((weeks, " 2026-11-23 "), (months, " 2026-11 ")):
        written = io.StringIO()
        periods = [PeriodCounts(span.first, {"deleted": 1})]
        Console(file=written, width=80).print(history_chart(periods, span))
        assert expected in written.getvalue()


def interval(share: tuple[float, float, float] | None, limit: float | None = None) -> str:
    """Return an interval on 21 cells, one for each 5 % of an axis that ends at 100 %."""
    return "".join(IntervalBar(share, 1, limit).cells(21, ASCII_SIGNS))


@pytest.mark.parametrize(
    ("share", "limit", "expected"),
    [
        ((0.1, 0.2, 0.4), None, "  |-o---|            "),
        ((0, 0, 0.25), None, "o----|               "),
        ((1, 1, 1), None, "                    o"),
        ((0.1, 0.2, 0.4), 0.3, "  |-o-+-|            "),
        ((0.1, 0.2, 0.4), 0.2, "  |-o---|            "),
        ((0.1, 0.2, 0.4), 0.75, "  |-o---|      :     "),
        (None, 0.05, " :                   "),
        (None, None, " " * 21),
    ],
)
def test_an_interval_stands_in_the_scale_of_its_axis(
    share: tuple[float, float, float] | None, limit: float | None, expected: str
) -> None:
    """Lower end, share and upper end; the limit crosses the interval, and never hides the share."""
    assert interval(share, limit) == expected


def document() -> BacktestDocument:
    """Return the result of a back-test of nothing."""
    period = Period(ago(days=90), NOON, timedelta(days=30))
    return backtest_document(BacktestResult("current", period, [Coverage("research")], [Replayed()]))


def threshold(text: str, came_back: int, judged: int) -> ThresholdDocument:
    """Return the counts of a threshold."""
    bounds = wilson(came_back, judged)
    regret = came_back / judged if judged else None
    counts = LabelCountsDocument(judged, came_back, 0, judged - came_back, 0, {}, regret, bounds.low, bounds.high, 0)
    return ThresholdDocument(text, 0, counts, {})


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_thresholds_are_drawn_on_eighty_columns(encoding: str) -> None:
    """38 of 220 have an interval of 12.9 to 22.8 %, so that the axis ends at 25 %; none judged has no interval."""
    tried = replace(document(), thresholds=[threshold("7d", 38, 220), threshold("30d", 0, 0)])
    tried = replace(tried, max_regret=MaxRegretDocument(0.05, passed=False))
    lines = view_lines(threshold_chart(tried), encoding=encoding)
    assert max(map(cell_len, lines)) <= 80
    assert lines[0] == "What if idle_over were"
    assert lines[1].split("  ")[-1].strip().endswith("limit 5.0 %")
    text = "\n".join(lines)
    assert text.isascii() is (encoding == "ascii")
    assert re.search(r"0 % +25 %", text)
    row = next(line for line in lines if "7d" in line).replace("|", " ").split()
    assert row[-6:] == ["17.3", "%", "12.9-22.8", "%", "220", "38"]
    assert next(line for line in lines if "30d" in line).replace("|", " ").split()[-4:] == ["-", "-", "0", "0"]
