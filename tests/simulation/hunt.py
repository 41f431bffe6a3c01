"""Hunts for the first seed that catches each planted bug: `make plants`, whose result is kept in `caught.py`.

A hunt takes minutes. The tests try the kept seed first, and hunt only if it catches its bug no more.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import count, islice
from random import Random
from typing import Any

import pytest

from simulation import plants, scenario
from simulation import run as sweeps
from simulation.caught import CAUGHT

WITHIN = 200
"""A planted bug has to be caught within so many seeds that have what it needs."""
KINDS = ("sweeps", "people", "past")


def seeds_with(needs: Callable[[Any], bool], draw: Callable[[int], Any]) -> Iterator[int]:
    """Yield the first seeds that have what a bug needs; drawn one by one, because the last may be the nine thousandth."""
    return islice((seed for seed in count() if needs(draw(seed))), WITHIN)


def known_first(name: str, kind: str, needs: Callable[[Any], bool], draw: Callable[[int], Any]) -> Iterator[int]:
    """Yield the seed that is known to catch a bug, and then those of a hunt."""
    known = CAUGHT[kind].get(name)
    if known is not None and needs(draw(known)):
        yield known
    yield from seeds_with(needs, draw)


def draw_sweep(seed: int) -> Any:
    """Draw the scenario of a seed of the sweeps."""
    return scenario.draw(seed, Random(seed))


def hunt(kind: str) -> Iterator[tuple[str, int | None, int]]:
    """Yield each planted bug of a kind with the first seed that catches it, and how many seeds that took."""
    planted, run = (plants, sweeps) if kind == "sweeps" else _modules(kind)
    draw = draw_sweep if kind == "sweeps" else import_module(f"simulation.{kind}.scenario").draw
    for name, (plant, _) in planted.PLANTS.items():
        tried = 0
        with pytest.MonkeyPatch.context() as patch:
            seeds = list(seeds_with(planted.NEEDS.get(name, planted.anything), draw)) if kind != "sweeps" else None
            found = None
            plant(patch)
            for seed in seeds or seeds_with(planted.NEEDS.get(name, planted.anything), draw):
                tried += 1
                if run.run(seed).found:
                    found = seed
                    break
        yield name, found, tried


def _modules(kind: str) -> tuple[Any, Any]:
    return import_module(f"simulation.{kind}.planted"), import_module(f"simulation.{kind}.run")


def main() -> None:
    """Hunt for all bugs of one kind, and print what `caught.py` keeps."""
    parser = ArgumentParser(prog="simulation.hunt", description=main.__doc__)
    parser.add_argument("kind", choices=KINDS)
    for name, seed, tried in hunt(parser.parse_args().kind):
        sys.stdout.write(f'        "{name}": {seed},  # the {tried}. seed\n')
        sys.stdout.flush()


if __name__ == "__main__":
    main()
