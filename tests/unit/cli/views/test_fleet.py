"""Marks and exemptions in the table of the fleet, in its filters and in its document."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, ago, announcing, exemption, mark, moment, notebook, plan, rules, told_mark
from nbsweep.cli.commands.list import Filters
from nbsweep.cli.views.fleet import fleet_view
from nbsweep.core.fleet import FleetRow, fleet_rows
from nbsweep.core.marks.model import Mark
from nbsweep.documents.fleet import notebook_document
from rendering import rendered

DUE = NOON + timedelta(days=6)


def row_of(*marks: Mark, **changes: Any) -> FleetRow:
    """Return the row of the first notebook, for a policy that gives a week's notice."""
    asked = replace(rules(announcing()), marks={each.notebook_id: each for each in marks}, **changes)
    [row] = fleet_rows(plan(), [notebook()], asked, moment())
    return row


def why(row: FleetRow) -> str:
    """Return the line of the table."""
    shown = rendered(fleet_view(plan(), [row], timed=False, wide=False))
    return next(line for line in shown.splitlines() if "experiment-1" in line)


TOLD = told_mark(told_at=ago(days=1), deadline=DUE)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((), "not announced yet"),
        ((mark(),), "marked, not told yet"),
        ((mark(untold="no address is known"),), "marked, cannot be told: no address is known"),
        ((mark(untold="451 busy", retried=True),), "marked, not told yet: 451 busy"),
        ((TOLD,), "announced, due 2026-03-07 12:00Z"),
        ((replace(TOLD, clock_verified=False),), "announced; the grace begins at the next survey"),
        ((replace(TOLD, updated_at=ago(days=101)),), "not announced: used since it was marked"),
        ((told_mark(told_at=ago(days=90), deadline=ago(days=83)),), "announced too long ago, and to be told again"),
    ],
)
def test_the_reason_says_how_far_the_announcement_is(marks: tuple[Mark, ...], expected: str) -> None:
    """In few words, with the date that counts."""
    assert why(row_of(*marks)).rstrip().endswith(expected)


def test_the_reason_of_an_exempt_notebook_says_until_when_and_why() -> None:
    """An exemption always ends."""
    assert why(row_of(exemptions=(exemption(),))).rstrip().endswith("exempt until 2026-03-10 12:00Z: a paper is due")


@pytest.mark.parametrize(("marks", "state"), [((), None), ((mark(),), "marked"), ((TOLD,), "told"), ((told_mark(),), "due")])
def test_the_filter_for_states_and_the_document_agree(marks: tuple[Mark, ...], state: str | None) -> None:
    """A due notebook is one that goes."""
    row = row_of(*marks)
    passing = {each for each in ("marked", "told", "due") if Filters(states=frozenset({each})).let_pass(row, plan())}
    assert passing == ({state} if state else set())
    assert notebook_document(row, NOON, timed=False).mark == state
    assert Filters().let_pass(row, plan())


def test_the_document_has_the_dates_of_the_mark() -> None:
    """And the end of an exemption."""
    document = notebook_document(row_of(TOLD), NOON, timed=False)
    assert (document.marked_at, document.due_at, document.exempt_until) == (
        "2026-02-19T12:00:00.000Z",
        "2026-03-07T12:00:00.000Z",
        None,
    )
    assert notebook_document(row_of(exemptions=(exemption(),)), NOON, timed=False).exempt_until == "2026-03-10T12:00:00.000Z"


def test_the_mark_of_another_instance_is_not_shown() -> None:
    """The notebook was created again with the same id."""
    earlier = told_mark(notebook_created_at=ago(days=300))
    assert row_of(earlier).mark is None
