"""What was wrongly deleted once: owners who use their notebooks while nbsweep sleeps, waits for an answer, or stops them."""

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import HOUR_MS, Cloud, Desk, Json, Started, days_ago, eventually, idle, idle_fleet

SLEPT = Path(__file__).with_name("slept.py")
TWO_HOURS_S = 7200
USER = {"name": "sweeper", "password": "the password of the sweeper", "domain": "acct"}
FORGOTTEN = {"name": "forgotten", "match": {"age_over": "30d"}, "running": "stop"}
BROKEN = {"name": "broken", "match": {"status": ["ERROR", "START_FAILED", "DELETE_FAILED"], "age_over": "1d"}}
IDLE = {"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}}


def running(notebook_id: str, **more: Any) -> Json:
    """Describe a notebook that runs, on a lease of an hour that was given just now."""
    lease = {"create_at": days_ago(100), "update_at": days_ago(0), "duration": 100 * 24 * HOUR_MS + HOUR_MS, "enable": True}
    return idle(notebook_id, status="RUNNING", lease=lease | {"type": "TIMING"}, **more)


# ---- a machine that sleeps -------------------------------------------------------------------------------------------------


def asleep(started: Started, act: Callable[[], None]) -> None:
    """Let a process stand still while something happens, as a machine that sleeps does."""
    started.signal(signal.SIGSTOP)
    try:
        time.sleep(0.3)  # what has left is on its way
        act()
    finally:
        started.signal(signal.SIGCONT)


def test_nothing_that_was_used_during_a_sleep_is_deleted(simulate: Simulate, desk: Desk) -> None:
    """Both clocks jump by two hours, the monotonic one stands still, and everybody has used their notebooks meanwhile."""
    cloud = simulate(idle_fleet(60), timing={"deletion_median_s": 30})
    desk.write(cloud, policies=[IDLE], target={"limits": {"delete": "8/s"}}, removal={"grace": "300ms", "fresh_for": "60s"})
    shift = desk.folder / "ahead"
    slept = replace(desk, program=(sys.executable, str(SLEPT), str(shift)))
    left: set[str] = set()

    def use() -> None:
        left.update(cloud.accepted())
        cloud.run_ahead(TWO_HOURS_S)
        for notebook_id in cloud.instances().keys() - left:
            cloud.change(notebook_id, action="use")
        shift.write_text(str(TWO_HOURS_S))

    with slept.started("run", "--yes", "--format", "json") as started:
        eventually(lambda: len(cloud.accepted()) >= 8, "eight accepted DELETEs")
        asleep(started, use)
        ended = started.ended()
    assert set(cloud.accepted()) == left
    assert ended.ids("spared") == set(cloud.instances()) - left
    assert all("does not match any more" in ended.reason(notebook_id) for notebook_id in ended.ids("spared"))
    assert ended.code in (0, 3)


# ---- a cloud that does not say what time it is -----------------------------------------------------------------------------


@pytest.mark.parametrize("date_header", ["garbled", "absent"])
def test_without_a_readable_date_nothing_is_deleted(simulate: Simulate, desk: Desk, date_header: str) -> None:
    """All were used yesterday, and the machine's clock is sixty days ahead; a token lets any clock pass. `check` says so."""
    cloud = simulate(
        [idle(f"nb-{number}", days=1) for number in range(10)], dialect={"date_header": date_header}, access={"users": [USER]}
    )
    user = {"username": "sweeper", "password": USER["password"], "domain": "acct", "iam_endpoint": cloud.url}
    desk.write(cloud, policies=[IDLE], target={"credentials": user})
    shift = desk.folder / "ahead"
    shift.write_text(str(60 * 86_400))
    slept = replace(desk, program=(sys.executable, str(SLEPT), str(shift)))
    ended = slept.sweep()
    assert cloud.writes() == [request for request in cloud.writes() if request["kind"] == "iam"]
    assert ended.code == 4
    checked = slept.run("check")
    assert checked.code != 0
    assert "has no date" in checked.out


# ---- retries ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["ERROR", "START_FAILED"])
def test_what_was_used_after_a_lost_delete_is_not_deleted_again(simulate: Simulate, desk: Desk, end: str) -> None:
    """The DELETE is answered 200 and lost; its owner starts it, nbsweep sees it RUNNING, its node fails: it stays."""
    cloud = simulate([idle("nb-1")], faults={"script": [{"fault": "delete_lost", "kind": "delete"}]})
    desk.write(cloud, policies=[IDLE, BROKEN], removal={"grace": "200ms", "retries": 3, "deadline": "20s"})
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(lambda: cloud.deletes()["nb-1"], "a DELETE")
        cloud.change("nb-1", status="RUNNING")
        shown = sum(request["kind"] == "show" for request in cloud.requests())
        eventually(lambda: sum(request["kind"] == "show" for request in cloud.requests()) > shown + 3, "three looks at it")
        cloud.change("nb-1", status=end)
        ended = started.ended()
    assert (cloud.deletes()["nb-1"], cloud.gone()) == (1, set())
    assert (ended.code, ended.outcomes()) == (3, {"nb-1": "failed"})
    assert "seen RUNNING since our DELETE" in ended.reason("nb-1")


def test_a_tag_that_is_set_during_a_deletion_that_fails_keeps_the_notebook(simulate: Simulate, desk: Desk) -> None:
    """No protection asks for it, but the policy does, as `explain` advises."""
    held = IDLE | {"match": {"status": ["STOPPED"], "idle_over": "14d", "not": {"tags": {"hold": "*"}}}}
    fails = {"fault": "delete_failed", "kind": "delete"}
    cloud = simulate([idle("nb-1"), idle("nb-2")], faults={"script": [fails, fails]}, timing={"deletion_median_s": 1.5})
    desk.write(cloud, policies=[held], removal={"grace": "200ms", "retries": 3})
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(lambda: len(cloud.accepted()) == 2, "two accepted DELETEs")
        cloud.change("nb-1", tags={"hold": "yes"})
        ended = started.ended()
    assert cloud.deletes() == {"nb-1": 1, "nb-2": 2}
    assert ended.outcomes() == {"nb-1": "failed", "nb-2": "deleted"}
    assert "tags" in ended.reason("nb-1")
    trail = desk.run("audit", "--format", "json")
    decided = [entry["reason"] for entry in trail.document if entry["notebook_id"] == "nb-2"]
    assert any("its deletion has failed, and is tried again" in reason for reason in decided), decided


# ---- stops -----------------------------------------------------------------------------------------------------------------


def is_now(cloud: Cloud, notebook_id: str, status: str) -> bool:
    """Tell whether a notebook is in a state."""
    return str(cloud.instances()[notebook_id]["status"]) == status


def test_a_lease_that_is_renewed_during_stopping_keeps_the_notebook(simulate: Simulate, desk: Desk) -> None:
    """For three days, as `explain` advises; the other one, which nobody wants, is stopped and deleted."""
    cloud = simulate([running("nb-1"), running("nb-2")], timing={"stop_s": 2})
    desk.write(cloud, policies=[FORGOTTEN])
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(partial(is_now, cloud, "nb-1", "STOPPING"), "a stop")
        truth = cloud.instances()["nb-1"]
        lease = {"create_at": truth["create_at"], "update_at": days_ago(0), "duration": 103 * 24 * HOUR_MS, "enable": True}
        cloud.change("nb-1", lease=lease | {"type": "TIMING"})
        ended = started.ended()
    assert cloud.gone() == {"nb-2"}
    assert ended.outcomes() == {"nb-1": "spared", "nb-2": "deleted"}
    assert "lease has changed since our stop" in ended.reason("nb-1")


def test_a_notebook_that_was_used_while_no_look_succeeded_is_kept(simulate: Simulate, desk: Desk) -> None:
    """After our stop its owner starts it, works, and stops it again; all looks of that time fail."""
    cloud = simulate([running("nb-1")], timing={"stop_s": 0.5, "start_s": 0.1})
    desk.write(cloud, policies=[FORGOTTEN], target={"limits": {"show": "20/s"}})
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(partial(is_now, cloud, "nb-1", "STOPPING"), "a stop")
        cloud.break_with({"fault": "error_500_before", "kind": "show", "times": 12})
        eventually(partial(is_now, cloud, "nb-1", "STOPPED"), "the end of the stop")
        for action, then in (("start", "RUNNING"), ("stop", "STOPPED")):
            cloud.change("nb-1", action=action)
            eventually(partial(is_now, cloud, "nb-1", then), then)
        ended = started.ended()
    assert cloud.gone() == set()
    assert ended.outcomes() == {"nb-1": "spared"}


# ---- a listing that hides what is being deleted ----------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["listing", "all"])
def test_a_listing_that_hides_what_is_deleting_calls_nobody_gone(simulate: Simulate, desk: Desk, where: str) -> None:
    """Of sixty deletions every other one fails: thirty are deleted, thirty have failed, and the journal says so."""
    fleet = idle_fleet(60)
    fails = [{"fault": "delete_failed", "kind": "delete", "notebook_id": row["id"]} for row in fleet[::2]]
    cloud = simulate(
        fleet,
        dialect={"hides_deleting": where},
        faults={"script": fails},
        timing={"deletion_median_s": 2, "deletion_spread": 0.3},
    )
    desk.write(cloud, brakes={"max_deletions": None, "max_share": None, "max_failures": None})
    ended = desk.sweep()
    assert (ended.code, ended.document["counts"]) == (3, {"deleted": 30, "failed": 30})
    assert ended.ids("deleted") == cloud.gone() == {row["id"] for row in fleet[1::2]}
