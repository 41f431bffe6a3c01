"""Random numbers that do not depend on the order of events: each is a hash of the seed and a key."""

import math
from hashlib import blake2b
from random import Random
from statistics import NormalDist

_NORMAL = NormalDist()
_STEPS = 1 << 64


class Randomness:
    """The random numbers of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def number(self, *key: object) -> float:
        """Return a number in (0, 1) that is always the same for the same key."""
        digest = blake2b("\x1f".join(map(str, (self._seed, *key))).encode(), digest_size=8).digest()
        return (int.from_bytes(digest) + 0.5) / _STEPS

    def lognormal(self, median: float, spread: float, *key: object) -> float:
        """Return a duration around `median`; `spread` is the sigma of its logarithm."""
        if not median or not spread:
            return median
        return median * math.exp(spread * _NORMAL.inv_cdf(min(self.number(*key), 1 - 1e-12)))

    def stream(self, *key: object) -> Random:
        """Return a separate generator for one key."""
        return Random("\x1f".join(map(str, (self._seed, *key))))
