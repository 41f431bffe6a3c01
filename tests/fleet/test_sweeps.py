"""A fleet sweeps what is due, with real processes."""

import signal

from acceptance.support import eventually, idle_fleet
from fleet.conftest import MakeFleet


def test_workers_sweep_what_was_requested(fleet: MakeFleet, address: str) -> None:
    """Three accounts, two workers: every notebook is deleted once, each run has an end, and all processes stop when told."""
    mine = fleet(idle_fleet(8), 3)
    mine.write(address)
    with mine.at_work(workers=2) as (serving, working):
        mine.request()
        eventually(mine.all_gone, "all notebooks are deleted")
        eventually(mine.is_idle, "all runs end")
        for started in (*serving, *working):
            started.signal(signal.SIGTERM)
            ended = started.ended()
            assert ended.code == 0, ended.err
    mine.check_once()
    mine.check_fenced(address)


def test_a_fleet_works_behind_pgbouncer_in_transaction_mode(fleet: MakeFleet, address: str, bouncer: object) -> None:
    """Nothing of it belongs to a session: neither the queue, nor the fences, nor the leader."""
    mine = fleet(idle_fleet(6), 3)
    mine.write(address.replace(address.partition("?host=")[2], f"{bouncer}&port=6432"))
    with mine.at_work(workers=2, serves=2):
        mine.request()
        eventually(mine.all_gone, "all notebooks are deleted")
        eventually(mine.is_idle, "all runs end")
    mine.check_once()
    mine.check_fenced(address)


def test_a_worker_that_is_told_to_stop_hands_its_account_over_at_once(fleet: MakeFleet, address: str) -> None:
    """Its sweep is interrupted within the drain; the other worker continues, and every notebook is deleted once."""
    mine = fleet(idle_fleet(40), 1, timing={"deletion_median_s": 0.3})
    mine.write(address, target={"limits": {"delete": "8/s"}}, service={"lease": "60s"})
    with mine.at_work() as (_, [first]):
        mine.request()
        eventually(lambda: mine.accepted() > 5, "some DELETEs are accepted")
        with mine.started("worker"):
            first.signal(signal.SIGTERM)
            ended = first.ended()
            assert ended.code == 0, ended.err
            eventually(mine.all_gone, "all notebooks are deleted")
            eventually(mine.is_idle, "all runs end")
    mine.check_once()
    mine.check_fenced(address)
    assert mine.turns("t0") == ["process-1", "process-2"]
