"""What becomes of the due sweeps of a fleet: only a worker that sends beats sweeps."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOON, ago, due_sweep, fence, worker_record
from nbsweep.core.due_sweeps.model import DueSweep
from nbsweep.core.fences.model import Fence, lanes_fence
from nbsweep.core.fleet_status.due import due_statuses, problems_of_sweeps
from nbsweep.core.fleet_status.model import DueState, FleetInputs
from nbsweep.core.reasons.statement_wordings import describe_statement

A_MINUTE = timedelta(seconds=60)
BEGUN = ago(minutes=5)


def inputs(*due: DueSweep, **changes: Any) -> FleetInputs:
    """Return what is known of a fleet in which these sweeps are due, and whose fences last for a minute."""
    plain = FleetInputs(now=NOON, config="c1", lasts=A_MINUTE, workers=(worker_record(),), leader=fence(), due=due)
    return FleetInputs(**{**{name: getattr(plain, name) for name in plain.__struct_fields__}, **changes})


def account_fence(**changes: Any) -> Fence:
    """Return the fence of the account acct, which a worker took right before it began the sweep."""
    return fence(lanes_fence("acct"), "w1", **{"taken_at": ago(minutes=6), **changes})


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, DueState.SWEEPING),
        ({"age_s": 29.0}, DueState.SWEEPING),
        ({"age_s": 30.0}, DueState.WORKER_SILENT),
        ({"age_s": 59.0}, DueState.WORKER_SILENT),
        ({"age_s": -40.0}, DueState.WORKER_SILENT),
        ({"age_s": 60.0}, DueState.WAITING),
        ({"held": False}, DueState.WAITING),
        ({"taken_at": ago(minutes=4)}, DueState.WAITING),
    ],
)
def test_a_sweep_that_was_begun_goes_on_only_if_its_worker_holds_the_account(changes: dict[str, Any], state: DueState) -> None:
    """Its last beat is at most half of a fence's time ago: then it is silent, and after that time another may take the account.

    A fence that was taken after the sweep began is that of another worker, which has not begun it.
    """
    known = inputs(due_sweep(begun_at=BEGUN), fences=(account_fence(**changes), fence(lanes_fence("other"), "w2")))
    assert [each.state for each in due_statuses(known)] == [state]


@pytest.mark.parametrize(
    ("accounts", "beat_at", "state"),
    [
        (("acct",), ago(seconds=3), DueState.SWEEPING),
        (("acct",), ago(seconds=60), DueState.WAITING),
        (("other",), ago(seconds=3), DueState.WAITING),
    ],
)
def test_a_worker_that_names_the_account_differently_is_known_by_its_job(accounts: Any, beat_at: Any, state: DueState) -> None:
    """Its fence has another name, but its record has the account of its job."""
    worker = worker_record(accounts=accounts, beat_at=beat_at)
    known = inputs(due_sweep(begun_at=BEGUN), workers=(worker,), fences=(fence(lanes_fence("looked-up"), "w1"),))
    assert [each.state for each in due_statuses(known)] == [state]


def test_what_has_failed_before_is_a_problem_with_when_it_is_tried_again() -> None:
    """Whether it is swept, waits for a worker, or for its time."""
    due = (
        due_sweep("a", begun_at=ago(minutes=1)),
        due_sweep("b", problem="process 7 has it"),
        due_sweep("c", failures=2, problem="it is away", not_before=ago(minutes=-4)),
        due_sweep("e", failures=1, problem="no"),
        due_sweep("d", failures=1, problem="no", begun_at=NOON),
        due_sweep("f", failures=1, problem="no", begun_at=NOON, account="silent"),
    )
    silent = fence(lanes_fence("silent"), "w2", taken_at=NOON, age_s=45.0)
    found = due_statuses(inputs(*due, fences=(account_fence(), silent)))
    assert [each.state for each in found] == [
        DueState.SWEEPING,
        DueState.WAITING,
        DueState.PUT_OFF,
        DueState.WAITING,
        DueState.SWEEPING,
        DueState.WORKER_SILENT,
    ]
    assert list(map(describe_statement, problems_of_sweeps(found))) == [
        "c: its last 2 sweeps failed: it is away; it is tried again at 2026-03-01 12:04Z",
        "e: its sweep failed: no; a worker tries it again as soon as one is free",
        "d: its sweep failed: no; it is tried again now",
        "f: its sweep failed: no; it was tried again by a worker that reports nothing",
    ]
