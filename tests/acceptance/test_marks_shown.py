"""Announced deletions as every command shows them, and the prompt before anybody is told."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, idle
from acceptance.terminal import on_a_terminal
from acceptance.told import People, Place, channels, people

FLEET: list[Json] = [
    idle("ana-1", days=40, owner="ana.lopez"),
    idle("ana-2", days=30, owner="ana.lopez"),
    idle("wei-1", days=20, owner="wei.chen"),
    idle("young", days=3, owner="wei.chen"),
]
ANNOUNCED = ["ana-1", "ana-2", "wei-1"]
WEEK: Json = {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, "grace": {"for": "7d", "surveys": 1}}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[People]:
    """Run the servers of owners and operators; wei.chen has no mailbox."""
    with people(tmp_path) as found:
        found.mail.recipient_answers = {"wei.chen@example.com": "550 5.1.1 User unknown"}
        yield found


@pytest.fixture
def place(simulate: Simulate, desk: Desk, told: People) -> Place:
    """Give the fleet, and a policy that gives a week of notice after the first survey."""
    found = Place(desk, simulate(FLEET))
    found.desk.write(
        found.cloud,
        policies=[WEEK],
        owners=[{"domain": "example.com"}],
        channels=channels(desk.folder, told),
    )
    return found


def document(place: Place, *arguments: str, code: int = 0) -> Any:
    """Run a command, and return its JSON."""
    ended = place.desk.run(*arguments, "--format", "json")
    assert ended.code == code, ended.err
    return ended.document


def test_a_plan_and_a_dry_run_show_what_would_be_marked_and_mark_nothing(place: Place, told: People) -> None:
    """The longest idle first; nothing is to be deleted, and the exit code is about deletions."""
    plan = document(place, "plan", "--detailed-exitcode")
    assert ([each["id"] for each in plan["to_mark"]], plan["items"]) == (ANNOUNCED, [])
    assert {(each["grace"], each["action"]) for each in plan["to_mark"]} == {("7d", "mark")}
    assert document(place, "run", "--dry-run")["to_mark"][0]["id"] == "ana-1"
    written = place.desk.run("plan", "--format", "csv").out
    assert [(row["id"], row["action"]) for row in csv.DictReader(io.StringIO(written))] == [
        (each, "mark") for each in ANNOUNCED
    ]
    assert "marks: 3 to mark, of 2 owners" in place.desk.run("plan").out
    assert (document(place, "marks"), told.mail.mails) == ([], [])


def test_whoever_does_not_type_the_number_marks_nothing_and_tells_nobody(place: Place, told: People) -> None:
    """The prompt says how many owners would be told; the exit code is that of a declined plan."""
    with on_a_terminal(place.desk, "run") as terminal:
        terminal.wait_for("nothing is deleted yet: ")
        shown = " ".join(terminal.screen.split())
        assert "Type 3 to mark these 3 notebooks of lab, so that 2 owners will be told; nothing is deleted yet:" in shown
        terminal.type("no\n")
        assert terminal.ended() == 6
    assert (document(place, "marks"), told.mail.attempts) == ([], 0)


def test_every_command_shows_what_is_announced(place: Place) -> None:
    """One owner is told, the other cannot be; a week and an hour later the told notebooks go."""
    [report] = document(place, "run", "--yes")["targets"]
    assert (report["marked"], report["cleared"]) == (3, 0)
    notebooks = {each["id"]: each for each in document(place, "list")["notebooks"]}
    assert {key: (each["mark"], each["because"]) for key, each in notebooks.items()} == {
        "ana-1": ("told", "told"),
        "ana-2": ("told", "told"),
        "wei-1": ("marked", "marked"),
        "young": (None, "no-policy"),
    }
    due = notebooks["ana-1"]["due_at"]
    within = document(place, "list", "--within", "8d")["notebooks"]
    assert {each["id"]: each["goes_at"] for each in within} == {"ana-1": due, "ana-2": due}
    assert [each["id"] for each in document(place, "list", "--state", "marked")["notebooks"]] == ["wei-1"]

    [status] = document(place, "status", code=1)
    counts = dict.fromkeys(("due", "retried", "held_out", "exempt"), 0)
    assert status["marks"] == counts | {"marked": 1, "told": 2, "untold": 1, "next_due_at": due}
    assert [(each["owner"], each["notebooks"]) for each in status["untold_owners"]] == [("wei.chen", 1)]
    assert (status["outbox"]["pending"], status["outbox"]["failed"]) == (0, 1)
    assert "1 message has failed within 7d" in status["problems"][0]

    explained = document(place, "explain", "ana-1")
    assert (explained["mark"]["state"], explained["mark"]["due_at"]) == ("told", due)
    assert explained["change"]["by_itself_at"] == due
    assert explained["change"]["remedies"]
    assert "not told: mail: 550 5.1.1" in place.desk.run("explain", "wei-1").out

    place.wait(days=7, hours=1)
    assert document(place, "status", code=1)[0]["marks"]["due"] == 2
    assert [each["id"] for each in document(place, "plan")["items"]] == ["ana-1", "ana-2"]
