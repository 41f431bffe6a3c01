"""`python -m simulation`, with `tests` on the path: many seeds on several processes, or the trace of one."""

import argparse
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from time import monotonic

from simulation.report import broken, summary, table, trace
from simulation.run import Outcome, play, run_all

AT_ONCE = 25
"""The number of seeds that a process runs at a time."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulation, as this command runs it."""

    run_all: Callable[[Iterable[int]], list[Outcome]]
    replay: Callable[[int], tuple[Iterable[str], bool]]
    """Runs a seed again; returns its trace, and whether it has found a violation."""
    broken: Callable[[int, Sequence[tuple[int, str]]], Iterable[str]]


def replay(seed: int) -> tuple[Iterable[str], bool]:
    """Run a seed of the sweeps again."""
    world = play(seed)
    return trace(world), bool(world.judge.found)


SWEEPS = Simulation(run_all, replay, broken)


def main(simulation: Simulation) -> int:
    """Run the seeds; the exit code is 1 if one has found a violation."""
    wanted = _parser().parse_args()
    warnings.simplefilter("error")
    if wanted.seed is not None:
        lines, found = simulation.replay(wanted.seed)
        for line in lines:
            print(line)  # noqa: T201 -- the output of the command
        return int(found)
    begun_s, outcomes = monotonic(), []
    for one in _all(simulation, wanted.first, wanted.seeds, wanted.processes):
        outcomes.append(one)
        for line in simulation.broken(one.seed, one.found):
            print(line, flush=True)  # noqa: T201 -- likewise
        if len(outcomes) % wanted.progress == 0:
            print(summary(outcomes, monotonic() - begun_s), file=sys.stderr, flush=True)  # noqa: T201 -- likewise
    print(*table(outcomes), summary(outcomes, monotonic() - begun_s), sep="\n")  # noqa: T201 -- likewise
    return int(any(one.found for one in outcomes))


def _all(simulation: Simulation, first: int, count: int, processes: int) -> Iterator[Outcome]:
    """Run seeds on several processes, and yield their outcomes in order."""
    seeds = iter(range(first, first + count))
    with ProcessPoolExecutor(processes) as pool:
        for outcomes in pool.map(simulation.run_all, iter(lambda: list(islice(seeds, AT_ONCE)), [])):
            yield from outcomes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seed", type=int, metavar="N", help="run this seed, and print all that happens")
    parser.add_argument("--seeds", type=int, default=10_000, metavar="N", help="how many (10000)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first of them (0)")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="on how many processes (2)")
    parser.add_argument("--progress", type=int, default=500, metavar="N", help="a line for every so many seeds (500)")
    return parser


if __name__ == "__main__":
    sys.exit(main(SWEEPS))
