"""Groups of owners in the configuration, from the file to a plan, an explanation and a saved plan."""

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle

TEAM = {"prod-team": ["alice", "bob", "svc-*"]}


def test_the_notebooks_of_a_group_are_kept_and_explain_says_whose_they_are(simulate: Simulate, desk: Desk) -> None:
    """By name and by glob; others' go. The group is named with its owners."""
    fleet = [idle(f"nb-{name}", owner=name) for name in ("alice", "svc-7", "carol")]
    desk.write(simulate(fleet), groups=TEAM, protect=[{"owner": "@prod-team"}], brakes={"max_share": None})
    plan = desk.run("plan", "--format", "json").document
    assert [item["id"] for item in plan["items"]] == ["nb-carol"]
    assert plan["kept"]["protected"] == 2
    explained = desk.run("explain", "nb-alice", "--format", "json").document
    assert explained["rule"] == "owner @prod-team"
    [condition] = explained["protections"][0]["conditions"]
    assert condition["threshold"] == "@prod-team (alice, bob, svc-*)"
    assert "wanted: @prod-team (alice, bob, svc-*)" in " ".join(desk.run("explain", "nb-alice").out.split())


def test_an_unknown_group_is_a_mistake_at_its_line(simulate: Simulate, desk: Desk) -> None:
    """With what may be meant; nothing is asked of the cloud."""
    cloud = simulate([])
    desk.write(cloud, groups=TEAM, protect=[{"owner": "@prod-taem"}])
    ended = desk.run("plan")
    assert ended.code == 2
    assert "protect[0].owner" in ended.err
    assert "is not a group of owners. Did you mean @prod-team?" in ended.err
    assert cloud.requests() == []


def test_a_saved_plan_is_bound_to_the_groups(simulate: Simulate, desk: Desk) -> None:
    """Who has joined a group since then might lose notebooks, or keep them."""
    cloud = simulate([idle("nb-1")])
    rules = {"mode": "enforce", "protect": [{"owner": "@prod-team"}], "brakes": {"max_share": None}}
    desk.write(cloud, groups=TEAM, **rules)
    assert desk.run("plan", "--out", "plan.json").code == 0
    desk.write(cloud, groups={"prod-team": ["alice"]}, **rules)
    ended = desk.run("run", "--yes", "--plan", "plan.json")
    assert ended.code == 2
    assert "groups is not as it was when the plan was made" in ended.err
    assert cloud.deletes() == {}


def test_validate_doubts_a_group_that_no_rule_names(desk: Desk) -> None:
    """At its line, with how it would be named."""
    groups = {**TEAM, "guests": ["guest?"]}
    desk.write("http://127.0.0.1:1", groups=groups, protect=[{"owner": "@prod-team"}])
    [doubt] = [each for each in desk.run("validate", "--format", "json").document["doubts"] if each["kind"] == "unused-group"]
    assert (doubt["path"], doubt["name"]) == ("groups.guests", "guests")
    assert 'owner: "@guests"' in str(doubt)
    assert isinstance(doubt["line"], int)
