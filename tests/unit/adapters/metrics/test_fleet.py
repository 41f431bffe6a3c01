"""The metrics of a fleet of processes."""

from datetime import timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from builders import NOON, ago, fence, worker_record
from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.metrics import Metrics
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.fences.model import lanes_fence
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import FleetInputs, FleetStatus

WAITS = Job("b", JobState.WAITING, "c2", ago(minutes=5))


def status(**changes: Any) -> FleetStatus:
    """Return a fleet that is led by the process a, with a worker in each state."""
    workers = (
        worker_record(),
        worker_record("w2", config="c0"),
        worker_record("w3", draining=True),
        worker_record("w4", beat_at=ago(hours=2)),
        worker_record("w5", stopped_at=NOON, config="c0"),
    )
    plain = {"now": NOON, "config": "c1", "lasts": timedelta(seconds=60), "workers": workers, "leader": fence()}
    return judge_fleet(FleetInputs(**{**plain, **changes}))


def samples(metrics: Metrics) -> dict[tuple[str, str], float]:
    """Return the samples by name and the value of the only label, if there is one."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {(s.name, next(iter(s.labels.values()), "")): s.value for family in families for s in family.samples}


def test_the_status_of_a_fleet_is_shown() -> None:
    """Stopped workers do not count, neither as workers nor as outdated."""
    metrics = Metrics(SystemClock())
    held = fence(lanes_fence("a"), "w1")
    jobs = (Job("a", JobState.RUNNING, "c1", NOON), WAITS)
    metrics.fleet.show(status(fences=(held,), jobs=jobs), "a")
    found = samples(metrics)
    assert {state: value for (name, state), value in found.items() if name == "nbsweep_workers"} == {
        "running": 2,
        "draining": 1,
        "lost": 1,
    }
    assert (found["nbsweep_jobs", "waiting"], found["nbsweep_jobs", "running"]) == (1, 1)
    assert (found["nbsweep_account_held", "a"], found["nbsweep_account_held", "b"]) == (1, 0)
    assert found["nbsweep_workers_outdated", ""] == 1
    assert found["nbsweep_job_wait_seconds", ""] == 300
    assert found["nbsweep_jobs_refused", ""] == 1
    assert (found["nbsweep_fleet_led", ""], found["nbsweep_fleet_leading", ""]) == (1, 1)


def test_another_process_leads_or_nobody_does() -> None:
    """Who leads is told by its unique id."""
    metrics = Metrics(SystemClock())
    metrics.fleet.show(status(), "b")
    assert [samples(metrics)[f"nbsweep_fleet_{word}", ""] for word in ("led", "leading")] == [1, 0]
    metrics.fleet.show(status(leader=fence(age_s=61.0)), "a")
    assert [samples(metrics)[f"nbsweep_fleet_{word}", ""] for word in ("led", "leading")] == [0, 0]


def test_an_account_that_is_gone_is_shown_no_more() -> None:
    """And of a fleet that cannot be read nothing is."""
    metrics = Metrics(SystemClock())
    metrics.fleet.show(status(jobs=(WAITS,)), "a")
    metrics.fleet.show(status(), "a")
    assert ("nbsweep_account_held", "b") not in samples(metrics)
    metrics.fleet.clear()
    names = {name for name, _ in samples(metrics)}
    assert names.isdisjoint({"nbsweep_workers", "nbsweep_jobs", "nbsweep_account_held"})
    assert samples(metrics)["nbsweep_fleet_leading", ""] == 0
