from itertools import count, islice

import pytest

from simulation.past.planted import NEEDS, PLANTS, anything
from simulation.past.run import first_caught, run
from simulation.past.scenario import draw

WITHIN = 200

pytestmark = pytest.mark.timeout(600)  # two hundred seeds on a machine that is busy


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within two hundred seeds that have what it needs, by the invariant that it breaks; and that seed is sound without it."""
    plant, invariants = PLANTS[name]
    needs = NEEDS.get(name, anything)
    seeds = list(islice((seed for seed in count() if needs(draw(seed))), WITHIN))
    plant(monkeypatch)
    caught = first_caught(seeds)
    monkeypatch.undo()
    assert caught
    assert caught.found[0][0] in invariants, caught.found[0][1]
    assert not run(caught.seed).found
