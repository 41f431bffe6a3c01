import subprocess
import sys
from pathlib import Path

import pytest

from simulation.report import broken
from simulation.run import run, run_all

SEEDS = 240
CHUNK = 20
TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_a_promise(first: int) -> None:
    """Twenty seeds; each violation is named with the command that shows it again."""
    outcomes = run_all(range(first, first + CHUNK))
    assert not [line for one in outcomes for line in broken(one.seed, one.found)]


def test_a_seed_replays_exactly() -> None:
    """A seed with a crash has the same trace in another process with another hash seed."""
    seed = next(one.seed for one in map(run, range(SEEDS)) if one.counts["crash"] and one.counts["recovered removals"])
    told = {_trace(seed, hash_seed) for hash_seed in ("1", "2")}
    assert len(told) == 1
    assert "is killed at step" in told.pop()


def _trace(seed: int, hash_seed: str) -> str:
    environment = {"PYTHONPATH": ":".join([*sys.path, str(TESTS)]), "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "simulation", "--seed", str(seed)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
