from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, ago, moment, notebook, removal, rules, run_record
from nbsweep.core.explain.context import JournalFacts, NotebookContext, TargetScope, brake_lines, cover_findings
from nbsweep.core.explain.explain import explain
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Notebook
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.reasons.finding import Truth
from nbsweep.core.runs import FleetBefore, History, Outcome, RunRecord


def run(run_id: str = "run1", **changes: Any) -> RunRecord:
    """Return the record of a sweep that ended three hours ago, and planned 37 of 400."""
    plain = run_record(run_id, started_at=ago(hours=4), ended_at=ago(hours=3), outcome=Outcome.FINISHED, fleet=400, planned=37)
    return replace(plain, **changes)


def sent(**changes: Any) -> Removal:
    """Return a removal whose DELETE was sent an hour ago."""
    return removal(**{"state": State.DELETED, "requests": 1, "sent_at": ago(hours=1), **changes})


@pytest.mark.parametrize(
    ("row", "cover", "expected"),
    [
        (notebook(), TargetScope(None, ("NOTEBOOK",)), True),
        (notebook(), TargetScope(("0", "9"), ("NOTEBOOK", "DEFAULT")), True),
        (notebook(workspace_id="1"), TargetScope(("0",), ("NOTEBOOK",)), False),
        (notebook(feature="DEFAULT"), TargetScope(None, ("NOTEBOOK",)), False),
        (notebook(feature=None), TargetScope(None, ("NOTEBOOK",)), None),
        (notebook(workspace_id=None), TargetScope(("0",), ("NOTEBOOK",)), None),
        (notebook(workspace_id=None), TargetScope(None, ("NOTEBOOK",)), True),
        (notebook(), TargetScope(None, ("NOTEBOOK",), own=True), None),
        (notebook(feature="DEFAULT"), TargetScope(None, ("NOTEBOOK",), own=True), False),
    ],
)
def test_a_target_covers_what_its_settings_leave_in(row: Notebook, cover: TargetScope, expected: object) -> None:
    """Whose keys these are cannot be told from a notebook, and neither can what it does not show."""
    findings = cover_findings(row, cover)
    account = NotebookContext("research", NOON, row, findings, explain(row, rules(), moment()), JournalFacts(), ())
    assert account.covered is expected
    assert {finding.truth for finding in findings} <= set(Truth)


def test_each_brake_says_its_limit_and_what_it_looks_at() -> None:
    """In the configuration's own words, with what the journal knows: 400 less 37 that were deleted since are expected."""
    history = History(requested=12, before=FleetBefore("run9", 400, deleted=37))
    lines = brake_lines(Brakes(max_per_owner=5, max_per_day=50), Fraction(1, 4), JournalFacts(latest=run(), history=history))
    assert [(line.brake, line.limit, line.known) for line in lines] == [
        ("max_deletions", "100", "37 at the last sweep"),
        ("max_share", "25%", "37 of 400 at the last sweep"),
        ("max_per_owner", "5", None),
        ("max_per_day", "50", "12 within the last day"),
        ("max_fleet_drop", "50%", "363 expected after run run9"),
        ("max_failures", "25%", None),
        ("on_excess", "refuse", None),
    ]
    assert all(line.looks_at for line in lines)


def test_a_brake_that_is_off_has_no_limit() -> None:
    """And a journal that knows of no sweep knows nothing but that none was requested."""
    off = Brakes(None, None, None, OnExcess.TRIM, None, None)
    lines = brake_lines(off, None, JournalFacts())
    assert [line.limit for line in lines] == [None, None, None, None, None, None, "trim"]
    assert [line.known for line in lines if line.known] == ["0 within the last day"]
    none_at_all = brake_lines(Brakes(0, Fraction(0)), Fraction(0), JournalFacts())
    assert [none_at_all[place].limit for place in (0, 1, 5)] == ["0", "0%", "0%"]


def test_what_has_no_end_is_under_way() -> None:
    """The newest of them."""
    ended, going = sent(run_id="old"), sent(run_id="new", state=State.ACCEPTED)
    assert JournalFacts(removals=(going, ended)).under_way == going
    assert JournalFacts(removals=(ended,)).under_way is None
