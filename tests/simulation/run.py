"""Runs seeds one after the other, each in its own event loop."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from time import process_time

import stamina

from nbsweep.testing.loop import VirtualLoop
from simulation.coverage import count_events
from simulation.scenario import draw
from simulation.world import World


@dataclass(slots=True)
class Outcome:
    """The outcome of one seed."""

    seed: int
    found: list[tuple[int, str]]
    """The violations: the number of the invariant, and a description."""
    counts: Counter[str] = field(default_factory=Counter)
    """How often each fault and event happened."""
    virtual_s: float = 0.0
    cpu_s: float = 0.0


# `http.retried` reports each retry; by default stamina prints it, too.
stamina.instrumentation.set_on_retry_hooks([])


def play(seed: int) -> World:
    """Run one seed, and return its world; an error that is raised counts as invariant 0."""
    random = Random(seed)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        world = World(draw(seed, random), random, loop)
        try:
            runner.run(world.play())
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is what this seed has found
            world.judge.record_violation(0, f"{type(error).__name__}: {error}")
            world.error = error
    return world


def run(seed: int) -> Outcome:
    """Run one seed, and return its outcome."""
    begun_s = process_time()
    world = play(seed)
    return Outcome(seed, world.judge.found, count_events(world), world.loop.time(), process_time() - begun_s)


def run_all(seeds: Iterable[int]) -> list[Outcome]:
    """Run several seeds."""
    return [run(seed) for seed in seeds]
