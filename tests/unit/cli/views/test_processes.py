"""The fleet of processes on one screen."""

from datetime import timedelta
from typing import Any

from builders import NOON, ago, due_sweep, fence, fence_holder, service_record, worker_record
from nbsweep.cli.views.processes import fleet_view
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.fences.model import lanes_fence
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import FleetInputs
from nbsweep.core.pacing import LearnedRate
from rendering import rendered


def shown(**changes: Any) -> list[str]:
    """Return the lines of a fleet, without the blanks between the columns."""
    plain = {"now": NOON, "config": "c1", "lasts": timedelta(seconds=60), "workers": (worker_record(),), "leader": fence()}
    lines = rendered(fleet_view(judge_fleet(FleetInputs(**{**plain, **changes})))).splitlines()
    return [" ".join(line.split()) for line in lines]


def test_a_quiet_fleet_is_a_few_lines() -> None:
    """Whether all is well, the counts, the leader, the workers, and that nothing is due."""
    lines = shown()
    assert lines[:4] == [
        "All is well.",
        "workers: 1 running; jobs: 0 running, 0 waiting",
        "leader: process 7 on host host-a, since 2026-03-01 12:00Z",
        "configuration of the file: c1",
    ]
    assert "host-w1:7 running 1h 3s 0.1.0 c1 4 -" in lines
    assert lines[-1] == "Nothing is due."


def test_each_serve_is_told_with_whether_it_leads() -> None:
    """And for how long it has run, or been stopped."""
    lines = shown(
        services=(
            service_record("a", holder=fence_holder("a"), started_at=ago(hours=3), beat_at=ago(seconds=4)),
            service_record("s2", holder=fence_holder("s2"), started_at=ago(hours=2), beat_at=ago(seconds=9)),
        )
    )
    assert "host-a:7 leading 3h 4s 1.0" in lines
    assert "host-s2:7 standing-by 2h 9s 1.0" in lines


def test_who_does_what_is_told() -> None:
    """The accounts of a worker, the holder of an account, what its lanes have learned, and who asked for what is due."""
    lines = shown(
        workers=(
            worker_record(accounts=("a", "b")),
            worker_record("w2", config="c0", stopped_at=ago(minutes=2)),
            worker_record("w3", config="c2"),
        ),
        fences=(fence(lanes_fence("a"), "w1", taken_at=ago(minutes=3)),),
        due=(due_sweep("research", account="a", begun_at=NOON), due_sweep("lab", account="c", by="li (page)")),
        jobs=(Job("a", JobState.RUNNING, "c1", NOON), Job("c", JobState.WAITING, "c1", ago(minutes=5))),
        learned={"a": {"delete": LearnedRate(2, 1.0, 1.25, 3.0)}},
    )
    assert "workers: 2 running, 1 stopped; jobs: 1 running, 1 waiting (the longest for 5m)" in lines
    assert "host-w1:7 running 1h 3s 0.1.0 c1 4 a, b" in lines
    assert "host-w2:7 stopped 2m 3s 0.1.0 c0 4 -" in lines
    assert "host-w3:7 running 1h 3s 0.1.0 c2 (differs) 4 -" in lines
    assert "a host-w1:7 3m 1s running delete 1.25/s" in lines
    assert "c - - - waits for 5m -" in lines
    assert "research sweeping 10m the schedule a - -" in lines
    assert "lab waiting 10m li (page) c - -" in lines


def test_what_is_wrong_comes_first() -> None:
    """With when a failed sweep is tried again."""
    lines = shown(workers=(), leader=None, due=(due_sweep(failures=2, problem="it is away", not_before=ago(minutes=-4)),))
    assert lines[0] == "Not all is well."
    assert lines[1].startswith("no `nbsweep serve` leads the fleet")
    assert lines[2].startswith("no worker is running")
    assert lines[3].startswith("research: its last 2 sweeps failed: it is away")
    assert "workers: none; jobs: 0 running, 0 waiting" in lines
    assert "research again in 4m 10m the schedule acct 2 it is away" in lines


def test_names_of_others_cannot_write_to_the_terminal() -> None:
    """Whoever asked for a sweep, or an answer of the cloud."""
    text = "\n".join(shown(due=(due_sweep(by="\x1b[31mli", problem="\x1b]0;x", failures=1),)))
    assert "\x1b" not in text
