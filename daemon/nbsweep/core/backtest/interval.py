"""The Wilson score interval of a share, in closed form.

Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927. Unlike the textbook interval
around the share itself, it never leaves the range from 0 to 1, and it also says something about a share of 0.
"""

from math import sqrt

from msgspec import Struct

Z_95 = 1.959963984540054
"""The quantile of the normal distribution that leaves 2.5 % on each side."""


class Interval(Struct, frozen=True):
    """The bounds of a share, from 0 to 1."""

    low: float
    high: float


def wilson(hits: int, of: int) -> Interval:
    """Return the 95 % interval of the share behind `hits` of `of` observations; everything if there are none.

    Raises:
        ValueError: the numbers are not those of a share.
    """
    if not 0 <= hits <= of:
        message = f"{hits} of {of} is no share"
        raise ValueError(message)
    if of == 0:
        return Interval(0.0, 1.0)
    share, spread = hits / of, Z_95**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 * sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    # At the ends of the range the bound is exact, which the arithmetic of floating point may miss by a little.
    return Interval(0.0 if hits == 0 else max(0.0, middle - half), 1.0 if hits == of else min(1.0, middle + half))
