"""Hunts for the first seed that catches each planted bug: `make plants`, whose result is kept in `caught.py`.

A hunt takes minutes. The tests try the kept seed first, and hunt only if it catches its bug no more.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import count, islice
from random import Random
from typing import Any

import pytest

from simulation import plants, scenario
from simulation import run as sweeps
from simulation.caught import CAUGHT
from simulation.run import Outcome

WITHIN = 200
"""A planted bug has to be caught within so many seeds that have what it needs."""
KINDS = ("sweeps", "people", "past")


@dataclass(frozen=True, slots=True)
class Bugs:
    """The bugs of one kind, and the simulation that has to catch them."""

    kind: str
    plants: Mapping[str, tuple[Callable[[pytest.MonkeyPatch], None], Collection[int]]]
    """Plants a bug; the invariants of which one must show it."""
    needs: Mapping[str, Callable[[Any], bool]]
    """What a scenario must have, so that a bug can show."""
    draw: Callable[[int], Any]
    run: Callable[[int], Outcome]

    @classmethod
    def of(cls, kind: str) -> "Bugs":
        """Return the bugs of a kind."""
        if kind == "sweeps":
            return cls(kind, plants.PLANTS, plants.NEEDS, _draw_sweep, sweeps.run)
        planted, scenes, runs = (import_module(f"simulation.{kind}.{name}") for name in ("planted", "scenario", "run"))
        return cls(kind, planted.PLANTS, planted.NEEDS, scenes.draw, runs.run)

    def seeds(self, name: str) -> Iterator[int]:
        """Yield the first seeds that have what a bug needs; drawn one by one, because the last may be the nine thousandth."""
        return islice((seed for seed in count() if self._may_show(name, seed)), WITHIN)

    def known_first(self, name: str) -> Iterator[int]:
        """Yield the seed that is known to catch a bug, and then those of a hunt."""
        known = CAUGHT[self.kind].get(name)
        if known is not None and self._may_show(name, known):
            yield known
        yield from self.seeds(name)

    def first_caught(self, seeds: Iterable[int]) -> Outcome | None:
        """Run seeds until one finds a violation."""
        return next((one for one in map(self.run, seeds) if one.found), None)

    def hunt(self) -> Iterator[tuple[str, int | None, int]]:
        """Yield each bug with the first seed that catches it, and how many seeds that took."""
        for name, (plant, _) in self.plants.items():
            # The seeds are drawn before the bug is planted, which may change what a scenario has.
            seeds = list(self.seeds(name))
            with pytest.MonkeyPatch.context() as patch:
                plant(patch)
                caught = self.first_caught(seeds)
            yield (name, caught.seed, seeds.index(caught.seed) + 1) if caught else (name, None, len(seeds))

    def _may_show(self, name: str, seed: int) -> bool:
        return name not in self.needs or self.needs[name](self.draw(seed))


def _draw_sweep(seed: int) -> Any:
    return scenario.draw(seed, Random(seed))


def main() -> None:
    """Hunt for all bugs of one kind, and print what `caught.py` keeps."""
    parser = ArgumentParser(prog="simulation.hunt", description=main.__doc__)
    parser.add_argument("kind", choices=KINDS)
    for name, seed, tried in Bugs.of(parser.parse_args().kind).hunt():
        sys.stdout.write(f'        "{name}": {seed},  # the {tried}. seed\n')
        sys.stdout.flush()


if __name__ == "__main__":
    main()
