"""Workers on hosts of their own, with names, process ids and clocks that differ, and workers with other configurations."""

import json
import signal
from pathlib import Path

import psycopg
import pytest

from acceptance.support import Json, Started, eventually, idle_fleet
from fleet.conftest import LEASE_S, MakeFleet

APART_S = 20
"""How far apart the clocks of hosts are: several leases, and less than what the brake on skew allows."""
NAMESPACES = ("--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "--time", "--boottime=90000", "--monotonic=90000")


def on_host(name: str, ahead_s: int) -> tuple[str, ...]:
    """Return what starts a process on a host of its own: with a name, process ids, and clocks that are ahead.

    Its monotonic clock is a day ahead, and its wall clock so many seconds.
    """
    [library] = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    shifted = (
        "env",
        f"LD_PRELOAD={library}",
        f"FAKETIME={ahead_s:+d}s",
        "DONT_FAKE_MONOTONIC=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    )
    return ("unshare", *NAMESPACES, "--", "sh", "-c", 'hostname "$0" && exec "$@"', name, *shifted)


def first_line(started: Started, event: str) -> Json:
    """Return the first line of a log with an event."""
    lines = [json.loads(line) for line in started.err.decode().splitlines(keepends=True) if line.endswith("\n")]
    return next(line for line in lines if line["event"] == event)


@pytest.mark.timeout(600)
def test_a_host_whose_clock_is_off_takes_over_neither_too_early_nor_never(fleet: MakeFleet, address: str) -> None:
    """One host is behind, one ahead, each by several leases: the second waits while the first works, and not after it died."""
    mine = fleet(idle_fleet(120), 1, timing={"deletion_median_s": 0.5})
    mine.write(address, target={"limits": {"delete": "4/s"}})
    with (
        mine.started("serve"),
        mine.started("worker", *on_host("behind", -APART_S)) as behind,
    ):
        mine.request()
        eventually(lambda: mine.accepted() > 5, "some DELETEs are accepted")
        with mine.started("worker", *on_host("ahead", APART_S)) as ahead:
            seen = mine.accepted()
            eventually(lambda: mine.accepted() > seen + 4 * 2 * LEASE_S, "two leases pass")
            assert mine.turns("t0") == ["process-1"]
            behind.signal(signal.SIGKILL)
            eventually(mine.all_gone, "all notebooks are deleted", patience_s=120)
            eventually(mine.is_idle, "all runs end", patience_s=120)
            assert first_line(ahead, "fence.taken")["epoch"] == 2
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT host FROM fences WHERE name LIKE 'lanes:%'").fetchall() == [("ahead",)]
    mine.check_once()
    mine.check_fenced(address)
    assert mine.turns("t0") == ["process-1", "process-2"]


@pytest.mark.timeout(600)
def test_a_worker_with_another_configuration_refuses_the_jobs_and_says_so(fleet: MakeFleet, address: str) -> None:
    """Nothing is swept by it; a worker with the configuration of the job carries it out."""
    mine = fleet(idle_fleet(5), 1)
    mine.write(address, removal={"deadline": "7m", "grace": "300ms"})
    with mine.started("worker") as other:
        mine.write(address)
        with mine.started("serve"):
            mine.request()
            other.wait_for("worker.configuration_differs")
            assert mine.accepted() == 0
            refused = first_line(other, "worker.configuration_differs")
            assert (refused["jobs"], refused["wanted"] != refused["configuration"]) == (1, True)
            with mine.started("worker") as right:
                assert first_line(right, "worker.started")["configuration"] == refused["wanted"]
                eventually(mine.all_gone, "all notebooks are deleted")
                eventually(mine.is_idle, "all runs end")
    mine.check_once()
    assert mine.turns("t0") == ["process-2"]
