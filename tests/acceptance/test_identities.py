"""A target is what it covers, and not what it is called: moved, renamed and removed targets, and two that are the same."""

import signal
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import ACCESS_KEY, SECRET_KEY, Cloud, Desk, Json, eventually, idle, idle_fleet, target

RUN = ("run", "--yes", "--format", "json")
COUNT = 20
OTHER_PROJECT = "f" * 32
DELETION_S = 120.0


def killed_in_mid_sweep(simulate: Simulate, desk: Desk) -> Cloud:
    """Let a run be killed while the cloud is at work on all its DELETEs."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": DELETION_S})
    desk.write(cloud)
    with desk.started(*RUN) as started:
        eventually(lambda: len(cloud.accepted()) == COUNT, "all DELETEs are accepted")
        started.wait_for_more("removal.accepted", COUNT)
        started.signal(signal.SIGKILL)
    return cloud


def outcomes(desk: Desk) -> list[str]:
    """Tell what the audit trail says of ends."""
    entries: list[Json] = desk.run("audit", "--limit", "1000", "--format", "json").document
    return [entry["what"] for entry in entries if entry["what"] in ("deleted", "failed", "timed-out", "spared")]


def statuses(desk: Desk, code: int) -> dict[str, Json]:
    """Run `status`, and give what it says by target."""
    ended = desk.run("status", "--format", "json")
    assert ended.code == code, ended.out + ended.err
    return {status["target"]: status for status in ended.document}


def test_another_projects_does_not_exist_is_no_end_of_a_removal(simulate: Simulate, desk: Desk) -> None:
    """The target's name is given to another project: nothing is called deleted, it is told, and followed once it is back."""
    cloud = killed_in_mid_sweep(simulate, desk)
    empty = simulate([], access={"project_id": OTHER_PROJECT})
    desk.write(empty, target={"project_id": OTHER_PROJECT})
    moved = desk.sweep()
    assert moved.code == 0, moved.err
    assert (outcomes(desk), cloud.gone()) == ([], set())
    (told,) = moved.events("removals.left_alone")
    assert (told["level"], told["removals"], told["left_target"]) == ("error", COUNT, "lab")
    assert moved.events("target.changed")
    lab = statuses(desk, 1)["lab"]
    assert "20 removals of target lab (" in lab["problems"][0]
    assert "target lab is another project now" in lab["problems"][0]
    assert (lab["unfinished"], len(lab["left_alone"])) == ([], COUNT)
    assert "no target follows" in desk.run("status").out
    desk.write(cloud)
    cloud.let_pass(DELETION_S)
    assert desk.sweep().code == 0
    assert outcomes(desk) == ["deleted"] * COUNT
    assert cloud.gone() == set(cloud.instances())
    assert desk.run("audit", "verify").code == 0
    statuses(desk, 0)


def test_a_renamed_target_follows_what_it_left_under_its_old_name(simulate: Simulate, desk: Desk) -> None:
    """Under the run and the name of then; the lease of the killed run does not block it."""
    cloud = killed_in_mid_sweep(simulate, desk)
    run_id = desk.run("history", "--format", "json").document[0]["run_id"]
    cloud.let_pass(DELETION_S)
    desk.write(cloud, target={"name": "laboratory"})
    renamed = desk.sweep()
    assert renamed.code == 0, renamed.err
    results: list[Any] = desk.run("show", run_id, "--format", "json").document["results"]
    assert {(result["outcome"]) for result in results} == {"deleted"}
    assert (len(results), outcomes(desk)) == (COUNT, ["deleted"] * COUNT)
    statuses(desk, 0)


def test_a_removed_targets_open_removals_are_never_well(simulate: Simulate, desk: Desk) -> None:
    """`status` ends with 1 and says what to do; a run of the others tells it too."""
    killed_in_mid_sweep(simulate, desk)
    other = simulate([], access={"project_id": OTHER_PROJECT})
    desk.write(other, target={"name": "other", "project_id": OTHER_PROJECT})
    ended = desk.sweep()
    assert (ended.code, len(ended.events("removals.left_alone"))) == (0, 1), ended.err
    found = statuses(desk, 1)
    assert (found["other"]["well"], found["lab"]["well"]) == (True, False)
    assert "no target of the configuration covers them" in found["lab"]["problems"][0]
    assert "put a target of that project and its workspaces back" in found["lab"]["problems"][0]
    assert desk.run("status").out.splitlines()[0] == "Not all is well: see lab."


