"""What a person chooses for one command: `--target`, `--policy` and `--exclude` of `plan`, `run` and `list`."""

import json
from getpass import getuser
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Ended, idle, target

POLICIES = [
    {"name": "ancient", "match": {"age_over": "300d"}},
    {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}},
]


def cloud_of_two_policies(simulate: Simulate, desk: Desk, **groups: Any) -> Cloud:
    """Make a cloud with two notebooks for each policy, and one in use; `idle` would match the ancient ones, too."""
    cloud = simulate(
        [
            idle("old-1", days=400),
            idle("old-2", days=390),
            idle("new-1", days=30),
            idle("new-2", days=20),
            idle("1-day", days=1, name="used-by-ana"),
        ]
    )
    desk.write(cloud, policies=POLICIES, **groups)
    return cloud


def two_targets(simulate: Simulate, desk: Desk) -> tuple[Cloud, Cloud]:
    """Make two clouds with a notebook each, and a configuration of both."""
    first, second = simulate([idle("here")]), simulate([idle("there")])
    desk.write(first)
    document = json.loads(desk.config.read_text(encoding="utf-8"))
    document["targets"].append(target(second.url, name="other"))
    desk.config.write_text(json.dumps(document), encoding="utf-8")
    return first, second


def planned(ended: Ended) -> dict[str, str]:
    """Return the policy of each planned notebook."""
    assert ended.code == 0, ended.err
    return {item["id"]: item["policy"] for item in ended.document["items"]}


def test_a_policy_alone_and_what_an_earlier_one_decides_does_not_fall_to_it(simulate: Simulate, desk: Desk) -> None:
    """The ancient ones match `idle`, too; but `ancient` decides on them, and was not chosen."""
    cloud = cloud_of_two_policies(simulate, desk)
    plan = desk.run("plan", "--policy", "idle", "--format", "json")
    assert planned(plan) == {"new-1": "idle", "new-2": "idle"}
    assert plan.document["kept"] == {"policy-not-chosen": 2, "no-policy": 1}
    assert plan.document["targets"][0]["policies"] == ["idle"]
    both = desk.run("plan", "--policy", "idle", "--policy", "ancient", "--format", "json")
    assert len(planned(both)) == 4
    swept = desk.run("run", "--yes", "--policy", "idle", "--format", "json")
    assert (swept.code, swept.ids("deleted"), cloud.gone()) == (0, {"new-1", "new-2"}, {"new-1", "new-2"})


@pytest.mark.parametrize("text", ["new-1", "old-1", "OLD-1", "old-1x"])
def test_a_notebook_that_is_excluded_stays(text: str, simulate: Simulate, desk: Desk) -> None:
    """By its id, its name, whatever the case, or the beginning of its id; the table and the JSON say who did it."""
    cloud = simulate([idle("old-1x234", name="Old-1"), idle("new-1")])
    desk.write(cloud)
    stays = "new-1" if text == "new-1" else "old-1x234"
    goes = "old-1x234" if text == "new-1" else "new-1"
    plan, table = desk.run("plan", "--exclude", text, "--format", "json"), desk.run("plan", "--exclude", text)
    assert set(planned(plan)) == {goes}
    assert plan.document["kept"] == {"excluded": 1}
    (excluded,) = plan.document["targets"][0]["excluded"]
    assert (excluded["id"], excluded["by"]) == (stays, getuser())
    assert f"excluded by {getuser()}: {excluded['name']} ({stays})" in table.out
    swept = desk.run("run", "--yes", "--exclude", text, "--format", "json")
    assert (swept.code, swept.ids("deleted"), cloud.gone()) == (0, {goes}, {goes})
    assert swept.document["kept"] == {"excluded": 1}


