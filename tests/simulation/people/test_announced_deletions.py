import pytest

from simulation.people.run import run_all

SEEDS = 120
CHUNK = 20


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_a_promise(first: int) -> None:
    """Twenty seeds of weeks in which owners are told, come back, and lose what they do not need."""
    outcomes = run_all(range(first, first + CHUNK))
    assert not [(one.seed, what) for one in outcomes for what in one.found]
