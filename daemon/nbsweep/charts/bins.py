"""Counts durations between round edges, for a histogram."""

import math
from collections.abc import Sequence

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
    if not durations_s:
        return Bins((0.0,), ())
    usual_s = sorted(durations_s)[math.ceil(USUAL * len(durations_s)) - 1]
    width_s = next((each for each in WIDTHS_S if usual_s < each * (MOST_BINS - 1)), usual_s / (MOST_BINS - 2))
    last = int(max(0.0, *durations_s) // width_s)
    limit = int(usual_s // width_s) + 1
    count = min(last, limit) + 1
    found = [0] * count
    for duration_s in durations_s:
        found[min(count - 1, int(max(0.0, duration_s) // width_s))] += 1
    edges = [place * float(width_s) for place in range(count + 1)]
    return Bins((*edges[:-1], math.inf if last > limit else edges[-1]), tuple(found))
