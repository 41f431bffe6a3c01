import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Ended, Started, eventually, idle_fleet

RUN = ("run", "--yes", "--format", "json")
COUNT = 30
SLOW = {"limits": {"delete": "10/s"}}
DELETION_S = 120.0
"""Deletions take so long where a sweep must not end before it is let: longer than anything here is waited for."""


@contextmanager
def mid_sweep(cloud: Cloud, desk: Desk) -> Iterator[Started]:
    """Start a sweep of 10 DELETEs a second, and come back when some were accepted and most were not."""
    desk.write(cloud, target=SLOW, removal={"grace": "300ms", "deadline": "10m"})
    with desk.started(*RUN) as started:
        eventually(lambda: len(cloud.accepted()) >= 4, "four accepted DELETEs")
        yield started


def let_end(cloud: Cloud, started: Started) -> Ended:
    """Let the deletions of a whole fleet be over, and with them the sweep that follows them."""
    eventually(lambda: len(cloud.accepted()) == COUNT, "all DELETEs are accepted")
    cloud.let_pass(DELETION_S)
    return started.ended()


def nobody_twice(cloud: Cloud) -> bool:
    """Tell whether the cloud accepted no notebook's DELETE twice, nor was sent one twice."""
    return max(cloud.accepted().values()) == 1 and max(cloud.deletes().values()) == 1


def outcomes(desk: Desk) -> list[str]:
    """List the outcomes of all runs, the newest first."""
    return [record["outcome"] for record in desk.run("history", "--format", "json").document]


def test_a_second_run_says_who_sweeps_and_leaves(simulate: Simulate, desk: Desk) -> None:
    """Exit 4, with the first one's process named, and not one call sent: its cloud is one of its own. The first goes on."""
    cloud, of_second = simulate(idle_fleet(COUNT), timing={"deletion_median_s": DELETION_S}), simulate(idle_fleet(3))
    with mid_sweep(cloud, desk) as started:
        desk.write(of_second)
        second = desk.run(*RUN)
        assert second.code == 4, second.err
        assert f"process {started.process.pid} on host " in second.error["error"]
        assert (second.error["target"], second.document["results"]) == ("lab", [])
        assert of_second.requests() == []
        (told,) = second.events("lease.held_elsewhere")
        assert (told["level"], told["pid"]) == ("warning", started.process.pid)
        (finished,) = second.events("sweep.finished")
        assert finished["outcome"] == "held-elsewhere"
        first = let_end(cloud, started)
    assert first.code == 0, first.err
    assert first.ids("deleted") == cloud.gone() == set(cloud.instances())
    assert outcomes(desk) == ["held-elsewhere", "finished"]
    assert desk.sweep().code == 0


def test_a_dry_run_may_look_on(simulate: Simulate, desk: Desk) -> None:
    """It changes nothing, so it is in nobody's way; neither is `plan`."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": DELETION_S})
    with mid_sweep(cloud, desk) as started:
        assert desk.run("run", "--dry-run").code == 0
        assert desk.run("plan").code == 0
        assert let_end(cloud, started).code == 0
    assert nobody_twice(cloud)


def test_after_kill_9_another_takes_over_at_once(simulate: Simulate, desk: Desk) -> None:
    """On the same host the first one's end is seen, though its lease would last for an hour; nothing is sent twice."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": 0.6})
    with mid_sweep(cloud, desk) as started:
        started.signal(signal.SIGKILL)
        eventually(lambda: started.process.poll() is not None, "it is dead")
        desk.write(cloud, service={"lease": "1h"})
        second = desk.sweep()
        pid = started.process.pid
    assert second.code == 0, second.err
    (told,) = second.events("lease.taken_over")
    assert (told["level"], told["pid"]) == ("warning", pid)
    assert cloud.gone() == set(cloud.instances())
    assert nobody_twice(cloud)


def test_a_holder_elsewhere_is_taken_over_when_he_has_been_silent_for_the_leases_time(simulate: Simulate, desk: Desk) -> None:
    """Of a process on another host nothing is seen but its beats: for an hour it is left alone, after a second it is not."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud, service={"lease": "1h"})
    assert desk.run("history").code == 0
    with closing(sqlite3.connect(desk.journal)) as journal:
        now = time.time_ns() // 1000
        journal.execute(
            "INSERT INTO leases (target, owner, host, machine, pid, started, started_by, taken_at, beat_at) "
            "VALUES ('lab', 'far', 'far-away', 'far-away', 7, 8, 'li', ?, ?)",
            (now, now),
        )
        journal.commit()
    early = desk.sweep()
    assert early.code == 4
    assert "process 7 on host far-away, started by li" in early.error["error"]
    assert cloud.writes() == []
    desk.write(cloud, service={"lease": "1s"})
    eventually(lambda: time.time_ns() // 1000 - now > 1_000_000, "a second has passed")
    late = desk.sweep()
    assert late.code == 0, late.err
    assert [line["host"] for line in late.events("lease.taken_over")] == ["far-away"]
    assert cloud.gone() == set(cloud.instances())


def test_of_two_services_one_sweeps_and_the_other_takes_over_when_it_is_killed(simulate: Simulate, desk: Desk) -> None:
    """Both are due every two seconds; the one that waits begins within the lease's time, and nothing is sent twice."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": 0.6})
    every_two_seconds = {"cron": "*/2 * * * * *"}
    service = {"listen": None, "lease": "6s"}
    desk.write(cloud, mode="enforce", schedule=every_two_seconds, service=service, target={"limits": {"delete": "3/s"}})
    with desk.started("serve") as one, desk.started("serve") as other:
        eventually(lambda: len(cloud.accepted()) >= 4, "four accepted DELETEs")
        eventually(lambda: one.has("lease.held_elsewhere") != other.has("lease.held_elsewhere"), "one of them waits")
        sweeping, waiting = (other, one) if one.has("lease.held_elsewhere") else (one, other)
        assert not waiting.has("removal.accepted")
        sweeping.signal(signal.SIGKILL)
        killed_at = time.monotonic()
        waiting.wait_for("lease.taken_over")
        assert time.monotonic() - killed_at <= 6
        eventually(lambda: len(cloud.gone()) == COUNT, "the whole fleet is gone")
        waiting.signal(signal.SIGTERM)
        ended = waiting.ended()
    assert ended.code == 0, ended.err
    assert nobody_twice(cloud)
