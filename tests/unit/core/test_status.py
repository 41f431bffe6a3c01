"""Whether all is well with a target."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, ago, due_sweep, removal, run_record, target_lease
from nbsweep.core.fleet_status.model import DueState, DueStatus
from nbsweep.core.lease import TargetLease
from nbsweep.core.runs import Outcome, RunCounts, RunRecord
from nbsweep.core.status import StatusInputs, TargetStatus, judge_status


def run(hours_ago: float, outcome: Outcome = Outcome.FINISHED, **changes: Any) -> RunRecord:
    """Return the record of a sweep that ended so long ago."""
    begun = ago(hours=hours_ago)
    return run_record(f"run-{hours_ago:g}", **{"started_at": begun, "ended_at": begun, "outcome": outcome, **changes})


def status_of(*records: RunRecord, **more: Any) -> TargetStatus:
    """Judge by these sweeps, the newest first."""
    return judge_status("research", StatusInputs(records, **more), NOON, timedelta(seconds=60))


def lease(since_hours_ago: float, silent_s: float = 5) -> TargetLease:
    """Return a lease that was taken so long ago, and whose last heartbeat was so long ago."""
    return target_lease(taken_at=ago(hours=since_hours_ago), beat_at=ago(seconds=silent_s))


@pytest.mark.parametrize("outcome", [Outcome.FINISHED, Outcome.DRY_RUN])
def test_all_is_well_when_the_last_sweep_came_to_its_end(outcome: Outcome) -> None:
    """Whatever happened before it."""
    judged = status_of(run(1, outcome), run(2, Outcome.FAILED, problem="no network"))
    assert judged.well
    assert judged.last is judged.last_success
    assert judged.last is not None
    assert judged.last.run_id == "run-1"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.FAILED, "failed: the cloud said no"),
        (Outcome.REFUSED, "was refused by a brake: the cloud said no"),
        (Outcome.INTERRUPTED, "was interrupted"),
        (Outcome.DECLINED, "was declined"),
    ],
)
def test_a_last_sweep_that_did_not_come_to_its_end_is_a_problem(outcome: Outcome, words: str) -> None:
    """The last success is told all the same."""
    judged = status_of(run(1, outcome, problem="the cloud said no"), run(2))
    assert not judged.well
    assert words in judged.problems[0]
    assert judged.last_success is not None
    assert judged.last_success.run_id == "run-2"


@pytest.mark.parametrize("outcome", [Outcome.INTERRUPTED, Outcome.DECLINED])
def test_a_sweep_that_somebody_ended_says_nothing_about_the_target(outcome: Outcome) -> None:
    """The sweep before it counts; it is still the last one."""
    judged = status_of(run(1, outcome), run(2, outcome), run(3))
    assert (judged.well, judged.last, judged.last_success) == (True, run(1, outcome), run(3))
    assert "failed: no network" in status_of(run(1, outcome), run(2, Outcome.FAILED, problem="no network")).problems[0]
    assert status_of(run(1, outcome), lease=lease(0.5)).well


def test_a_target_whose_every_sweep_was_ended_early_is_not_well() -> None:
    """It was never swept to the end."""
    assert status_of(run(1, Outcome.INTERRUPTED), run(2, Outcome.DECLINED)).problems == (
        "no sweep has ended by itself yet: the last sweep, run-1, was interrupted",
    )


def test_a_target_that_was_never_swept_is_not_well() -> None:
    """Nothing is known of it."""
    judged = status_of()
    assert (judged.well, judged.problems, judged.last, judged.last_success) == (
        False,
        ("never swept with this journal",),
        None,
        None,
    )


def test_a_sweep_without_an_end_is_a_problem_unless_its_target_is_held() -> None:
    """Then the one before it counts; who holds it must not have fallen silent, and a dry run holds nothing."""
    going = run(1, Outcome.RUNNING, ended_at=None)
    assert "its process is gone" in status_of(going, run(2)).problems[0]
    held = status_of(going, run(2), lease=lease(1.01))
    assert (held.well, held.sweeping) == (True, lease(1.01))
    assert status_of(going, lease=lease(1.01)).well
    assert not status_of(going, run(2, Outcome.FAILED), lease=lease(1.01)).well
    assert (
        "unless it is still running"
        in status_of(run(1, Outcome.RUNNING, ended_at=None, dry_run=True), lease=lease(1)).problems[0]
    )
    silent = status_of(going, run(2), lease=lease(1.01, silent_s=60))
    assert (silent.well, silent.sweeping) == (False, None)


def test_whether_the_holders_process_is_there_counts_for_more_than_its_last_beat() -> None:
    """Where that can be told: a dead one holds nothing, and one that is there and silent is a problem of its own."""
    going = run(1, Outcome.RUNNING, ended_at=None)
    dead = status_of(going, run(2), lease=lease(1.01), holder_is_alive=False)
    assert dead.sweeping is None
    assert "its process is gone" in dead.problems[0]
    assert status_of(going, run(2), lease=lease(1.01), holder_is_alive=True).well
    hung = status_of(going, run(2), lease=lease(1.01, silent_s=150), holder_is_alive=True)
    assert hung.sweeping == lease(1.01, silent_s=150)
    assert len(hung.problems) == 1
    assert "process 7 on host host-a" in hung.problems[0]
    assert "no beat for 2m 30s" in hung.problems[0]


def test_who_left_the_target_to_somebody_else_says_nothing_of_it() -> None:
    """The sweep of that other one counts."""
    left = run(1, Outcome.HELD_ELSEWHERE, problem="research is being swept by another")
    assert status_of(left, run(2)).well
    assert not status_of(left, run(2, Outcome.FAILED)).well
    assert status_of(left, lease=lease(3)).well
    assert status_of(left).problems == ("never swept with this journal",)


def test_a_removal_past_its_deadline_is_a_problem_and_one_that_has_time_is_not() -> None:
    """One that was only planned has no deadline yet."""
    late, early = removal(deadline=ago(minutes=1)), removal(notebook_id="nb2", deadline=NOON + timedelta(minutes=1))
    judged = status_of(run(1), unfinished=(late, early, removal(notebook_id="nb3")))
    assert judged.overdue == (late,)
    assert len(judged.unfinished) == 3
    assert "1 unfinished removal is past its deadline" in judged.problems[0]
    assert status_of(run(1), unfinished=(early,)).well
    assert status_of(run(1), unfinished=(late,), lease=lease(0.1)).well


def test_removals_that_failed_at_the_last_sweep_need_attention() -> None:
    """Also if the sweep itself has finished; a later sweep without removals changes nothing, one with a deletion does."""
    failing = RunCounts("run-2", "research", {"failed": 3, "timed_out": 1, "deleted": 1}, 0)
    deleting, elsewhere = RunCounts("run-1", "research", {"deleted": 2}, 10), replace(failing, target="other")
    runs = [run(1), run(2)]
    sentence = "4 of 5 removals of run-2 failed: `nbsweep show run-2` shows why"
    assert status_of(*runs[1:], counts=[failing]).problems == (sentence,)
    assert status_of(*runs, counts=[failing]).problems == (sentence,)
    assert status_of(*runs, counts=[failing, deleting]).problems == ()
    assert status_of(*runs, counts=[elsewhere]).problems == ()


def test_the_age_of_a_beat_counts_by_the_clock_that_all_processes_share() -> None:
    """The server is five minutes ahead of this machine: a lease of five seconds ago is held, and one of a minute is not."""
    ahead = timedelta(minutes=5)
    for silent_s, held in ((5, True), (60, False)):
        known = lease(1, silent_s=silent_s - ahead.total_seconds())
        status = status_of(run(1, ended_at=None), lease=known, shared_now=NOON + ahead)
        assert (status.sweeping is not None) is held


@pytest.mark.parametrize("state", [state for state in DueState if state is not DueState.SWEEPING])
def test_a_due_sweep_that_no_worker_carries_out_is_shown(state: DueState) -> None:
    """It is no problem of the target by itself."""
    waits = DueStatus(due_sweep(), state)
    assert status_of(run(1), due=waits).due == waits
    assert status_of(run(1), due=waits).well


def test_of_a_due_sweep_that_a_worker_carries_out_the_sweep_itself_is_shown() -> None:
    """It does not wait."""
    assert status_of(run(1), due=DueStatus(due_sweep(begun_at=NOON), DueState.SWEEPING)).due is None
