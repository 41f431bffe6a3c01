"""Several workers are faster than one, and delete nothing twice: a small version of `make bench-fleet`."""

from dataclasses import replace
from pathlib import Path

from bench.fleet.run import run_fleet
from bench.fleet.shape import Shape
from postgresql.conftest import Server

ALONE = Shape(
    8, 3, workers=1, at_once=1, per_minute={"delete": 60, "list": 240, "show": 240}, deletion_s=1.0, polling=("500ms", "2s")
)


def test_three_workers_share_the_accounts_of_one(server: Server, tmp_path: Path) -> None:
    """Eight accounts one after the other, and in three rounds: without anything in the way that is 2.7 times as fast."""
    runs = []
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        folder.mkdir()
        runs.append(run_fleet(replace(ALONE, workers=workers), server, folder))
    alone, shared = runs
    assert (alone.problem, shared.problem) == ("", "")
    assert alone.makespan_s / shared.makespan_s >= 1.6
