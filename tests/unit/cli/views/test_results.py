"""Tables, as people and pipes get them."""

import csv
import io
import json

import pytest

import builders
from builders import NOON, SCOPE, ago, moment, notebook, refused_by, removal, rules
from nbsweep.cli.commands.plan import CSV_COLUMNS
from nbsweep.cli.text import csv_text, json_text, printable
from nbsweep.cli.views.plan import plan_view
from nbsweep.cli.views.results import format_seconds, report_view
from nbsweep.core.errors import Unreachable
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.lifecycle import State
from nbsweep.core.model import MalformedRow, Volume
from nbsweep.core.planning.brakes import Refusal
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.core.policy import judge
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.documents.plans import item_document, plan_document
from rendering import rendered

MALFORMED = MalformedRow("m1", "odd", "status is not one of the API's")
HOSTILE = "a\x1b[31m\n\r\x07[bold red]x[/] \u202eb"


def candidate(**changes: object) -> Candidate:
    """Return a candidate by the plain policy."""
    planned = notebook(**changes)
    return Candidate(planned, SCOPE, judge(planned, rules(), moment()), ago(days=21, hours=4))


def plan(*items: Candidate, refusal: Refusal | None = None) -> Plan:
    """Return a plan over a fleet of ten, one row of which is malformed."""
    kept = {Reason.NO_POLICY: 6, Reason.PROTECTED: 1}
    return builders.plan(*items, kept=kept, refusals=(refusal,) if refusal else (), malformed=(MALFORMED,))


def test_a_plan_shows_who_goes_why_and_what_stays() -> None:
    """One line for each, then the sum of it, then what could not be read."""
    shown = rendered(plan_view(plan(candidate(name="resnet-07", volume=Volume("EVS", "MANAGED", 50)))))
    line = next(line for line in shown.splitlines() if "resnet-07" in line)
    assert line.split()[:7] == ["nb1", "resnet-07", "alice", "STOPPED", "21d", "4h", "50"]
    assert "research: 10 notebooks; 1 to delete (10%), 50 GB; 7 kept: 6 no-policy, 1 protected." in shown
    assert "kept, because its row is malformed: odd: status is not one of the API's" in shown


def test_a_dedicated_disk_has_no_size_in_a_plan_because_it_stays() -> None:
    """The rows add up to the total: 50 of the first, nothing of the second, and the third is not known."""
    disks = (Volume("EVS", "MANAGED", 50), Volume("EFS", "DEDICATED", 100), Volume("EVS", "MANAGED", None))
    items = [candidate(id=f"nb{number}", name=f"disk-{number}", volume=volume) for number, volume in enumerate(disks)]
    shown = rendered(plan_view(plan(*items)))
    rows = {line.split()[1]: line.split()[6] for line in shown.splitlines() if " disk-" in line}
    assert rows == {"disk-0": "50", "disk-1": "-", "disk-2": "?"}
    assert "3 to delete (30%), 50 GB;" in shown


def test_a_refused_plan_says_which_brake_and_what_to_do() -> None:
    """It is the first thing the operator has to know."""
    shown = rendered(plan_view(plan(candidate(), refusal=refused_by("max_share", "1 of 10 would go"))))
    assert "Refused (max_share): 1 of 10 would go." in shown


def test_a_long_plan_can_be_cut_and_says_so() -> None:
    """The sum below still counts all of it."""
    shown = rendered(plan_view(plan(*[candidate(id=f"nb{number}", name=f"nb-{number}") for number in range(5)]), most=2))
    assert "nb-1" in shown
    assert "nb-2" not in shown
    assert "... and 3 more" in shown
    assert "5 to delete (50%)" in shown


def test_names_cannot_act_on_the_terminal() -> None:
    """Other people give the names: no escape sequence, no line break, no markup of theirs takes effect."""
    shown = rendered(plan_view(plan(candidate(name=HOSTILE))))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "[bold red]x[/]" in shown
    assert len([line for line in shown.splitlines() if "alice" in line]) == 1


@pytest.mark.parametrize(
    ("text", "expected"), [("plain", "plain"), ("Ωmega 工作", "Ωmega 工作"), ("a\tb\x00", "a\ufffdb\ufffd")]
)
def test_what_is_printable_stays(text: str, expected: str) -> None:
    """Only what would act rather than be seen is replaced."""
    assert printable(text) == expected


def test_a_report_names_who_was_not_deleted_and_counts_the_rest() -> None:
    """What went as planned needs no line of its own."""
    deleted = removal(notebook_id="nb1", name="gone", state=State.DELETED, capacity_gb=70)
    failed = removal(notebook_id="nb2", name="stays", state=State.FAILED, end_reason="DELETE_FAILED: disk busy")
    report = Report("research", Outcome.FINISHED, plan(candidate()), (deleted, failed), duration_s=12.34)
    shown = rendered(report_view(report))
    assert "gone" not in shown
    assert "DELETE_FAILED: disk busy" in next(line for line in shown.splitlines() if "stays" in line)
    assert "research: finished in 12.3 s; 1 deleted, 1 failed; 70 GB reclaimed." in shown


def test_a_report_says_what_ended_the_sweep_and_what_was_recovered() -> None:
    """Nobody should have to look for it in the log."""
    report = Report("research", Outcome.FAILED, recovered=(removal(state=State.DELETED),), error=Unreachable("it is away"))
    shown = rendered(report_view(report))
    assert "it is away" in shown
    assert "1 removals of an earlier run were finished" in shown


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, "0.0 s"), (119.94, "119.9 s"), (150.0, "2.5 min")])
def test_lengths_of_time_are_said_as_people_say_them(seconds: float, expected: str) -> None:
    """Seconds for short ones, minutes for long ones."""
    assert format_seconds(seconds) == expected


def test_csv_can_be_read_back_whatever_the_names_hold() -> None:
    """Commas and quotes in a name do not shift the columns, and a line break makes no second line."""
    items = [item_document("research", candidate(name='a,"b"\nc'))]
    written = csv_text(items, CSV_COLUMNS)
    (row,) = csv.DictReader(io.StringIO(written))
    assert (row["id"], row["name"], row["policy"]) == ("nb1", 'a,"b"\ufffdc', items[0].policy)
    assert len(written.splitlines()) == 2


def test_json_is_readable_and_acts_on_no_terminal() -> None:
    """Letters of any script stay; control characters, also those beyond ASCII, are escaped and come back whole."""
    name = "工作 \x1b[31m \x9b31m \u202e"
    written = json_text({"name": name})
    assert "工作" in written
    assert not {"\x1b", "\x9b", "\u202e"} & set(written)
    assert json.loads(written) == {"name": name}


def test_a_plan_document_has_the_keys_of_the_contract() -> None:
    """Programs of other people read these."""
    document = json.loads(json_text(plan_document("p1", NOON, [plan(candidate())], {"other": "it is away"})))
    assert document["plan_id"] == "p1"
    assert document["created_at"] == "2026-03-01T12:00:00.000Z"
    assert document["refusal"] is None
    assert document["kept"] == {"no-policy": 6, "protected": 1}
    (first,) = document["items"]
    assert {"target", "id", "name", "status", "owner", "workspace", "policy", "reason"} <= first.keys()
    assert document["targets"][1] == {"target": "other", "error": "it is away"}
