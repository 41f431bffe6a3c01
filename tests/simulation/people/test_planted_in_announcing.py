from itertools import chain

import pytest

from simulation.hunt import known_first
from simulation.people.planted import NEEDS, PLANTS, anything
from simulation.people.run import first_caught, run
from simulation.people.scenario import draw

pytestmark = pytest.mark.timeout(600)  # two hundred seeds on a machine that is busy


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within two hundred seeds that have what it needs, by the invariant that it breaks; and that seed is sound without it."""
    plant, invariants = PLANTS[name]
    # The first one is drawn before the bug is planted, which may change what a scenario has.
    seeds = known_first(name, "people", NEEDS.get(name, anything), draw)
    first = next(seeds)
    plant(monkeypatch)
    caught = first_caught(chain([first], seeds))
    monkeypatch.undo()
    assert caught
    assert caught.found[0][0] in invariants, caught.found[0][1]
    assert not run(caught.seed).found
