"""`python -m simulation.people`, with `tests` on the path: the simulation of announced deletions."""

import sys
from collections.abc import Iterable

from simulation.__main__ import Simulation, main
from simulation.people.report import broken, trace
from simulation.people.run import play, run_all


def replay(seed: int) -> tuple[Iterable[str], bool]:
    """Run a seed again."""
    world = play(seed)
    return trace(world), bool(world.judge.found)


if __name__ == "__main__":
    sys.exit(main(Simulation(run_all, replay, broken)))
