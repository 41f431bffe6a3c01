"""A target is what it covers, and not what it is called: moved, renamed and removed targets, and two that are the same."""

import signal
from typing import Any

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Json, eventually, idle_fleet

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


def standings(desk: Desk, code: int) -> dict[str, Json]:
    """Run `status`, and give what it says by target."""
    ended = desk.run("status", "--format", "json")
    assert ended.code == code, ended.out + ended.err
    return {standing["target"]: standing for standing in ended.document}


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
    lab = standings(desk, 1)["lab"]
    assert "20 removals of target lab (" in lab["problems"][0]
    assert "target lab is another project now" in lab["problems"][0]
    assert (lab["unfinished"], len(lab["left_alone"])) == ([], COUNT)
    assert "nobody follows" in desk.run("status").out
    desk.write(cloud)
    cloud.let_pass(DELETION_S)
    assert desk.sweep().code == 0
    assert outcomes(desk) == ["deleted"] * COUNT
    assert cloud.gone() == set(cloud.instances())
    assert desk.run("audit", "verify").code == 0
    standings(desk, 0)


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
    standings(desk, 0)


def test_a_removed_targets_open_removals_are_never_well(simulate: Simulate, desk: Desk) -> None:
    """`status` ends with 1 and says what to do; a run of the others tells it too."""
    killed_in_mid_sweep(simulate, desk)
    other = simulate([], access={"project_id": OTHER_PROJECT})
    desk.write(other, target={"name": "other", "project_id": OTHER_PROJECT})
    ended = desk.sweep()
    assert (ended.code, len(ended.events("removals.left_alone"))) == (0, 1), ended.err
    found = standings(desk, 1)
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
