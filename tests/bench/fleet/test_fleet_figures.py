"""The arithmetic of the bench of fleets."""

from collections import Counter

import pytest

from bench.fleet.__main__ import is_met
from bench.fleet.run import FleetRun, ProcessUse
from bench.fleet.shape import Shape
from bench.fleet.table import runs_table
from bench.fleet.units import Cost, unit_costs
from bench.fleet.usage import DatabaseUse

NOTHING = ProcessUse(0.0, 0.0, 0.0, 0.0)


def run(workers: int, makespan_s: float, *, notebooks: int = 10, calls: int = 100, problem: str = "") -> FleetRun:
    """Return a run of eight accounts."""
    database = DatabaseUse(1.0, 100, 200, 300, 400, 50, 8)
    shape = Shape(8, notebooks, workers)
    made = Counter(delete=calls)
    return FleetRun(shape, makespan_s, made, 0, (1.0, 2.0, 3.0), NOTHING, NOTHING, database, 5, {"removals": 80}, problem)


@pytest.mark.parametrize(
    ("workers", "makespan_s", "met"), [(8, 100.0, True), (8, 101.0, False), (4, 200.0, True), (4, 201.0, False)]
)
def test_eight_workers_have_to_be_seven_times_as_fast(workers: int, makespan_s: float, met: bool) -> None:  # noqa: FBT001
    """One takes 700 s; four have to be 3.5 times as fast."""
    assert is_met(run(1, 700.0), run(workers, makespan_s)) is met


def test_the_least_makespan_is_that_of_full_rounds() -> None:
    """Ten notebooks at 20 a minute are 27 s from the first DELETE to the last, which ends after 3 s; 9 accounts: 3 rounds."""
    assert Shape(9, 10, workers=1, at_once=4).floor_s == pytest.approx(3 * (27 + 3))


def test_unit_costs_are_a_line_through_two_runs() -> None:
    """8 accounts: 100 calls with 10 notebooks each, 1,060 with 130 each: one for each notebook, and 2.5 for each account."""
    costs = unit_costs(run(1, 1.0), run(1, 1.0, notebooks=130, calls=1060))
    assert costs["calls"] == Cost(2.5, 1.0)
    assert costs["commits"].per_notebook == 0


def test_the_table_says_what_went_wrong() -> None:
    """A run that did not delete every notebook once is no success."""
    text = runs_table([run(1, 80.0), run(2, 40.0, problem="79 of 80 notebooks were deleted exactly once")])
    assert "| speed-up | 1.00 | 2.00 |" in text
    assert "no: 79 of 80" in text
