"""`inventory`: what surveys recorded, after notebooks and people have moved on."""

import csv
import io

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle


def test_the_states_of_a_notebook_and_the_fleet_as_of_a_time(simulate: Simulate, desk: Desk) -> None:
    """Two dry runs, between which a notebook was renamed and one was deleted by its owner."""
    cloud = simulate([idle("nb1", days=5, name="bert"), idle("nb2", days=5)])
    desk.write(cloud)
    assert desk.run("run", "--dry-run").code == 0
    [before] = desk.run("inventory", "--at", "2999-01-01", "--format", "json").document["surveys"]
    cloud.change("nb1", name="gpt")
    cloud.change("nb2", status="DELETED")
    assert desk.run("run", "--dry-run").code == 0

    over_time = desk.run("inventory", "nb", "--format", "json").document["notebooks"]
    assert [(state["id"], state["name"], state["seen_until"] is None) for state in over_time] == [
        ("nb1", "bert", False),
        ("nb1", "gpt", True),
        ("nb2", over_time[2]["name"], False),
    ]
    assert over_time[0]["seen_until"] == over_time[1]["seen_from"]
    then = desk.run("inventory", "--at", before["at"], "--format", "csv").out
    assert next((row["id"], row["name"]) for row in csv.DictReader(io.StringIO(then))) == ("nb1", "bert")
    assert len(then.splitlines()) == 3
    now = desk.run("inventory", "--at", "2999-01-01")
    assert "gpt" in now.out
    assert "as of survey 2" in now.out
    assert "bert" not in now.out


def test_what_was_never_seen_is_said(simulate: Simulate, desk: Desk) -> None:
    """No survey, no notebook, and no inventory at all."""
    desk.write(simulate([idle("nb1", days=5)]), inventory=None)
    assert desk.run("run", "--dry-run").code == 0
    assert "No survey was recorded" in desk.run("inventory", "--at", "2999-01-01").out
    assert "No survey has shown" in desk.run("inventory", "nb1").out


@pytest.mark.parametrize("arguments", [(), ("nb1", "--at", "2026-11-01"), ("--at", "yesterday")])
def test_what_cannot_be_meant_is_bad_usage(arguments: tuple[str, ...], simulate: Simulate, desk: Desk) -> None:
    """A notebook or a time, and a time that can be read."""
    desk.write(simulate([]))
    assert desk.run("inventory", *arguments).code == 2
