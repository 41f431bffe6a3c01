"""Runs seeds of announced deletions, each in its own event loop."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from time import process_time

from nbsweep.testing.loop import VirtualLoop
from simulation.people.scenario import draw
from simulation.people.world import World
from simulation.run import Outcome

TOLD = frozenset({"mark.made", "mark.told", "mark.cleared", "mark.untold", "message.delayed", "message.failed", "relay.failed"})
DONE = ("is started", "has its lease renewed", "is tagged", "is untagged", "is created")


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
    return Outcome(seed, world.judge.found, count_events(world), world.loop.time(), process_time() - begun_s)


def count_events(world: World) -> Counter[str]:
    """Count what happened: events of nbsweep, letters, DELETEs and what people did."""
    truth, found = world.truth, Counter(world.counts)
    found.update({f"nbsweep: {name}": count for name, count in world.telemetry.events.items() if name in TOLD})
    found["letters: sent"] = len(truth.letters)
    found["letters: accepted"] = sum(letter.at is not None for letter in truth.letters)
    found["letters: accepted, and the process does not know"] = sum(
        letter.at is not None and not letter.counts for letter in truth.letters
    )
    found["DELETE accepted"] = len(truth.deleted)
    found["exemption"] = len(world.judge.exemptions)
    found["lives"], found["sweeps"] = len(world.lives), len(world.sweeps)
    found.update(f"people: {what}" for _, line in truth.lines for what in DONE if line.endswith(what))
    return +found


def run_all(seeds: Iterable[int]) -> list[Outcome]:
    """Run several seeds."""
    return [run(seed) for seed in seeds]
