"""A fleet sweeps what is due, with real processes."""

from acceptance.support import eventually, idle_fleet
from fleet.conftest import MakeFleet


def test_workers_sweep_what_was_requested(fleet: MakeFleet, address: str) -> None:
    """Three accounts, two workers: every notebook is deleted once, and each run is on record."""
    mine = fleet(idle_fleet(8), 3)
    mine.write(address)
    with mine.at_work(workers=2) as (serving, working):
        mine.request()
        eventually(mine.all_gone, "all notebooks are deleted")
        eventually(lambda: all(run["outcome"] == "finished" for run in mine.runs()), "all runs end")
        for started in (*serving, *working):
            started.process.terminate()
            ended = started.ended()
            assert ended.code == 0, ended.err
    mine.check_once()
