"""Counts durations between round edges, for a histogram."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate

from msgspec import Struct

MINUTE, HOUR, DAY = 60, 3600, 86_400
WIDTHS_S = (
    *(1, 2, 5, 10, 20, 30),
    *(each * MINUTE for each in (1, 2, 5, 10, 20, 30)),
    *(each * HOUR for each in (1, 2, 6, 12)),
    *(each * DAY for each in (1, 2, 7, 14, 30, 90, 365)),
)
MOST_BINS = 12
USUAL = 0.95
"""The share of the values that decides on the width, so that a few very long ones do not hide all others in one bar."""


class Bins(Struct, frozen=True):
    """Counts of durations between edges."""

    edges_s: tuple[float, ...]
    """One more than there are counts; the last one is infinite if a few values are far beyond the others."""
    counts: tuple[int, ...]


def bins_of(durations_s: Sequence[float]) -> Bins:
    """Return the bins of durations; a duration at an edge belongs to the bin that begins there. Without any there is none."""
    return bins_of_counts(Counter(durations_s))


def bins_of_counts(durations: Mapping[float, int]) -> Bins:
    """Return the bins of durations in seconds, each with the number of times that it occurs, which is not 0."""
    if not durations:
        return Bins((0.0,), ())
    usual_s = quantile_s(durations, USUAL)
    width_s = next((each for each in WIDTHS_S if usual_s < each * (MOST_BINS - 1)), usual_s / (MOST_BINS - 2))
    last = int(max(0.0, *durations) // width_s)
    limit = int(usual_s // width_s) + 1
    count = min(last, limit) + 1
    found = [0] * count
    for duration_s, times in durations.items():
        found[min(count - 1, int(max(0.0, duration_s) // width_s))] += times
    edges = [place * float(width_s) for place in range(count + 1)]
    return Bins((*edges[:-1], math.inf if last > limit else edges[-1]), tuple(found))


def quantile_s(durations: Mapping[float, int], share: float) -> float:
    """Return the duration that this share of all durations does not exceed; there is at least one."""
    lengths = sorted(durations)
    sums = list(accumulate(durations[each] for each in lengths))
    wanted = math.ceil(share * sums[-1])
    return next(length for length, so_far in zip(lengths, sums, strict=True) if so_far >= wanted)
