"""Where a target is and what is seen there: projects that are looked up, and listings that show less than was asked for."""

import signal
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import (
    ACCESS_KEY,
    PROJECT,
    SECRET_KEY,
    Cloud,
    Desk,
    Ended,
    Json,
    eventually,
    idle,
    idle_fleet,
    most_in_window,
    sent,
    target,
)

REGION = "cn-north-4"
PASSWORD = "the password of the sweeper"
KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
OWN_ONLY = {"list_all": False}
NOTHING = {"list_all": False, "list_own": False}


def by_region(cloud: Cloud, credentials: Json | None = None, **more: Any) -> Json:
    """Give what a target says that has no project id, but a region to look it up by."""
    given = {**(credentials or KEYS), "iam_endpoint": cloud.url}
    return {"project_id": None, "region": REGION, "credentials": given, **more}


def asked(cloud: Cloud, kind: str) -> list[str]:
    """List the requests of a kind, by path and status."""
    return [
        f"{request['path'].partition('?')[0]} {request['status']}" for request in cloud.requests() if request["kind"] == kind
    ]


def allowed(**permissions: bool) -> Json:
    """Give the access options of a caller who may do less."""
    return {"access_keys": [{**KEYS, "permissions": permissions}]}


def the_error(ended: Ended, code: int) -> str:
    """Give the one sentence of a command that failed."""
    assert ended.code == code, ended.err
    assert "Traceback" not in ended.err
    assert SECRET_KEY not in ended.err + ended.out
    sentence = str(ended.error["error"])
    assert "\n" not in sentence
    return sentence


# ---- the project ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credentials", "access", "lookups"),
    [
        (KEYS, {}, ["/v3/projects 200"]),
        (KEYS, allowed(projects=False), ["/v3/projects 403", "/v3/auth/projects 200"]),
        (
            {"username": "sweeper", "password": PASSWORD, "domain": "acct"},
            {"users": [{"name": "sweeper", "password": PASSWORD, "domain": "acct"}]},
            ["/v3/auth/tokens 201"],
        ),
    ],
    ids=["keys", "keys of a sub-user", "a password"],
)
def test_a_project_is_looked_up_by_its_region(
    simulate: Simulate, desk: Desk, credentials: Json, access: Json, lookups: list[str]
) -> None:
    """Once for a whole sweep, however it calls, and not at all where the issued token names it; that project is swept."""
    cloud = simulate(idle_fleet(60), access=access)
    desk.write(cloud, target=by_region(cloud, credentials))
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert len(cloud.gone()) == 60
    assert asked(cloud, "iam") == lookups
    assert {path.split("/")[2] for path in asked(cloud, "delete")} == {PROJECT}
    assert SECRET_KEY not in ended.err + ended.out
    assert PASSWORD not in ended.err + ended.out


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, ["knows no project called cn-north-4", "set project_id"]), (2, ["knows 2 projects", PROJECT, "Set project_id"])],
)
def test_a_project_that_is_not_found_fails_its_own_target_only(
    simulate: Simulate, desk: Desk, count: int, words: list[str]
) -> None:
    """One sentence that says what was found and what to do; the target beside it, whose id is known, is swept as ever."""
    cloud = simulate([idle("nb")], access={"projects_found": count})
    desk.write(cloud, targets=[target(cloud.url, name="lost", **by_region(cloud)), target(cloud.url)])
    ended = desk.sweep()
    sentence = the_error(ended, 1)
    assert [word for word in words if word not in sentence] == []
    assert ended.error["target"] == "lost"
    assert ended.outcomes() == {"nb": "deleted"}
    # The target beside it asks whether the projects differ: in the same lookup, or after its failure in one more.
    assert asked(cloud, "iam") in (["/v3/projects 200"], ["/v3/projects 200"] * 2)


def test_a_wrong_key_is_told_by_iam_already(simulate: Simulate, desk: Desk) -> None:
    """Exit 5; the notebooks' API is not called at all."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target=by_region(cloud, KEYS | {"secret_key": "w" * 40}))
    assert "Check the keys" in the_error(desk.sweep(), 5)
    assert {request["kind"] for request in cloud.requests()} == {"iam"}


def test_without_region_and_project_it_is_a_mistake_of_the_file(simulate: Simulate, desk: Desk) -> None:
    """Exit 2, before anybody is called: there is nothing to look it up by."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"project_id": None})
    ended = desk.sweep()
    assert ended.code == 2
    assert "targets[0].project_id" in ended.err
    assert "or else the region" in ended.err
    assert cloud.requests() == []


