"""The real command with its journal on a real PostgreSQL server."""

import signal

from acceptance.conftest import Simulate
from acceptance.support import Desk, eventually, idle_fleet


def test_a_sweep_that_was_killed_is_recovered_from_the_server(simulate: Simulate, desk: Desk, address: str) -> None:
    """What was accepted is followed to its end, nothing is sent twice, and the history tells of both runs."""
    cloud = simulate(idle_fleet(12), timing={"deletion_median_s": 0.6})
    desk.write(cloud, journal=address, target={"limits": {"delete": "10/s"}})
    with desk.started("run", "--yes") as started:
        eventually(lambda: len(cloud.accepted()) >= 4, "four accepted DELETEs")
        started.signal(signal.SIGKILL)
        started.ended()
    assert len(cloud.accepted()) < 12
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert cloud.accepted() == dict.fromkeys(cloud.instances(), 1)
    assert max(cloud.deletes().values()) == 1
    assert len(cloud.gone()) == 12
    history = desk.run("history", "--format", "json").document
    assert [record["outcome"] for record in history] == ["finished", "interrupted"]


def test_two_at_once_do_not_sweep_the_same_target(simulate: Simulate, desk: Desk, address: str) -> None:
    """The second one says who holds the lease, and leaves with 4."""
    cloud = simulate(idle_fleet(20), timing={"deletion_median_s": 600})
    desk.write(cloud, journal=address, target={"limits": {"delete": "20/s"}})
    with desk.started("run", "--yes") as first:
        eventually(lambda: len(cloud.accepted()) == 20, "the first one deletes")
        second = desk.sweep()
        cloud.let_pass(600)
        ended = first.ended()
    assert (ended.code, second.code) == (0, 4), second.err
    assert max(cloud.deletes().values()) == 1
    assert len(cloud.gone()) == 20
