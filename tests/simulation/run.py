"""Runs seeds, one after the other, each in a loop of its own."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from time import process_time

from simulation.loop import VirtualLoop
from simulation.scenario import draw
from simulation.world import World


@dataclass(slots=True)
class Outcome:
    """What one seed came to."""

    seed: int
    found: list[tuple[int, str]]
    cpu_s: float
    counts: dict[str, int] = field(default_factory=dict)
    """How often each trouble struck."""
    virtual_s: float = 0.0
    steps: int = 0


def run(seed: int) -> Outcome:
    """Live through one seed."""
    return outcome(play(seed))


def play(seed: int) -> World:
    """Live through one seed, and give the world as it was left; a bug that is raised is broken promise number 0."""
    random = Random(seed)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        world = World(draw(seed, random), random, loop)
        try:
            runner.run(world.play())
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what this seed has found
            world.judge.blame(0, f"{type(error).__name__}: {error}")
            world.error = error
    return world


def outcome(world: World) -> Outcome:
    """Sum it up."""
    return Outcome(world.scenario.seed, world.judge.found, 0.0, {}, world.loop.time(), world.loop.steps)


def timed(seed: int) -> Outcome:
    """Live through one seed, and tell what it cost."""
    begun_s = process_time()
    found = run(seed)
    found.cpu_s = process_time() - begun_s
    return found
