"""Which lost workers are a problem: those that nobody has made up for."""

from datetime import datetime
from typing import Any

from builders import NOON, ago, worker_record
from nbsweep.core.fleet_status.losses import losses
from nbsweep.core.workers.model import WorkerRecord


def lost(owner: str, beat_at: datetime, **changes: Any) -> WorkerRecord:
    """Return a worker that was started a day ago, and is lost since then."""
    return worker_record(owner, **{"started_at": ago(days=1), "beat_at": beat_at, **changes})


def started(owner: str, minutes_ago: float, **changes: Any) -> WorkerRecord:
    """Return a worker that was started so long ago, and runs."""
    return worker_record(owner, started_at=ago(minutes=minutes_ago), **changes)


def named(*workers: WorkerRecord) -> list[str]:
    """Return the owners of the workers that nobody has made up for."""
    return [worker.holder.owner for worker in losses(workers, NOON)]


def test_a_lost_worker_is_a_problem_until_another_one_is_started() -> None:
    """On the same host or on another one; a worker that was started before does not count."""
    gone = lost("gone", ago(minutes=30))
    assert named(gone, started("early", 31)) == ["gone"]
    assert named(gone, started("early", 31), started("late", 29)) == []


def test_one_new_worker_does_not_make_up_for_four_lost_ones() -> None:
    """Each start makes up for one of them, the last one first."""
    gone = [lost(f"gone{number}", ago(minutes=40 - number)) for number in range(4)]
    new = [started(f"new{number}", 20 - number) for number in range(4)]
    assert [named(*gone, *new[:count]) for count in range(5)] == [
        ["gone0", "gone1", "gone2", "gone3"],
        ["gone0", "gone1", "gone2"],
        ["gone0", "gone1"],
        ["gone0"],
        [],
    ]


def test_the_restart_of_another_worker_makes_up_for_nothing() -> None:
    """It stopped normally and was started again, so that there is one worker fewer still."""
    gone, stopped = lost("gone", ago(minutes=30)), worker_record("old", started_at=ago(days=1), stopped_at=ago(minutes=20))
    assert named(gone, stopped, started("other", 300), started("new", 19)) == ["gone"]


def test_a_loss_that_was_made_up_for_is_none_again_when_a_worker_is_taken_away() -> None:
    """Somebody wants fewer workers now."""
    gone, stopped = lost("gone", ago(minutes=30)), worker_record("old", started_at=ago(days=1), stopped_at=ago(minutes=5))
    assert named(gone, stopped, started("new", 20)) == []


def test_of_a_worker_that_dies_again_and_again_only_the_last_one_is_a_problem() -> None:
    """Each start has made up for the loss before."""
    dying = [lost(f"gone{hours}", ago(hours=hours), started_at=ago(hours=hours + 0.5)) for hours in (3, 2, 1)]
    assert named(*dying) == ["gone1"]


def test_a_lost_worker_is_a_problem_for_a_day() -> None:
    """Whoever has not started another one by then does not want one."""
    assert named(lost("gone", ago(hours=23, minutes=59))) == ["gone"]
    assert named(lost("gone", ago(hours=24), started_at=ago(days=2))) == []
