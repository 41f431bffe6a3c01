from itertools import chain

import pytest

from simulation.hunt import KINDS, Bugs

pytestmark = pytest.mark.timeout(600)  # two hundred seeds on a machine that is busy

BUGS = {kind: Bugs.of(kind) for kind in KINDS}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, bugs in BUGS.items() for name in bugs.plants])
def test_a_planted_bug_is_caught(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within two hundred seeds that have what it needs, by the invariant that it breaks; and that seed is sound without it."""
    bugs = BUGS[kind]
    plant, invariants = bugs.plants[name]
    # The first one is drawn before the bug is planted, which may change what a scenario has.
    seeds = bugs.known_first(name)
    first = next(seeds)
    plant(monkeypatch)
    caught = bugs.first_caught(chain([first], seeds))
    monkeypatch.undo()
    assert caught
    assert caught.found[0][0] in invariants, caught.found[0][1]
    assert not bugs.run(caught.seed).found
