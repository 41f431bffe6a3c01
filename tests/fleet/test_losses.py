"""Processes of a fleet are killed and stopped, and its database goes away, at moments that nobody chose."""

import json
import random
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from acceptance.support import Json, Started, eventually, idle_fleet
from fleet.conftest import FULL, LEASE_S, MakeFleet
from postgresql.conftest import Server

SEEDS = range(20 if FULL else 2)
STOPPED_S = 90.0 if FULL else 2.5 * LEASE_S


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_notebook_is_deleted_once_though_processes_are_killed(fleet: MakeFleet, address: str, seed: int) -> None:
    """Workers and the leading `serve` are killed at random moments, and others are started; no account has two callers."""
    choose = random.Random(seed)  # noqa: S311  # moments, not secrets
    mine = fleet(idle_fleet(20), 3, timing={"deletion_median_s": 0.5})
    mine.write(address, target={"limits": {"delete": "4/s"}})
    with ExitStack() as stack:
        serving = [stack.enter_context(mine.started("serve")) for _ in range(2)]
        working = [stack.enter_context(mine.started("worker")) for _ in range(2)]
        mine.request()
        for _ in range(5):
            time.sleep(choose.uniform(0.2, 2.5))
            kind, group = choose.choice([("worker", working), ("worker", working), ("serve", serving)])
            lost = group.pop(choose.randrange(len(group)))
            lost.signal(signal.SIGKILL)
            group.append(stack.enter_context(mine.started(kind)))
        eventually(mine.all_gone, "all notebooks are deleted", patience_s=300)
        eventually(mine.is_idle, "all runs end", patience_s=120)
    mine.check_once()
    mine.check_fenced(address)


@pytest.mark.timeout(600)
def test_a_worker_that_was_stopped_sends_nothing_when_it_wakes_up(fleet: MakeFleet, address: str) -> None:
    """As a machine that sleeps: another worker takes over after the lease, and the first one has no call in between."""
    mine = fleet(idle_fleet(60), 1, timing={"deletion_median_s": 0.5})
    mine.write(address, target={"limits": {"delete": "4/s"}})
    with mine.at_work() as (_, [first]):
        mine.request()
        eventually(lambda: mine.accepted() > 5, "some DELETEs are accepted")
        first.signal(signal.SIGSTOP)
        with mine.started("worker"):
            time.sleep(STOPPED_S)
            woken_at = time.time()
            first.signal(signal.SIGCONT)
            eventually(mine.all_gone, "all notebooks are deleted", patience_s=120)
            eventually(mine.is_idle, "all runs end", patience_s=120)
            first.wait_for("fence.lost")
    mine.check_once()
    mine.check_fenced(address)
    assert mine.turns("t0") == ["process-1", "process-2"]
    late = [each for each in mine.clouds["t0"].requests() if each["user"] == "process-1" and each["at"] > woken_at]
    assert late == []


def logged(started: Started, event: str) -> Sequence[Json]:
    """Return the lines of a log with an event, so far."""
    lines = [json.loads(line) for line in started.err.decode().splitlines(keepends=True) if line.endswith("\n")]
    return [line for line in lines if line["event"] == event]


def is_at_work(started: Started) -> bool:
    """Return whether a process runs."""
    return started.process.poll() is None


@pytest.mark.timeout(600)
def test_a_restart_of_the_server_and_cut_connections_cost_no_sweep(fleet: MakeFleet, address: str, server: Server) -> None:
    """No process ends, no sweep is interrupted, and each target has one run."""
    mine = fleet(idle_fleet(40), 3, timing={"deletion_median_s": 0.3})
    mine.write(address, target={"limits": {"delete": "4/s"}}, service={"lease": "60s"})
    with mine.at_work(workers=2, serves=2) as (serving, working):
        mine.request()
        eventually(lambda: mine.accepted() > 10, "some DELETEs are accepted")
        server.end_connections()
        eventually(lambda: mine.accepted() > 40, "more DELETEs are accepted")
        server.restart(before=lambda: time.sleep(2))
        eventually(mine.all_gone, "all notebooks are deleted", patience_s=120)
        eventually(mine.is_idle, "all runs end", patience_s=120)
        assert all(map(is_at_work, (*serving, *working)))
    assert [run["outcome"] for run in mine.runs()] == ["finished"] * 3
    mine.check_once()
    mine.check_fenced(address)


@pytest.mark.timeout(600)
def test_workers_go_on_by_themselves_after_an_outage_that_is_longer_than_a_lease(
    fleet: MakeFleet, address: str, server: Server
) -> None:
    """Their sweeps end, because the accounts are lost; the same process begins anew when the server is back."""
    mine = fleet(idle_fleet(30), 2, timing={"deletion_median_s": 0.5})
    mine.write(address, target={"limits": {"delete": "4/s"}})
    with mine.at_work() as (_, [worker]):
        mine.request()
        eventually(lambda: mine.accepted() > 5, "some DELETEs are accepted")
        server.restart(before=lambda: time.sleep(2.5 * LEASE_S))
        eventually(mine.all_gone, "all notebooks are deleted", patience_s=120)
        eventually(mine.is_idle, "all runs end", patience_s=120)
        worker.wait_for("fence.lost")
        assert is_at_work(worker)
    mine.check_once()
    mine.check_fenced(address)


@pytest.mark.timeout(600)
def test_the_schedule_goes_on_when_the_leader_is_killed(fleet: MakeFleet, address: str) -> None:
    """Every five seconds a sweep is due, with two `serve`: each is started once, before and after the leader is gone."""
    mine = fleet([], 1)
    mine.write(address, schedule={"cron": "*/5 * * * * *"})
    with mine.at_work(serves=2) as (serving, _):
        eventually(lambda: any(started.has("fleet.leading") for started in serving), "one leads")
        eventually(lambda: len(mine.runs()) >= 2, "two sweeps")
        [leader] = [started for started in serving if started.has("fleet.leading")]
        leader.signal(signal.SIGKILL)
        [other] = [started for started in serving if started is not leader]
        other.wait_for("fleet.leading")
        seen = len(mine.runs())
        eventually(lambda: len(mine.runs()) >= seen + 3, "three more sweeps")
        dues = [event["due_at"] for started in serving for event in logged(started, "fleet.sweep_due")]
    assert len(dues) == len(set(dues))
    assert {moment[17:19] for moment in dues} <= {f"{second:02d}" for second in range(0, 60, 5)}
    assert len(mine.runs()) <= len(dues)
