"""`list`: every notebook with its verdict, filtered, sorted, and what goes by itself within a time."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, idle

POLICIES = [
    {"name": "ancient", "match": {"age_over": "300d"}},
    {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}},
]


def volume(capacity_gb: int) -> dict[str, Any]:
    """Return a managed disk of this size."""
    return {"category": "EVS", "ownership": "MANAGED", "capacity": capacity_gb}


def cloud_to_list(simulate: Simulate, desk: Desk, **groups: Any) -> Cloud:
    """Make a cloud with a notebook for each kind of verdict."""
    rows = [
        idle("old", days=400, owner="wei.chen", volume=volume(500)),
        idle("idle-20", days=20, owner="li.zhang", volume=volume(50)),
        idle("idle-10", days=10, owner="li.zhang", volume=volume(100)),
        idle("idle-5", days=5, owner="wei.chen", volume=volume(20)),
        idle("kept", days=30, name="keep-this", owner="wei.chen"),
        idle("runs", days=350, status="RUNNING", owner="ana"),
        idle("undated", raw={"create_at": None, "update_at": None, "lease": None}, owner="ana"),
    ]
    cloud = simulate(rows)
    desk.write(cloud, policies=POLICIES, protect=[{"name": "keep-*"}], **groups)
    return cloud


def listed(desk: Desk, *arguments: str) -> list[str]:
    """Return the ids of the listed notebooks, in their order."""
    ended = desk.run("list", "--format", "json", *arguments)
    assert ended.code == 0, ended.err
    return [notebook["id"] for notebook in ended.document["notebooks"]]


def test_every_notebook_is_listed_with_its_verdict_the_longest_idle_first(simulate: Simulate, desk: Desk) -> None:
    """Kept ones too, each with its reason; nothing is changed."""
    cloud = cloud_to_list(simulate, desk)
    ended = desk.run("list", "--format", "json")
    assert ended.code == 0
    found = {each["id"]: (each["verdict"], each["because"], each["policy"]) for each in ended.document["notebooks"]}
    assert list(found) == ["old", "kept", "idle-20", "idle-10", "idle-5", "runs", "undated"]
    assert found == {
        "old": ("delete", "policy", "ancient"),
        "kept": ("keep", "protected", None),
        "idle-20": ("delete", "policy", "idle"),
        "idle-10": ("keep", "no-policy", None),
        "idle-5": ("keep", "no-policy", None),
        "runs": ("keep", "running", "ancient"),
        "undated": ("keep", "unknown-fact", "ancient"),
    }
    old = ended.document["notebooks"][0]
    assert (old["owner"], old["workspace"], old["status"], old["capacity_gb"]) == ("wei.chen", "0", "STOPPED", 500)
    assert old["reason"].startswith("policy ancient: age 400d")
    assert "goes_at" not in old
    assert ended.document["targets"] == [{"target": "lab", "fleet": 7, "listed": 7, "error": None}]
    assert cloud.writes() == []


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (("--verdict", "delete"), ["old", "idle-20"]),
        (("--owner", "li.zhang"), ["idle-20", "idle-10"]),
        (("--owner", "LI*", "--owner", "ana"), ["idle-20", "idle-10", "runs", "undated"]),
        (("--status", "running"), ["runs"]),
        (("--policy", "ancient"), ["old", "runs", "undated"]),
        (("--policy", "idle", "--verdict", "delete"), ["idle-20"]),
        (("--owner", "wei.chen", "--verdict", "keep"), ["kept", "idle-5"]),
        (("--verdict", "keep", "--exclude", "old", "--owner", "wei.chen"), ["old", "kept", "idle-5"]),
        (("--sort", "name"), ["idle-10", "idle-20", "idle-5", "kept", "old", "runs", "undated"]),
        (("--sort", "size", "--verdict", "delete"), ["old", "idle-20"]),
        (("--sort", "owner", "--status", "STOPPED"), ["undated", "idle-20", "idle-10", "old", "kept", "idle-5"]),
        (("--within", "7d"), ["old", "idle-20", "idle-10"]),
        (("--within", "9d"), ["old", "idle-20", "idle-10", "idle-5"]),
        (("--within", "10d", "--verdict", "keep"), ["idle-10", "idle-5"]),
    ],
)
def test_filters_and_orders(arguments: tuple[str, ...], ids: list[str], simulate: Simulate, desk: Desk) -> None:
    """All filters must pass, values of one filter are alternatives; idle for 5 days and some moments, it goes in 9."""
    cloud_to_list(simulate, desk)
    assert listed(desk, *arguments) == ids


def test_within_says_when_each_goes_by_itself(simulate: Simulate, desk: Desk) -> None:
    """Idle for 10 days of 14: in four days; what may go today goes now."""
    cloud_to_list(simulate, desk)
    ended = desk.run("list", "--within", "7d", "--format", "json")
    goes = {each["id"]: datetime.fromisoformat(each["goes_at"]) for each in ended.document["notebooks"]}
    now = datetime.now(UTC)
    assert abs(goes["idle-10"] - now - timedelta(days=4)) < timedelta(minutes=2)
    assert abs(goes["old"] - now) < timedelta(minutes=2)
    table = desk.run("list", "--within", "7d").out
    assert [line.split()[0] for line in table.splitlines() if " now " in line] == ["old", "idle-20"]
    assert "in 3d 23h" in table


def test_tables_and_csv_have_the_same_notebooks(simulate: Simulate, desk: Desk) -> None:
    """The table ends with a count; the CSV has a header."""
    cloud_to_list(simulate, desk)
    table, text = desk.run("list", "--owner", "wei.chen"), desk.run("list", "--owner", "wei.chen", "--format", "csv")
    assert (table.code, text.code) == (0, 0)
    assert [line.split()[0] for line in table.out.splitlines()[2:5]] == ["old", "kept", "idle-5"]
    assert "lab: 3 of 7 notebooks listed; 1 to delete, 2 kept." in table.out
    assert [row["id"] for row in csv.DictReader(io.StringIO(text.out))] == ["old", "kept", "idle-5"]


def test_a_brake_refuses_no_look_but_is_told(simulate: Simulate, desk: Desk) -> None:
    """Two of seven are more than a quarter: `run` would be refused; where brakes trim, the one that is cut says so."""
    cloud_to_list(simulate, desk, brakes={"max_deletions": 1, "max_share": None})
    ended, document = desk.run("list"), desk.run("list", "--format", "json").document
    assert (ended.code, "Refused (max_deletions)" in ended.out) == (0, True)
    assert [refusal["brake"] for refusal in document["refusals"]] == ["max_deletions"]
    desk.write(simulate([idle("one", days=30), idle("two", days=20)]), brakes={"max_deletions": 1, "on_excess": "trim"})
    trimmed = desk.run("list", "--format", "json").document["notebooks"]
    assert [(each["id"], each["because"], each["policy"]) for each in trimmed] == [
        ("one", "policy", "idle"),
        ("two", "over-brake", "idle"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--status", "STOPED"), "there is no status STOPED; did you mean STOPPED?"),
        (("--within", "soon"), "--within"),
        (("--policy", "old"), "there is no policy old"),
        (("--exclude", "nothing-like-it"), "fits no notebook"),
    ],
)
def test_what_does_not_exist_is_bad_usage(arguments: tuple[str, ...], words: str, simulate: Simulate, desk: Desk) -> None:
    """Exit 2, with the most similar name."""
    cloud_to_list(simulate, desk)
    ended = desk.run("list", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in " ".join(ended.err.replace("│", " ").split())


@pytest.mark.parametrize(("glob", "words"), [("", "'--owner': must not be empty"), ("[", "Invalid value for --owner: ")])
def test_an_owner_that_is_no_glob_is_refused_before_the_first_call(
    simulate: Simulate, desk: Desk, glob: str, words: str
) -> None:
    """Exit 2 and what is wrong with it."""
    cloud = cloud_to_list(simulate, desk)
    refused = desk.run("list", "--owner", glob)
    assert (refused.code, words in refused.err) == (2, True), refused.err
    assert cloud.requests() == []
