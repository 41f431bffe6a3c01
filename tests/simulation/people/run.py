"""Runs seeds of announced deletions, each in its own event loop."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import process_time

from simulation.loop import VirtualLoop
from simulation.people.scenario import draw
from simulation.people.world import World


@dataclass(slots=True)
class Outcome:
    """The outcome of one seed."""

    seed: int
    found: list[tuple[int, str]]
    counts: Counter[str] = field(default_factory=Counter)
    virtual_s: float = 0.0
    cpu_s: float = 0.0


def play(seed: int) -> World:
    """Run one seed, and return its world; an error that is raised counts as invariant 0."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        world = World(draw(seed), loop)
        try:
            runner.run(world.play())
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is what this seed has found
            world.judge.violation(0, f"{type(error).__name__}: {error}")
            world.error = error
    return world


def run(seed: int) -> Outcome:
    """Run one seed, and return its outcome."""
    begun_s = process_time()
    world = play(seed)
    counts = Counter(world.counts)
    return Outcome(seed, world.judge.found, counts, world.loop.time(), process_time() - begun_s)


def run_all(seeds: Iterable[int]) -> list[Outcome]:
    """Run several seeds."""
    return [run(seed) for seed in seeds]


def first_caught(seeds: Iterable[int]) -> Outcome | None:
    """Run seeds until one finds a violation."""
    return next((one for one in map(run, seeds) if one.found), None)
