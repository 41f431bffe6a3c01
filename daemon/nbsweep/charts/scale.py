"""The values at which an axis has lines: 0, and a few round steps."""

import math

STEPS = (1, 2, 5)
MOST_LINES = 5
"""Without the one at 0."""


def ticks(largest: float, *, whole: bool = True) -> tuple[float, ...]:
    """Return the values from 0 to the first round one that is not below `largest`; `whole` keeps to whole numbers."""
    if largest <= 0:
        return (0, 1)
    step = _step(largest / MOST_LINES)
    if whole:
        step = max(1, step)
    count = max(1, math.ceil(round(largest / step, 9)))
    return tuple(round(step * place, 9) for place in range(count + 1))


def compact(value: float) -> str:
    """Return a value for the label of an axis: 900, 1.2k, 15k, 2M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.2f}".rstrip("0").rstrip(".") + letter
    return f"{value:g}"


def every(count: int, most: int) -> int:
    """Return how many places to go on from one label to the next, so that at most `most` of `count` are shown."""
    return max(1, -(-count // most))


def _step(least: float) -> float:
    """Return the smallest round step that is not below `least`."""
    power = math.floor(math.log10(least))
    # One power more, because the logarithm of a power of ten may come out a little too small or too large.
    return min(
        step * 10.0**exponent
        for exponent in (power - 1, power, power + 1)
        for step in STEPS
        if step * 10.0**exponent >= least * (1 - 1e-9)
    )
