import pytest

from simulation.planted import PLANTS, Plant
from simulation.run import first_caught, run

WITHIN = 200

pytestmark = pytest.mark.timeout(600)  # two hundred seeds on a machine that is busy


@pytest.mark.parametrize(("plant", "invariants"), PLANTS.values(), ids=PLANTS)
def test_a_planted_bug_is_caught(plant: Plant, invariants: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Within two hundred seeds, by the invariant that it breaks; and the seed that catches it is sound without the bug."""
    plant(monkeypatch)
    caught = first_caught(range(WITHIN))
    monkeypatch.undo()
    assert caught
    assert caught.found[0][0] in invariants, caught.found[0][1]
    assert not run(caught.seed).found