def test_targets_of_one_account_share_their_lanes_whether_or_not_the_project_is_known(simulate: Simulate, desk: Desk) -> None:
    """Two targets, one user: the gateway's limit is his, and no second ever holds more DELETEs than one target may send."""
    cloud = simulate([*idle_fleet(12), *(idle(f"cl-{number}", feature="DEFAULT") for number in range(12))])
    limits = {"delete": "8/s"}
    desk.write(
        cloud,
        targets=[
            target(cloud.url, limits=limits),
            target(cloud.url, name="other", features=["DEFAULT"], **by_region(cloud, limits=limits)),
        ],
        logging={"level": "debug"},
    )
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert len(cloud.gone()) == 24
    assert most_in_window(sent(ended)["delete"], 1.0) == 8


# ---- whose notebooks ------------------------------------------------------------------------------------------------------


def test_who_may_not_list_all_sweeps_his_own_with_a_warning(simulate: Simulate, desk: Desk) -> None:
    """Exit 0; one line that says so and what to grant; nobody else's notebook is touched."""
    mine = [idle(f"mine-{number}", owner="sweeper") for number in range(3)]
    cloud = simulate([*mine, idle("yours", owner="li.chen")], access=allowed(**OWN_ONLY))
    desk.write(cloud)
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert cloud.gone() == {row["id"] for row in mine}
    [warning] = ended.events("scope.narrowed")
    assert (warning["level"], warning["target"]) == ("warning", "lab")
    assert warning["permission"] == "modelarts:notebook:listAllNotebooks"
    assert "only the caller's own are seen" in warning["message"]
    assert asked(cloud, "list_all")[1:] == []


def test_who_wants_his_own_only_is_not_warned(simulate: Simulate, desk: Desk) -> None:
    """`scope: own` asks for nothing that is not allowed."""
    cloud = simulate([idle("mine", owner="sweeper"), idle("yours", owner="li.chen")], access=allowed(**OWN_ONLY))
    desk.write(cloud, target={"scope": "own"})
    ended = desk.sweep()
    assert (ended.code, cloud.gone()) == (0, {"mine"})
    assert ended.events("scope.narrowed") == []
    assert asked(cloud, "list_all") == []


@pytest.mark.parametrize(
    ("key", "scope", "warnings"), [("SEESOWN", "all", 1), ("SEESALL", "own", 0)], ids=["not allowed", "not wanted"]
)
def test_what_an_earlier_run_began_for_others_is_not_taken_for_gone(
    simulate: Simulate, desk: Desk, key: str, scope: str, warnings: int
) -> None:
    """Their deletions never end, and by now their notebooks are out of sight: asked for by id, they are still there."""
    others = [idle(f"yours-{number}", owner="li.chen") for number in range(5)]
    keys = [{**KEYS, "access_key": name, "permissions": may} for name, may in (("SEESALL", {}), ("SEESOWN", OWN_ONLY))]
    stuck = {"fault": "stuck_deleting", "times": 99}
    cloud = simulate(others, access={"access_keys": keys}, faults={"script": [stuck]})
    removal = {"deadline": "2s", "grace": "300ms", "retries": 0}
    desk.write(cloud, target={"credentials": {**KEYS, "access_key": "SEESALL"}}, removal=removal)
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(lambda: len(cloud.accepted()) == len(others), "a DELETE accepted of each")
        started.signal(signal.SIGKILL)
        started.ended()
    desk.write(cloud, target={"credentials": {**KEYS, "access_key": key}, "scope": scope}, removal=removal)
    ended = desk.sweep()
    assert len(ended.events("scope.narrowed")) == warnings
    assert ended.events("recovery.started")[0]["unfinished"] >= 1
    assert cloud.gone() == set()
    assert {line["outcome"] for line in ended.events("removal.finished")} == {"timed_out"}


def test_who_may_list_nothing_is_told_what_to_grant(simulate: Simulate, desk: Desk) -> None:
    """Exit 5; both listings were tried, once each."""
    cloud = simulate([idle("nb")], access=allowed(**NOTHING))
    desk.write(cloud)
    assert "modelarts:notebook:listAllNotebooks" in the_error(desk.sweep(), 5)
    assert [request["status"] for request in cloud.requests() if request["kind"] in ("list", "list_all")] == [403, 403]


# ---- the wire -------------------------------------------------------------------------------------------------------------


def test_a_cloud_that_packs_its_answers_is_swept_as_any_other(simulate: Simulate, desk: Desk) -> None:
    """Every answer of two pages and sixty deletions comes in gzip."""
    cloud = simulate(idle_fleet(60), dialect={"compress": True})
    desk.write(cloud)
    ended = desk.sweep()
    assert (ended.code, len(cloud.gone())) == (0, 60)