def test_two_names_for_one_project_do_not_sweep_side_by_side(simulate: Simulate, desk: Desk) -> None:
    """Two configurations on one journal: the second is told who sweeps, by what it is called there."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": DELETION_S})
    desk.write(cloud, removal={"grace": "300ms", "deadline": "10m"})
    with desk.started(*RUN) as started:
        eventually(lambda: len(cloud.accepted()) == COUNT, "all DELETEs are accepted")
        desk.write(cloud, target={"name": "laboratory"})
        second = desk.sweep()
        assert second.code == 4, second.err
        assert "laboratory is being swept by another nbsweep on this journal, which calls it lab," in second.error["error"]
        cloud.let_pass(DELETION_S)
        assert started.ended().code == 0
    assert set(cloud.deletes().values()) == {1}


# ---- two targets that are one ---------------------------------------------------------------------------------------------


REGION = "cn-north-4"


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"endpoint": "http://LOCALHOST:{port}/"},
        {"workspaces": ["0", "w1"]},
        {"features": ["DEFAULT", "NOTEBOOK"]},
        {"scope": "own"},
        {"credentials": {"access_key": "OTHERACCESSKEY000001", "secret_key": "s" * 40}},
    ],
    ids=["name", "endpoint", "workspaces", "features", "scope", "credentials"],
)
def test_two_targets_that_cover_the_same_notebooks_are_a_mistake(simulate: Simulate, desk: Desk, again: Json) -> None:
    """Exit 2 before anybody is called, with both named; however the second is written."""
    cloud = simulate(idle_fleet(12))
    port = cloud.url.rpartition(":")[2]
    again = {key: value.format(port=port) if key == "endpoint" else value for key, value in again.items()}
    desk.write(cloud, targets=[target(cloud.url), target(cloud.url, name="again", **again)])
    ended = desk.sweep()
    assert ended.code == 2, ended.err
    (mistake,) = ended.error["mistakes"]
    assert mistake["path"] == "targets[1]"
    assert "covers some of the notebooks of target lab, number 1 of this list" in mistake["problem"]
    assert (desk.run("check").code, cloud.requests()) == (2, [])


def test_two_targets_of_one_project_that_share_nothing_are_none(simulate: Simulate, desk: Desk) -> None:
    """Each workspace, or each feature, by a target of its own."""
    cloud = simulate([*idle_fleet(3), idle("codelab", feature="DEFAULT")])
    desk.write(cloud, targets=[target(cloud.url), target(cloud.url, name="codelab", features=["DEFAULT"])])
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert cloud.gone() == set(cloud.instances())
    assert set(cloud.deletes().values()) == {1}


def test_two_targets_that_turn_out_to_be_one_project_are_told_when_it_is_looked_up(simulate: Simulate, desk: Desk) -> None:
    """One has its project's id, the other only the region: the first is swept, the second is refused with exit 2."""
    cloud = simulate(idle_fleet(12))
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "iam_endpoint": cloud.url}
    again = target(cloud.url, name="again", project_id=None, region=REGION, credentials=keys)
    desk.write(cloud, targets=[target(cloud.url), again])
    checked = desk.run("check", "--format", "json")
    (same,) = (check for check in checked.document["checks"] if check["name"] == "identity")
    assert (checked.code, same["target"], same["status"]) == (1, "again", "failed")
    assert "target again is the same project as target lab" in same["finding"]
    ended = desk.sweep()
    assert ended.code == 2, ended.err
    assert "target again is the same project as target lab" in ended.error["mistakes"][0]["problem"]
    assert (len(cloud.gone()), set(cloud.accepted().values())) == (12, {1})