def test_a_name_that_several_have_excludes_all_of_them(simulate: Simulate, desk: Desk) -> None:
    """To leave out one too many is no harm."""
    desk.write(simulate([idle("one", name="twin"), idle("two", name="twin"), idle("three")]))
    assert set(planned(desk.run("plan", "--exclude", "twin", "--format", "json"))) == {"three"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--exclude", "nothing-like-it"), "nothing-like-it fits no notebook of lab; `nbsweep list` shows all"),
        (("--exclude", "old"), "old is ambiguous, 2 fit: old-1"),
        (("--exclude", "new-1", "--exclude", ""), "'--exclude': must not be empty"),
        (("--exclude", "use"), "use fits no notebook of lab; did you mean used-by-ana?"),
        (("--policy", "ancien"), "there is no policy ancien; did you mean ancient?"),
        (("--target", "labor"), "there is no target labor; did you mean lab?"),
    ],
)
def test_what_does_not_exist_is_bad_usage_before_anything_is_deleted(
    arguments: tuple[str, ...], words: str, simulate: Simulate, desk: Desk
) -> None:
    """Exit 2, for each of the commands; a slip of the pen must not delete what was meant to be left out."""
    cloud = cloud_of_two_policies(simulate, desk)
    for command in ("plan",), ("run", "--yes"), ("run", "--dry-run"):
        ended = desk.run(*command, *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert words in " ".join(ended.err.replace("│", " ").split())
    assert cloud.writes() == []


def test_one_target_of_two(simulate: Simulate, desk: Desk) -> None:
    """The other is not even asked."""
    first, second = two_targets(simulate, desk)
    plan = desk.run("plan", "--target", "other", "--format", "json")
    assert (planned(plan), first.requests()) == ({"there": "idle"}, [])
    assert [each["target"] for each in plan.document["targets"]] == ["other"]
    assert desk.run("run", "--yes", "--target", "other").code == 0
    assert (first.gone(), second.gone(), first.requests()) == (set(), {"there"}, [])


def test_brakes_are_about_what_is_planned_and_shares_about_the_whole_fleet(simulate: Simulate, desk: Desk) -> None:
    """Four of five are too many for 40 %, and two of five are not, by a policy or by exclusion."""
    cloud_of_two_policies(simulate, desk, brakes={"max_share": "40%"})
    assert desk.run("plan").code == 4
    assert desk.run("plan", "--policy", "idle").code == 0
    assert desk.run("plan", "--exclude", "old-1").code == 4
    assert desk.run("plan", "--exclude", "old-1", "--exclude", "old-2").code == 0


def test_a_saved_plan_says_what_was_excluded_and_by_whom(simulate: Simulate, desk: Desk) -> None:
    """And what was excluded stays, when the plan is carried out."""
    cloud = cloud_of_two_policies(simulate, desk)
    assert desk.run("plan", "--policy", "idle", "--exclude", "new-2", "--out", "plan.json").code == 0
    saved = json.loads((desk.folder / "plan.json").read_text(encoding="utf-8"))["targets"][0]
    assert saved["excluded"] == [{"id": "new-2", "name": "new-2", "by": getuser()}]
    assert saved["policies"] == ["idle"]
    assert [item["id"] for item in saved["items"]] == ["new-1"]
    narrower = desk.run("run", "--yes", "--plan", "plan.json", "--exclude", "new-1", "--format", "json")
    assert (narrower.code, narrower.outcomes()) == (0, {"new-1": "spared"})
    assert narrower.reason("new-1") == f"excluded by {getuser()}"
    assert desk.run("run", "--yes", "--plan", "plan.json").code == 0
    assert cloud.gone() == {"new-1"}


def test_at_the_second_look_only_a_chosen_policy_deletes(simulate: Simulate, desk: Desk) -> None:
    """Renamed after the plan, so that an earlier policy matches, which was not chosen: it stays."""
    cloud = simulate([idle("a", days=30), idle("b", days=30)])
    policies = [{"name": "junk", "match": {"name": "junk-*"}}, POLICIES[1]]
    desk.write(cloud, policies=policies)
    assert desk.run("plan", "--out", "plan.json").code == 0
    cloud.change("b", name="junk-b")
    swept = desk.run("run", "--yes", "--plan", "plan.json", "--policy", "idle", "--format", "json")
    assert swept.outcomes() == {"a": "deleted", "b": "spared"}
    assert swept.reason("b") == "policy junk matches, and was not chosen"
