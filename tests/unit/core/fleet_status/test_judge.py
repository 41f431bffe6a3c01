"""What a fleet does, and what needs an action, according to its records."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOON, ago, due_sweep, fence, fence_holder, service_record, worker_record
from nbsweep.core.control.services import ServiceRecord
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.fences.model import lanes_fence
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import FleetInputs, FleetStatus, ServeState, WorkerState
from nbsweep.core.pacing import LearnedRate
from nbsweep.core.workers.model import WorkerRecord

A_MINUTE = timedelta(seconds=60)


def judged(*workers: WorkerRecord, **changes: Any) -> FleetStatus:
    """Judge a fleet of these workers, with a leader, whose processes have the configuration c1."""
    plain = {"now": NOON, "config": "c1", "lasts": A_MINUTE, "workers": workers, "leader": fence()}
    return judge_fleet(FleetInputs(**{**plain, **changes}))


def waiting(account: str = "acct", config: str = "c1", minutes: float = 5) -> Job:
    """Return a job that has waited so long."""
    return Job(account, JobState.WAITING, config, ago(minutes=minutes))


def test_all_is_well_with_a_leader_and_a_worker() -> None:
    """The leader is named with its host, and the age of its beat."""
    status = judged(worker_record())
    assert (status.well, status.problems) == (True, ())
    assert status.leader is not None
    assert (str(status.leader), status.leader.since, status.leader.silent_s) == ("process 7 on host host-a", NOON, 1.0)
    [worker] = status.workers
    assert (worker.state, worker.same_configuration, worker.silent_s) == (WorkerState.RUNNING, True, 3.0)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, WorkerState.RUNNING),
        ({"draining": True}, WorkerState.DRAINING),
        ({"beat_at": ago(seconds=59)}, WorkerState.RUNNING),
        ({"beat_at": ago(seconds=60)}, WorkerState.LOST),
        ({"beat_at": ago(hours=2), "stopped_at": ago(hours=2), "draining": True}, WorkerState.STOPPED),
    ],
)
def test_the_state_of_a_worker(changes: dict[str, Any], state: WorkerState) -> None:
    """By its own report; a minute without a beat is too long."""
    assert judged(worker_record(**changes)).workers[0].state is state


def test_without_a_worker_nothing_is_swept() -> None:
    """Workers that have stopped do not count, and one that is draining does not either."""
    stopped = worker_record(stopped_at=ago(minutes=1))
    assert judged().problems == judged(stopped).problems
    assert "no worker is running" in judged(stopped).problems[0]
    assert "all workers are draining" in judged(worker_record(draining=True)).problems[0]
    assert judged(worker_record(draining=True), worker_record("w2")).well


def test_a_lost_worker_is_a_problem() -> None:
    """It is named with its host, and since when it is lost."""
    [problem] = judged(worker_record(beat_at=ago(minutes=30)), worker_record("w2")).problems
    assert problem == (
        "the worker on host host-w1 (process 7) has reported nothing since 2026-03-01 11:30Z, and fewer workers run than "
        "before: other workers take its accounts; start it again, or another one"
    )


@pytest.mark.parametrize(
    ("leader", "words"),
    [
        (None, "no `nbsweep serve` leads"),
        (fence(held=False), "no `nbsweep serve` leads"),
        (fence(age_s=60.0), "process 7 on host host-a led the fleet, and has sent no beat for 60s"),
    ],
)
def test_without_a_leader_nothing_becomes_due(leader: Any, words: str) -> None:
    """One that released its fence, or died with it, does not lead any more."""
    status = judged(worker_record(), leader=leader)
    assert status.leader is None
    assert words in status.problems[0]


def serve(owner: str, **changes: Any) -> ServiceRecord:
    """Return the record of a `serve` process that was started two hours ago."""
    plain = {"holder": fence_holder(owner), "started_at": ago(hours=2), "beat_at": ago(seconds=9)}
    return service_record(owner, **{**plain, **changes})


def test_serve_processes_are_listed_with_who_leads() -> None:
    """Then those that stand by, are lost, or were stopped; those of more than a day ago are left out."""
    services = (
        serve("stopped", stopped_at=ago(hours=1), beat_at=ago(hours=1)),
        serve("old", beat_at=ago(hours=24), stopped_at=ago(hours=24)),
        serve("lost", beat_at=ago(minutes=5)),
        serve("late", started_at=ago(hours=1)),
        serve("early"),
        serve("a"),
    )
    found = judged(worker_record(), services=services).serves
    assert [(each.record.holder.owner, each.state) for each in found] == [
        ("a", ServeState.LEADING),
        ("early", ServeState.STANDING_BY),
        ("late", ServeState.STANDING_BY),
        ("lost", ServeState.LOST),
        ("stopped", ServeState.STOPPED),
    ]
    assert [each.silent_s for each in found] == [9.0, 9.0, 9.0, 300.0, 3600.0]


def test_a_serve_whose_fence_is_silent_does_not_lead() -> None:
    """Another one may take its place."""
    status = judged(worker_record(), leader=fence(age_s=60.0), services=(serve("a"),))
    assert [each.state for each in status.serves] == [ServeState.STANDING_BY]


def test_a_lost_serve_is_a_problem_until_as_many_run_as_before() -> None:
    """Of the one that led and was not followed, the fence says so already."""
    gone = serve("s2", beat_at=ago(minutes=5))
    [problem] = judged(worker_record(), services=(serve("a"), gone)).problems
    assert problem == (
        "the service on host host-s2 (process 7) has reported nothing since 2026-03-01 11:55Z, and fewer run than before: "
        "start it again, or another one"
    )
    assert judged(worker_record(), services=(serve("a"), gone, serve("s3", started_at=ago(minutes=2)))).well
    [led] = judged(worker_record(), leader=fence(age_s=300.0), services=(serve("a", beat_at=ago(minutes=5)),)).problems
    assert "led the fleet" in led


def test_jobs_of_a_configuration_that_no_running_worker_has_wait_in_vain() -> None:
    """A worker that takes no more jobs does not count; both configurations are named."""
    workers = (worker_record(), worker_record("w2", config="c2", draining=True))
    status = judged(*workers, jobs=(waiting("a"), waiting("b", "c2"), waiting("c", "c2"), waiting("d", "c3")))
    assert [(each.config, each.accounts) for each in status.refused] == [("c2", ("b", "c")), ("c3", ("d",))]
    assert len(status.problems) == 2
    assert "2 jobs wait for a worker with the configuration c2, and the running workers have c1" in status.problems[0]
    assert "1 job waits for a worker with the configuration c3" in status.problems[1]


def test_without_any_worker_jobs_are_not_told_of_twice() -> None:
    """That there is no worker says it all."""
    status = judged(jobs=(waiting(),))
    assert len(status.problems) == 1
    assert [each.accounts for each in status.refused] == [("acct",)]


def test_a_running_job_of_an_older_configuration_is_carried_out() -> None:
    """A rolling upgrade is no problem by itself, and the file's configuration need not be that of the workers."""
    running = Job("acct", JobState.RUNNING, "c0", NOON)
    status = judged(worker_record(config="c0"), jobs=(running,))
    assert status.well
    assert [worker.same_configuration for worker in status.workers] == [False]


