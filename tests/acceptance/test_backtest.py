"""`backtest` over a past that real sweeps recorded, while the clocks of the command and of the cloud went on."""

import json
from pathlib import Path
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, idle
from acceptance.told import Place
from unit.reports.reading import Page, rows, sections

# Some weeks pass in it, sweep after sweep.
pytestmark = pytest.mark.timeout(120)

POLICIES: list[Json] = [{"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}}]
FLEET: list[Json] = [
    idle("used-again", days=40, owner="wei.chen"),
    idle("removed", days=40, owner="wei.chen"),
    idle("tagged", days=40, owner="mei.wang"),
    idle("exempted", days=40, owner="ana.lopez"),
    idle("untouched", days=40, owner="ana.lopez", volume={"category": "EVS", "ownership": "MANAGED", "capacity": 100}),
    idle("becomes-idle", days=3, owner="kim.park"),
    idle("keep-it", days=40, owner="kim.park"),
]
HORIZON = ("--horizon", "10d")


def recorded(simulate: Simulate, desk: Desk) -> Place:
    """Return a place with four dry runs in twelve days, after the first of which owners did something."""
    place = Place(desk, simulate(FLEET))
    place.desk.write(place.cloud, mode="dry-run", policies=POLICIES, protect=[{"name": "keep-*"}, {"tags": {"keep": "*"}}])
    sweep(place)
    place.wait(days=4)
    place.cloud.change("used-again", action="start")
    place.cloud.change("removed", status="DELETED")
    place.cloud.change("tagged", tags={"keep": "until the paper is out"})
    granted = place.desk.run("exempt", "add", "exempted", "--until", "30d", "--reason", "the paper is in review")
    assert granted.code == 0, granted.err
    for _ in range(3):
        sweep(place)
        place.wait(days=4)
    return place


def sweep(place: Place) -> None:
    """Run a dry run that must end well."""
    ended = place.desk.run("run", "--dry-run")
    assert ended.code == 0, ended.err


def tried(place: Place, *options: str) -> Any:
    """Return the document of a back-test that must end well."""
    ended = place.desk.run("backtest", *HORIZON, "--format", "json", *options)
    assert ended.code == 0, ended.err
    return ended.document


def labels(document: Json) -> dict[str, tuple[str, str | None]]:
    """Return the label of each deletion, with how or why."""
    return {each["id"]: (each["label"], each["sign"] or each["cause"]) for each in document["deletions"]}


def test_what_policies_would_have_deleted_and_who_came_back(simulate: Simulate, desk: Desk) -> None:
    """Each label as it was worked out by hand, in JSON and for people; and what a limit says in the exit code."""
    place = recorded(simulate, desk)
    document = tried(place)
    assert labels(document) == {
        "used-again": ("came-back", "started"),
        "removed": ("removed-by-owner", None),
        "tagged": ("came-back", "protected"),
        "exempted": ("came-back", "exempted"),
        "untouched": ("still-idle", None),
        "becomes-idle": ("censored", "horizon-not-over"),
    }
    total, [target] = document["total"], document["targets"]
    assert (total["deletions"], total["came_back"], total["censored"], total["regret"]) == (6, 3, 1, 0.6)
    # Wilson's interval of three of five.
    assert (round(total["regret_low"], 3), round(total["regret_high"], 3)) == (0.231, 0.882)
    assert (target["surveys"], target["incomplete"], target["ordered"]) == (4, 0, 0)
    assert {each["name"]: each["counts"]["came_back"] for each in document["by_owner"]} == {
        "wei.chen": 1,
        "mei.wang": 1,
        "ana.lopez": 1,
        "kim.park": 0,
    }
    assert place.cloud.writes() == []

    shown = place.desk.run("backtest", *HORIZON)
    assert shown.code == 0
    assert shown.out.startswith("3 of 5 deletions would be regretted: 60.0 % (95 % interval 23.1-88.2 %).\n")
    assert "the horizon is not over: 1" in shown.out
    assert "protected by a tag or a name" in shown.out

    check_drawings(place)
    codes = {limit: place.desk.run("backtest", *HORIZON, "--max-regret", limit).code for limit in ("60%", "59.9%")}
    assert codes == {"60%": 0, "59.9%": 11}
    # Nothing can be judged yet, which is no pass.
    assert place.desk.run("backtest", "--horizon", "90d", "--since", "6d", "--max-regret", "100%").code == 11


def check_drawings(place: Place) -> None:
    """Check the chart in the terminal and the page, both with usual idle times where none are given."""
    drawn = place.desk.run("backtest", *HORIZON, "--chart", "--max-regret", "60%")
    assert drawn.code == 0
    assert " ● rate of regrets   ├─┤ 95 % interval   ┊ limit 60.0 %\n" in drawn.out
    assert [line.split()[0] for line in drawn.out.splitlines() if "├" in line][1:] == ["7d", "14d", "30d"]

    page = place.desk.run("backtest", *HORIZON, "--format", "html", "--thresholds", "14d,30d")
    assert (page.code, page.err) == (0, "")
    root = Page(page.out).root
    assert root.all("header")[0].all("p")[0].words == (
        "3 of 5 deletions would be regretted: 60.0 % (95 % interval 23.1-88.2 %)."
    )
    found = sections(root)
    assert [row[0] for row in rows(found["What if idle_over were"])[1:]] == ["14d", "30d"]
    assert {row[0].split()[0]: row[6] for row in rows(found["Who came back"])[1:]} == {
        "used-again": "started",
        "tagged": "protected by a tag or a name",
        "exempted": "exempted",
    }
    place.desk.environment["PYTHONIOENCODING"] = "ascii"
    assert place.desk.run("backtest", *HORIZON, "--format", "html").out.isascii()
    del place.desk.environment["PYTHONIOENCODING"]


def test_other_policies_are_compared_with_the_current_ones(simulate: Simulate, desk: Desk) -> None:
    """A longer idle time would have spared the one that became idle; a file of rules says so, or a whole configuration."""
    place = recorded(simulate, desk)
    new = place.desk.folder / "new.yaml"
    new.write_text("policies:\n- {name: longer, match: {status: STOPPED, idle_over: 30d}}\n", encoding="utf-8")
    document = tried(place, "--policies", str(new), "--compare", "current", "--thresholds", "14d,30d")
    assert (document["policies"], document["comparison"]["policies"]) == (str(new), "current")
    assert set(labels(document)) == {"used-again", "removed", "tagged", "exempted", "untouched"}
    assert document["comparison"]["only_here"]["deletions"] == 0
    assert [each["id"] for each in document["comparison"]["only_there_deletions"]] == ["becomes-idle"]
    assert [(each["idle_over"], each["counts"]["deletions"]) for each in document["thresholds"]] == [("14d", 6), ("30d", 5)]

    whole = place.desk.folder / "whole.yaml"
    changed = json.loads(place.desk.config.read_text(encoding="utf-8")) | {
        "policies": [{"name": "old", "match": {"age_over": "30d"}}]
    }
    whole.write_text(json.dumps(changed), encoding="utf-8")
    assert set(labels(tried(place, "--policies", str(whole)))) == {"used-again", "removed", "tagged", "exempted", "untouched"}
    shown = place.desk.run("backtest", *HORIZON, "--policies", str(whole), "--compare", str(new))
    assert f"only by {new}"[:20] in shown.out

    check_mistakes(place, new)


def check_mistakes(place: Place, new: Path) -> None:
    """Check that mistakes in a file of rules are told with their lines, and what cannot be meant is bad usage."""
    new.write_text("policies:\n- name: idle\n  match: {idle_over: 14}\nspeed: 3\n", encoding="utf-8")
    refused = place.desk.run("backtest", "--policies", str(new))
    assert refused.code == 2
    [line] = refused.events("command.failed")
    assert [(each["path"], each["line"]) for each in line["mistakes"]] == [("policies[0].match.idle_over", 3), ("speed", 4)]
    for wrong in (
        ["--compare", "current"],
        ["--since", "90"],
        ["--max-regret", "2"],
        ["--thresholds", "7d,x"],
        ["--target", "x"],
        ["--chart", "--format", "json"],
        ["--chart", "--format", "html"],
    ):
        assert place.desk.run("backtest", *wrong).code == 2


def test_what_was_really_deleted_is_not_judged(simulate: Simulate, desk: Desk) -> None:
    """Nobody can come back to it, and the output says so."""
    place = Place(desk, simulate([idle("gone", days=40), idle("young", days=1)]))
    place.desk.write(place.cloud, policies=POLICIES)
    for _ in range(3):
        place.sweep()
        place.wait(days=5)
    document = tried(place)
    assert labels(document) == {"gone": ("censored", "deleted-by-nbsweep")}
    assert document["targets"][0]["ordered"] == 1
    assert "1 notebook really got an order of nbsweep" in document["assumptions"][0]


def test_without_a_past_it_says_since_when_there_is_one(simulate: Simulate, desk: Desk) -> None:
    """None at all, or an older one."""
    place = Place(desk, simulate([idle("nb1", days=40)]))
    place.desk.write(place.cloud, mode="dry-run")
    never = place.desk.run("backtest")
    assert (never.code, "has no survey of lab yet" in never.err) == (2, True)
    sweep(place)
    place.wait(days=3)
    older = place.desk.run("backtest", "--since", "2d")
    assert (older.code, "look further back with --since" in older.err) == (2, True)
