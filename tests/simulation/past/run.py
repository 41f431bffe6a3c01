"""Runs seeds of a year, each in its own event loops."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import process_time

from simulation.past.judge import Judge
from simulation.past.loop import YearLoop
from simulation.past.scenario import Kind, Scenario, draw
from simulation.past.world import World
from simulation.run import Outcome


@dataclass(slots=True)
class Played:
    """The years of one seed, and what the judge has found."""

    scenario: Scenario
    judge: Judge
    worlds: list[World] = field(default_factory=list)
    virtual_s: float = 0.0
    error: Exception | None = None

    def live(self, *, dry_run: bool = True, right_clock: bool = False) -> World:
        """Live a year, and judge it."""
        with asyncio.Runner(loop_factory=YearLoop) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, YearLoop)
            world = World(self.scenario, loop, dry_run, right_clock)
            self.worlds.append(world)
            runner.run(world.live())
            self.virtual_s += loop.time()
            runner.run(self.judge.judge_year(world))
        return world


def play(seed: int) -> Played:
    """Run one seed; an error that is raised counts as invariant 0."""
    scenario = draw(seed)
    played = Played(scenario, Judge(scenario))
    try:
        _play(played)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is what this seed has found
        played.judge.found.append((0, f"{type(error).__name__}: {error}"))
        played.error = error
    return played


def _play(played: Played) -> None:
    judge = played.judge
    match played.scenario.kind:
        case Kind.SWEPT:
            played.live(dry_run=False)
        case Kind.TWICE:
            swept, dry = played.live(dry_run=False), played.live()
            asyncio.run(judge.judge_twin(swept, dry))
        case Kind.STEPPED:
            right, stepped = played.live(right_clock=True), played.live()
            asyncio.run(judge.judge_stepped(right, stepped))
        case Kind.WATCHED:
            asyncio.run(judge.judge_tampered(played.live()))


def run(seed: int) -> Outcome:
    """Run one seed, and return its outcome."""
    begun_s = process_time()
    played = play(seed)
    counts = sum((world.counts for world in played.worlds), Counter(played.judge.counts))
    counts[f"kind: {played.scenario.kind}"] += 1
    return Outcome(seed, played.judge.found, +counts, played.virtual_s, process_time() - begun_s)


def run_all(seeds: Iterable[int]) -> list[Outcome]:
    """Run several seeds."""
    return [run(seed) for seed in seeds]