def test_accounts_are_told_with_who_holds_them_and_what_they_wait_for() -> None:
    """Those that have a fence, a due sweep or a job; a holder without beats holds nothing."""
    held = fence(lanes_fence("a"), "w1")
    silent = fence(lanes_fence("b"), "w2", age_s=61.0)
    free = fence(lanes_fence("c"), "w1", held=False)
    rate = LearnedRate(2, 1.0, 1.5, 3.0)
    status = judged(
        worker_record(),
        fences=(held, silent, free),
        due=(due_sweep("t2", account="b"), due_sweep("t1", account="b"), due_sweep("t3", account="d")),
        jobs=(waiting("b", minutes=4), waiting("b", minutes=7)),
        learned={"a": {"delete": rate}},
    )
    told = [(each.account, each.is_held, each.targets, each.waiting_since) for each in status.accounts]
    assert told == [
        ("a", True, (), None),
        ("b", False, ("t1", "t2"), ago(minutes=7)),
        ("c", False, (), None),
        ("d", False, ("t3",), None),
    ]
    assert [each.holder is None for each in status.accounts] == [False, False, True, True]
    assert status.accounts[0].learned == {"delete": rate}


def test_the_longest_wait_is_that_of_a_waiting_job() -> None:
    """Not of one that runs; none if nothing waits."""
    running = Job("z", JobState.RUNNING, "c1", ago(hours=5))
    status = judged(worker_record(), jobs=(running, waiting("a", minutes=2), waiting("b", minutes=9)))
    assert status.longest_wait == timedelta(minutes=9)
    assert (status.count_jobs(JobState.WAITING), status.count_jobs(JobState.RUNNING)) == (2, 1)
    assert judged(worker_record(), jobs=(running,)).longest_wait == timedelta(0)


def test_workers_that_run_are_listed_first() -> None:
    """Then those that are draining, lost and stopped; of one state, those that were started first."""
    records = (
        worker_record("stopped", stopped_at=NOON),
        worker_record("lost", beat_at=ago(hours=2)),
        worker_record("draining", draining=True),
        worker_record("late", started_at=ago(minutes=1)),
        worker_record("early"),
    )
    owners = [worker.record.holder.owner for worker in judged(*records).workers]
    assert owners == ["early", "late", "draining", "lost", "stopped"]
