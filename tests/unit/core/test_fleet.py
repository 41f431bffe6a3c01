from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, ago, candidate, lease, moment, notebook, over, plan, policy, rules
from nbsweep.core.fleet import FleetRow, fleet_rows, goes_at, sort_key
from nbsweep.core.judging.verdict import Decision, Reason
from nbsweep.core.model import MalformedRow, Status, Volume
from nbsweep.core.planning.cool_down import USUAL_COOL_DOWN, Streak, judge_cooling

IDLE = rules(policy(over("idle", days=14), name="idle"))
BROKEN = MalformedRow(None, "broken", "no id")


def idle_for(number: int, days: float, **changes: Any) -> Any:
    """Return a notebook that was used so many days ago, whose lease is over."""
    return notebook(
        number, updated_at=ago(days=days), lease=lease(updated_at=ago(days=days), created_at=ago(days=200)), **changes
    )


def rows_of(*found: Any, **changes: Any) -> list[FleetRow]:
    """Return the rows of a fleet whose planned notebooks are those with the numbers 1 and 2."""
    made = plan(candidate(1), candidate(2), **changes)
    return fleet_rows(made, found, IDLE, moment())


def test_each_row_has_the_verdict_of_the_plan() -> None:
    """A notebook that the rules let go, and that the plan does not have, was cut by a brake; a deleted one is none any more."""
    cooling = judge_cooling(Streak(1, ago(minutes=10), "busy"), USUAL_COOL_DOWN, NOON)
    assert cooling
    found = (*(idle_for(number, 20) for number in (1, 3, 4)), idle_for(5, 3), idle_for(6, 20, status=Status.DELETED), BROKEN)
    rows = rows_of(*found, cooling={"nb4": cooling}, malformed=(BROKEN,))
    assert [(row.notebook.id, row.verdict.decision, row.verdict.reason, row.policy) for row in rows] == [
        ("nb1", Decision.DELETE, Reason.POLICY, "idle"),
        ("nb3", Decision.KEEP, Reason.OVER_BRAKE, "idle"),
        ("nb4", Decision.KEEP, Reason.COOLING_DOWN, None),
        ("nb5", Decision.KEEP, Reason.NO_POLICY, None),
        (None, Decision.KEEP, Reason.MALFORMED, None),
    ]
    # Ten minutes ago, and an hour after the first failure.
    times = [goes_at(row, IDLE, moment()) for row in rows]
    assert times == [NOON, NOON, NOON + timedelta(minutes=50), NOON + timedelta(days=11), None]


@pytest.mark.parametrize(
    ("by", "order"),
    [
        ("idle", ["nb2", "nb1", "nb3", "nb4"]),
        ("size", ["nb3", "nb1", "nb2", "nb4"]),
        ("name", ["nb4", "nb1", "nb2", "nb3"]),
        ("created", ["nb1", "nb2", "nb3", "nb4"]),
        ("goes", ["nb3", "nb1", "nb2", "nb4"]),
    ],
)
def test_the_most_comes_first_and_what_is_not_known_last(by: str, order: list[str]) -> None:
    """Longest idle, largest, oldest, soonest; names are sorted without regard to case."""
    rows = rows_of(
        idle_for(1, 5, volume=Volume("EVS", "MANAGED", 50)),
        idle_for(2, 9, volume=Volume("EVS", "MANAGED", 5)),
        idle_for(3, 2, volume=Volume("EVS", "MANAGED", 500)),
        notebook(4, name="A-first", created_at=None, updated_at=None, lease=None, volume=None),
    )
    times = [NOON + timedelta(days=2), NOON + timedelta(days=3), NOON, None]
    timed = [replace(row, goes_at=time) for row, time in zip(rows, times, strict=True)]
    assert [row.notebook.id for row in sorted(timed, key=lambda row: sort_key(row, by))] == order
