"""The lines of an axis, and the bins of durations, against values worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbsweep.charts.bins import Bins, bins_of, bins_of_counts, quantile_s
from nbsweep.charts.scale import compact, every, ticks


@pytest.mark.parametrize(
    ("largest", "expected"),
    [
        (0, (0, 1)),
        (1, (0, 1)),
        (3, (0, 1, 2, 3)),
        (5, (0, 1, 2, 3, 4, 5)),
        (6, (0, 2, 4, 6)),
        (23, (0, 5, 10, 15, 20, 25)),
        (100, (0, 20, 40, 60, 80, 100)),
        (101, (0, 50, 100, 150)),
        (1000, (0, 200, 400, 600, 800, 1000)),
        (12_345, (0, 5000, 10_000, 15_000)),
    ],
)
def test_an_axis_of_numbers_has_at_most_five_round_steps(largest: int, expected: tuple[float, ...]) -> None:
    """Steps are 1, 2 or 5 times a power of ten, and whole."""
    assert ticks(largest) == expected


@pytest.mark.parametrize(
    ("largest", "expected"),
    [(0.3, (0, 0.1, 0.2, 0.3)), (2.4, (0, 0.5, 1, 1.5, 2, 2.5)), (17.2, (0, 5, 10, 15, 20)), (100, (0, 20, 40, 60, 80, 100))],
)
def test_an_axis_of_percent_may_have_fractions(largest: float, expected: tuple[float, ...]) -> None:
    """Small shares are not squeezed to the bottom of the chart."""
    assert ticks(largest, whole=False) == expected


@given(largest=st.floats(1e-3, 1e12))
def test_the_last_line_is_the_first_that_covers_everything(largest: float) -> None:
    """No bar is higher than the chart, and none is lower than half of it."""
    lines = ticks(largest, whole=False)
    assert 2 <= len(lines) <= 6
    assert lines[-1] >= largest * (1 - 1e-6)
    assert lines[-2] < largest


def test_labels_of_an_axis_are_short() -> None:
    """Thousands and millions by their letters."""
    assert [compact(value) for value in (0, 0.5, 900, 1000, 1500, 20_000, 2_000_000)] == [
        *("0", "0.5", "900", "1k", "1.5k", "20k", "2M")
    ]


def test_at_most_so_many_labels_are_shown() -> None:
    """Every one, every second one, and so on."""
    assert [every(count, 6) for count in (0, 1, 6, 7, 12, 13, 30, 53)] == [1, 1, 1, 2, 2, 3, 5, 9]


def test_durations_are_counted_between_round_edges() -> None:
    """A value at an edge belongs to the bin that begins there."""
    assert bins_of([0, 1.9, 2, 9.9, 19]) == Bins((0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20), (2, 1, 0, 0, 1, 0, 0, 0, 0, 1))
    assert bins_of([]) == Bins((0,), ())
    assert bins_of([0]) == Bins((0, 1), (1,))


def test_a_few_very_long_ones_share_the_last_bin() -> None:
    """99 that took 20 to 29 s and one that took an hour: eleven bins of seconds would all be empty."""
    bins = bins_of([*(20 + place % 10 for place in range(99)), 3600])
    assert list(bins.edges_s) == [0, 5, 10, 15, 20, 25, 30, math.inf]
    assert bins.counts == (0, 0, 0, 0, 50, 49, 1)


@given(durations_s=st.lists(st.floats(0, 1e9), min_size=1, max_size=50))
def test_every_duration_is_in_one_bin(durations_s: list[float]) -> None:
    """Whatever they are, there are few bins, and nothing is lost."""
    bins = bins_of(durations_s)
    assert sum(bins.counts) == len(durations_s)
    assert len(bins.edges_s) == len(bins.counts) + 1 <= 14
    assert list(bins.edges_s) == sorted(bins.edges_s)


def test_durations_may_be_counted_already() -> None:
    """A duration that occurs a thousand times is one entry."""
    assert bins_of_counts({0: 1, 1.5: 2, 3: 1000}) == bins_of([0, 1.5, 1.5, *[3] * 1000])
    assert bins_of_counts({}) == bins_of([])


@pytest.mark.parametrize(
    ("durations", "share", "length"),
    [({20: 1}, 0.5, 20), ({10: 1, 30: 1}, 0.5, 10), ({30: 19, 60: 1}, 0.95, 30), ({1: 9, 9: 1}, 1, 9)],
)
def test_a_share_of_the_durations_does_not_exceed_its_quantile(
    durations: dict[float, int], share: float, length: float
) -> None:
    """The shortest one that is long enough."""
    assert quantile_s(durations, share) == length
