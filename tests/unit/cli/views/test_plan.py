"""The marks in the view of a plan, in its CSV, and in the prompt before it."""

import csv
import io
from datetime import timedelta
from itertools import chain

from msgspec.structs import replace

from builders import NOON, ago, candidate, plan, refused_by
from nbsweep.cli.commands.plan import CSV_COLUMNS
from nbsweep.cli.commands.run import describe_request
from nbsweep.cli.text import csv_text
from nbsweep.cli.views.plan import plan_view
from nbsweep.cli.views.results import report_view
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.shown import MarksWritten, MarkTotals
from nbsweep.core.model import Named
from nbsweep.core.planning.plan import MarkOutlook, Plan
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.documents.plans import plan_document
from rendering import rendered

OF_BOB = Named("u2", "bob")
WEEK = MarkOutlook({"old": Grace(timedelta(days=7, minutes=1))})


def marking(*, deletions: int = 0, **marks: object) -> Plan:
    """Return a plan that deletes so many notebooks, and marks two notebooks of alice and one of bob."""
    to_mark = (candidate(11), candidate(12), candidate(13, owner=OF_BOB))
    items = tuple(candidate(number) for number in range(1, deletions + 1))
    return plan(*items, kept={Reason.UNANNOUNCED: 3}, to_mark=to_mark, marks=replace(WEEK, **marks))


def test_a_plan_shows_what_it_marks_and_when_that_would_be_due() -> None:
    """The grace of a week and a minute from noon ends at the next full hour a week later."""
    shown = rendered(plan_view(marking()))
    assert "To be marked, and their owners told before anything of it is deleted:" in shown
    line = next(line for line in shown.splitlines() if "experiment-13" in line)
    assert line.split()[:6] == ["nb13", "experiment-13", "bob", "STOPPED", "100d", "50"]
    assert "2026-03-08 13:00Z" in line
    assert "research: 10 notebooks; 0 to delete (0%), 0 GB; 3 kept: 3 unannounced." in shown
    assert "marks: 3 to mark, of 2 owners\n" in shown


def test_a_plan_counts_the_open_marks_and_says_when_the_next_becomes_due() -> None:
    """A limit leaves two to a later sweep, and the sweep clears one."""
    totals = MarkTotals(marked=4, told=5, due=1, untold=3, next_due=ago(days=-3), retried=1)
    shown = rendered(plan_view(marking(totals=totals, to_clear=1, waiting=2)))
    assert "marks: 3 to mark, of 2 owners; 1 mark to clear; 2 more left to a later sweep" in shown
    before = "marked before: 4 not told yet (2 cannot be told, 1 tried again), 5 told, 1 due;"
    assert f"{before} the next becomes due 2026-03-04 12:00Z, in 3d" in shown


def test_a_plan_without_marks_says_nothing_of_them() -> None:
    """Most configurations have no grace."""
    assert "mark" not in rendered(plan_view(plan(candidate())))


def test_a_brake_that_refuses_marks_is_named() -> None:
    """It does not refuse the plan."""
    shown = rendered(plan_view(marking(refusals=(refused_by("max_per_owner", "9 notebooks of alice would go"),))))
    assert "Marks nothing (max_per_owner): 9 notebooks of alice would go." in shown


def test_the_rows_of_marks_in_csv_say_that_they_are_no_deletions() -> None:
    """One table for both: the column `action` tells them apart."""
    document = plan_document("p1", NOON, [marking(deletions=1)], {})
    written = csv_text(chain(document.items, document.to_mark), CSV_COLUMNS)
    rows = [(row["id"], row["action"], row["grace"], row["earliest_due_at"]) for row in csv.DictReader(io.StringIO(written))]
    due = ("mark", "7d", "2026-03-08T13:00:00.000Z")
    assert rows == [("nb1", "delete", "", ""), ("nb11", *due), ("nb12", *due), ("nb13", *due)]


def test_the_prompt_for_a_plan_that_only_marks_says_how_many_owners_will_be_told() -> None:
    """And that it deletes nothing."""
    assert describe_request(marking()) == (
        3,
        "mark these 3 notebooks of research, so that 2 owners will be told; nothing is deleted yet",
    )


def test_the_prompt_names_the_channels_that_are_told_instead_of_owners() -> None:
    """Or beside them."""
    alone, both = (MarkOutlook({"old": Grace(timedelta(days=7), tell=places)}) for places in (("ops",), ("owner", "ops")))
    assert "so that ops will be told" in describe_request(replace(marking(), marks=alone))[1]
    assert "so that 2 owners and ops will be told" in describe_request(replace(marking(), marks=both))[1]


def test_the_prompt_for_deletions_names_the_marks_too() -> None:
    """The number to type is that of the deletions."""
    count, request = describe_request(marking(deletions=2))
    assert count == 2
    assert request.startswith("delete these 2 notebooks of research with all their storage permanently, ")
    assert request.endswith("and mark 3 more, so that 2 owners will be told")


def test_a_report_says_how_many_were_marked_and_how_many_are_no_longer_marked() -> None:
    """Also if there was nothing to delete."""
    report = Report("research", Outcome.FINISHED, plan(), marks=MarksWritten(3, 1), duration_s=1.0)
    assert "research: finished in 1.0 s; nothing to delete; 3 marked; 1 no longer marked." in rendered(report_view(report))
