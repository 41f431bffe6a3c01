import pytest

from simulation.past.run import run

SEEDS = 6


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_seed_breaks_a_promise(seed: int) -> None:
    """Years of owners and sweeps: back-tests plan what sweeps planned, and label what truly happened."""
    assert not run(seed).found
