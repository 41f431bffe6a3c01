"""No slow test starts last, and the tests of a module stay together."""

from itertools import groupby
from pathlib import Path

import pytest

import order
from order import SLOWEST, in_order

TESTS = Path(__file__).parents[2]
FAST = [f"tests/test_{module}.py::test_{number}" for module in "abcdefgh" for number in range(10)]


def dealt(ordered: list[str], workers: int) -> list[list[str]]:
    """Deal tests out as `--dist worksteal` does at first."""
    left = list(ordered)
    parts = []
    for worker in range(workers):
        size = len(left) // (workers - worker)
        parts.append(left[:size])
        left = left[size:]
    return parts


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know five slow tests of one module, all parameters of one among them."""
    seconds = {
        "tests/test_slow.py::test_1": 10,
        "tests/test_slow.py::test_2[": 30,
        "tests/test_slow.py::test_3": 20,
    }
    monkeypatch.setattr(order, "SLOWEST", seconds)


SLOW = [f"tests/test_slow.py::test_{name}" for name in ("1", "2[a]", "2[b]", "2[c]", "3", "4")]


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 8])
def test_each_worker_begins_with_its_share_of_the_slowest_tests(workers: int) -> None:
    """The slowest first; every test is there once."""
    tests = [*FAST, *SLOW]
    ordered = in_order(tests, workers)
    assert sorted(ordered) == sorted(tests)
    slowest = [SLOW[1], SLOW[2], SLOW[3], SLOW[4], SLOW[0]]
    for worker, part in enumerate(dealt(ordered, workers)):
        mine = slowest[worker::workers]
        assert part[: len(mine)] == mine


def test_a_module_is_shared_by_two_workers_at_most() -> None:
    """Its tests are in the order of the file."""
    ordered = [each for each in in_order(FAST, 4) if each in FAST]
    modules = [module for module, _ in groupby(ordered, key=lambda each: each.partition("::")[0])]
    assert len(modules) == len(set(modules)) == 8
    assert [each for each in ordered if "_a.py" in each] == FAST[:10]


@pytest.mark.parametrize("workers", [2, 4])
def test_with_slow_tests_alone_every_one_is_there(workers: int) -> None:
    """As when a module is run by itself."""
    assert sorted(in_order(SLOW, workers)) == sorted(SLOW)
    assert in_order([], workers) == []


@pytest.mark.parametrize("beginning", SLOWEST)
def test_the_slowest_tests_exist(beginning: str) -> None:
    """Each is found in its file."""
    file, _, test = beginning.partition("::")
    assert f"def {test.partition('[')[0]}" in (TESTS / file).read_text(encoding="utf-8")
