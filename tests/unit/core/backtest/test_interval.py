"""The Wilson interval, against values of the literature and by its properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import searching
from nbsweep.core.backtest.interval import Interval, wilson

SHARES = st.integers(0, 2000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_it_has_the_published_values(hits: int, of: int, low: float, high: float) -> None:
    """To the four digits that were published."""
    found = wilson(hits, of)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_without_an_observation_nothing_is_known() -> None:
    """The interval is everything."""
    assert wilson(0, 0) == Interval(0.0, 1.0)


@pytest.mark.parametrize(("hits", "of"), [(-1, 3), (4, 3), (0, -1)])
def test_what_is_no_share_is_refused(hits: int, of: int) -> None:
    """A mistake of the caller is not hidden."""
    with pytest.raises(ValueError, match="no share"):
        wilson(hits, of)


@searching
@given(SHARES)
def test_it_is_within_the_range_and_contains_the_share(share: tuple[int, int]) -> None:
    """From 0 to 1, and touching an end only if the share does."""
    hits, of = share
    found = wilson(hits, of)
    assert 0 <= found.low <= found.high <= 1
    if of:
        assert found.low <= hits / of <= found.high
        assert (found.low == 0) == (hits == 0)
        assert (found.high == 1) == (hits == of)


@searching
@given(SHARES)
def test_it_is_symmetric(share: tuple[int, int]) -> None:
    """The interval of the misses is that of the hits, seen from the other end."""
    hits, of = share
    found, other = wilson(hits, of), wilson(of - hits, of)
    assert found.low == pytest.approx(1 - other.high, abs=1e-12)
    assert found.high == pytest.approx(1 - other.low, abs=1e-12)


@searching
@given(SHARES.filter(lambda share: share[1] > 0), st.integers(2, 9))
def test_more_observations_of_the_same_share_make_it_smaller(share: tuple[int, int], times: int) -> None:
    """The same rate of several times as many."""
    hits, of = share
    small, large = wilson(hits, of), wilson(hits * times, of * times)
    assert large.high - large.low < small.high - small.low
