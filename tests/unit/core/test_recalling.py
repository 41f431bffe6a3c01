from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from nbsweep.core.conditions import Truth
from nbsweep.core.explaining import explain
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Notebook
from nbsweep.core.plan import Brakes, OnExcess
from nbsweep.core.ports import RunRecord
from nbsweep.core.recalling import (
    Account,
    BrakeLine,
    Cover,
    Memory,
    brake_lines,
    count_requested,
    cover_findings,
    last_ended,
    recent,
)
from unit.core.examples import NOW, ago, moment, notebook, removal, rules


def run(run_id: str = "run1", **changes: Any) -> RunRecord:
    """Give a sweep that ended three hours ago, and planned 37 of 400."""
    plain = RunRecord("run1", "research", ago(hours=4), "ops", dry_run=False, ended_at=ago(hours=3), outcome="finished")
    return replace(plain, run_id=run_id, **{"fleet": 400, "planned": 37, **changes})


def sent(**changes: Any) -> Removal:
    """Give a removal whose DELETE left an hour ago."""
    return replace(removal(), **{"state": State.DELETED, "requests": 1, "sent_at": ago(hours=1), **changes})


@pytest.mark.parametrize(
    ("row", "cover", "expected"),
    [
        (notebook(), Cover(None, ("NOTEBOOK",)), True),
        (notebook(), Cover(("0", "9"), ("NOTEBOOK", "DEFAULT")), True),
        (notebook(workspace_id="1"), Cover(("0",), ("NOTEBOOK",)), False),
        (notebook(feature="DEFAULT"), Cover(None, ("NOTEBOOK",)), False),
        (notebook(feature=None), Cover(None, ("NOTEBOOK",)), None),
        (notebook(workspace_id=None), Cover(("0",), ("NOTEBOOK",)), None),
        (notebook(workspace_id=None), Cover(None, ("NOTEBOOK",)), True),
        (notebook(), Cover(None, ("NOTEBOOK",), own=True), None),
        (notebook(feature="DEFAULT"), Cover(None, ("NOTEBOOK",), own=True), False),
    ],
)
def test_a_target_covers_what_its_settings_leave_in(row: Notebook, cover: Cover, expected: object) -> None:
    """Whose keys these are cannot be told from a notebook, and neither can what it does not show."""
    findings = cover_findings(row, cover)
    account = Account("research", NOW, row, findings, explain(row, rules(), moment()), Memory(), ())
    assert account.covered is expected
    assert {finding.truth for finding in findings} <= set(Truth)


def test_each_brake_says_its_limit_and_what_it_looks_at() -> None:
    """In the configuration's own words, with what the last sweep came to."""
    lines = brake_lines(Brakes(max_per_owner=5), run())
    assert [(line.brake, line.limit) for line in lines] == [
        ("max_deletions", "100"),
        ("max_share", "25%"),
        ("max_per_owner", "5"),
        ("on_excess", "refuse"),
    ]
    assert [line.known for line in lines] == ["37 at the last sweep", "37 of 400 at the last sweep", None, None]
    assert all(line.looks_at for line in lines)


def test_a_brake_that_is_off_has_no_limit() -> None:
    """And a journal that knows of no sweep knows nothing."""
    lines = brake_lines(Brakes(None, None, None, OnExcess.TRIM), None)
    assert [(line.limit, line.known) for line in lines] == [(None, None), (None, None), (None, None), ("trim", None)]
    assert brake_lines(Brakes(0, Fraction(0)), None)[:2] == (
        BrakeLine("max_deletions", "0", lines[0].looks_at),
        BrakeLine("max_share", "0%", lines[1].looks_at),
    )


def test_the_last_sweep_is_that_of_the_target_and_has_seen_something() -> None:
    """Not one that goes on, of another target, or that failed before it had a fleet."""
    records = [run("going", ended_at=None), run("other", target="lab"), run("failed", fleet=0), run("good"), run("older")]
    assert last_ended(records, "research") == run("good")
    assert last_ended(records[:3], "research") is None


def test_recent_sweeps_are_those_that_may_have_sent_something_within_a_day() -> None:
    """One that goes on has planned nothing yet by its record; a dry run sends nothing."""
    records = [
        run("going", ended_at=None, planned=0),
        run("dry", dry_run=True),
        run("nothing", planned=0),
        run("other", target="lab"),
        run("good", ended_at=ago(hours=23)),
        run("old", ended_at=ago(hours=24)),
    ]
    assert [record.run_id for record in recent(records, "research", NOW)] == ["going", "good"]


def test_requests_are_counted_for_a_day_and_a_target() -> None:
    """A removal that was only planned, or stopped its notebook, has requested nothing."""
    removals = [
        sent(),
        sent(state=State.FAILED, requests=2),
        sent(sent_at=ago(hours=24)),
        sent(sent_at=ago(hours=24) + timedelta(seconds=1)),
        sent(target="lab"),
        sent(requests=0),
        removal(),
    ]
    assert count_requested(removals, "research", NOW) == 3


def test_what_has_no_end_is_under_way() -> None:
    """The newest of them."""
    ended, going = sent(run_id="old"), sent(run_id="new", state=State.ACCEPTED)
    assert Memory(removals=(going, ended)).under_way == going
    assert Memory(removals=(ended,)).under_way is None
