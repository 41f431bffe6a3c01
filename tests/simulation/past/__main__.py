"""`python -m simulation.past`, with `tests` on the path: back-tests over the simulated past of a year."""

import sys
from collections.abc import Iterable

from simulation.__main__ import Simulation, main
from simulation.past.report import broken, trace
from simulation.past.run import play, run_all


def replay(seed: int) -> tuple[Iterable[str], bool]:
    """Run a seed again."""
    played = play(seed)
    return trace(played), bool(played.judge.found)


if __name__ == "__main__":
    sys.exit(main(Simulation(run_all, replay, broken)))
