"""`check`: what works and what does not, and exactly what to grant; over real HTTP, and nothing is changed."""

from pathlib import Path
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
    free_port,
    idle,
    idle_fleet,
    plain,
    target,
)
from acceptance.told import channels, people

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
REGION = "cn-north-4"
NOBODY = "00000000-0000-0000-0000-000000000000"
STOPPING = [{"name": "old", "match": {"age_over": "30d"}, "running": "stop"}]


def allowed(**permissions: bool) -> Json:
    """Give the access options of a caller who may do less."""
    return {"access_keys": [{**KEYS, "permissions": permissions}]}


def checked(desk: Desk, code: int) -> dict[str, Json]:
    """Run `check`, and give its lines by name; no secret is anywhere."""
    ended = desk.run("check", "--format", "json")
    assert ended.code == code, ended.out + ended.err
    assert_discreet(ended)
    assert ended.document["well"] == (code == 0)
    return {check["name"]: check for check in ended.document["checks"]}


def assert_discreet(ended: Ended) -> None:
    """Assert that nothing was told that is nobody's business."""
    assert "Traceback" not in ended.err
    for secret in (ACCESS_KEY, SECRET_KEY, "Signature="):
        assert secret not in ended.out + ended.err


def assert_nothing_happened(cloud: Cloud) -> None:
    """Assert that no DELETE was accepted and no stop; the only ones that arrived were about nothing, and each was refused."""
    assert cloud.accepted() == {}
    assert {(write["notebook_id"], write["status"]) for write in cloud.writes()} <= {(NOBODY, 400), (NOBODY, 403)}
    assert {row["history"][-1]["status"] for row in cloud.instances().values()} <= {"STOPPED", "RUNNING"}


def by_status(checks: dict[str, Json]) -> dict[str, list[str]]:
    """List the names by status."""
    found: dict[str, list[str]] = {}
    for name, check in checks.items():
        found.setdefault(check["status"], []).append(name)
    return found


def test_all_is_well(simulate: Simulate, desk: Desk) -> None:
    """Exit 0; every permission was tried, and what is seen is told; the DELETE that was tried deleted nothing."""
    running = {"id": "runs", "name": "runs", "status": "RUNNING"}
    cloud = simulate([*idle_fleet(60), running, idle("free", feature="DEFAULT")], fleet={"workspaces": 3})
    desk.write(cloud, policies=STOPPING)
    found = checked(desk, 0)
    assert by_status(found).keys() == {"ok"}
    assert {"list-all", "list-own", "get", "delete", "stop", "list-workspaces"} <= found.keys()
    assert str(desk.config) in found["configuration"]["finding"]
    assert str(desk.journal) in found["journal"]["finding"]
    assert "a pair of keys, from the configuration" in found["credentials"]["finding"]
    assert "61 NOTEBOOK, 1 DEFAULT in 3 workspaces" in found["notebooks"]["finding"]
    assert "Add DEFAULT to features" in found["notebooks"]["advice"]
    assert "sorted by creation" in found["listing"]["finding"]
    assert "delete 400/s" in found["lanes"]["finding"]
    assert "is not published" in found["quotas"]["finding"]
    assert [write["method"] for write in cloud.writes()] == ["DELETE", "POST"]
    assert_nothing_happened(cloud)


OWNERS_FILE = "ana.lopez: ana@secret.test\nli.chen: not an address\n"


def test_the_owners_are_looked_for(simulate: Simulate, desk: Desk) -> None:
    """How many of those in the first rows are found, by which part, and what is wrong in the file; no address is shown."""
    rows = [idle("nb1", owner="ana.lopez"), idle("nb2", owner="mei.wong"), idle("nb3", owner="tomas.silva")]
    people = {"without_email": ["tomas.silva"], "emails": {"mei.wong": "mei@secret.test"}}
    cloud = simulate(rows, people=people)
    file = desk.config.parent / "owners.yaml"
    file.write_text("ana.lopez: ana@secret.test\n", encoding="utf-8")
    owners: list[Json] = [{"file": str(file)}, {"iam": True}, {"fallback": "team@secret.test"}]
    desk.write(cloud, owners=owners, target={"iam_endpoint": cloud.url})
    found = checked(desk, 0)
    assert found["owners-file"]["finding"] == f"{file}: 1 owner"
    assert found["owners-fallback"]["status"] == "ok"
    assert found["get-user"] == found["get-user"] | {"status": "ok", "finding": "allowed (iam:users:getUser)"}
    assert found["owners"]["status"] == "warning"
    assert found["owners"]["finding"] == (
        "2 of 3 owners that were seen can be found: file 1, iam 1; not found: "
        f"1 because of file: {file} does not name the owner; iam: IAM has no e-mail address of the user"
    )
    file.write_text(OWNERS_FILE, encoding="utf-8")
    broken = checked(desk, 1)
    assert broken["owners-file"]["finding"].startswith(f"{file}: 1 owner; line 2: email must be one mail address")
    assert "2 because of file: " in broken["owners"]["finding"]
    table = desk.run("check")
    assert "secret.test" not in f"{found}{broken}{table.out}{table.err}"


def test_the_channels_are_tried_without_a_message(simulate: Simulate, desk: Desk, tmp_path: Path) -> None:
    """Secrets, login and connection; no mail and no message arrives, and no private address is shown."""
    with people(tmp_path) as told:
        given = channels(desk.folder, told)
        desk.write(simulate([idle("nb1", owner="ana.lopez")]), channels=given)
        found = tried(desk, 0)
        assert set(found) == {"ok"}
        assert [finding.partition(" ")[0] for finding in found["ok"]] == list(given)
        Path(given["ops"]["url_file"]).unlink()
        away = {"kind": "slack", "url": f"http://127.0.0.1:{free_port()}/a-private-path"}
        lost = {"kind": "smtp", "host": "127.0.0.1", "port": free_port(), "tls": "none", "from": "n@example.com"}
        desk.write(simulate([]), channels=given | {"away": away, "lost": lost})
        found = tried(desk, 1)
        assert [finding.partition(" ")[0] for finding in found["failed"]] == ["ops", "away", "lost"]
        missing, unreachable, no_server = found["failed"]
        assert "channels.ops.url_file: " in missing
        assert "cannot be read: No such file or directory" in missing
        assert unreachable == "away (slack): the server cannot be reached: Connection refused"
        assert "the server cannot be reached" in no_server
        assert "a-private-path" not in f"{found}"
        assert (told.mail.mails, told.ops.seen) == ([], [])


def tried(desk: Desk, code: int) -> dict[str, list[str]]:
    """Return the findings about channels, by grade."""
    ended = desk.run("check", "--format", "json")
    assert ended.code == code, ended.out
    found: dict[str, list[str]] = {}
    for check in ended.document["checks"]:
        if check["name"] == "channel":
            found.setdefault(check["status"], []).append(check["finding"])
    return found


def test_a_missing_permission_for_users_is_told_with_what_to_grant(simulate: Simulate, desk: Desk) -> None:
    """Exit 5, as for the others."""
    cloud = simulate([idle("nb1", owner="ana.lopez")], access=allowed(users=False))
    desk.write(cloud, owners=[{"iam": True}], target={"iam_endpoint": cloud.url})
    found = checked(desk, 5)
    assert found["get-user"]["status"] == "failed"
    assert found["get-user"]["advice"].startswith("Grant iam:users:getUser to this user for global services")
    assert "1 because of iam: IAM does not allow it: grant iam:users:getUser" in found["owners"]["finding"]


def test_a_table_for_people_says_it_all_and_what_to_do(simulate: Simulate, desk: Desk) -> None:
    """Plain text off a terminal; the advice stands below, the gravest first."""
    cloud = simulate(idle_fleet(2), access=allowed(delete=False, list_all=False))
    desk.write(cloud)
    ended = desk.run("check")
    assert ended.code == 5
    assert_discreet(ended)
    assert plain(ended.out)
    assert ended.out.index("Grant modelarts:notebook:delete") < ended.out.index("Grant modelarts:notebook:listAllNotebooks")
    assert "1 failed" in ended.out


@pytest.mark.parametrize(
    ("permission", "name", "action"),
    [
        ("delete", "delete", "modelarts:notebook:delete"),
        ("show", "get", "modelarts:notebook:get"),
        ("stop", "stop", "modelarts:notebook:stop (modelarts:notebook:action in older ones)"),
        ("workspaces", "list-workspaces", "modelarts:workspace:list"),
    ],
)
def test_a_permission_that_is_missing_comes_with_what_to_grant(
    simulate: Simulate, desk: Desk, permission: str, name: str, action: str
) -> None:
    """Exit 5; the action's name and the project; all else is tried all the same."""
    cloud = simulate([idle("nb", owner="sweeper")], access=allowed(**{permission: False}))
    desk.write(cloud, policies=STOPPING)
    found = checked(desk, 5)
    assert by_status(found)["failed"] == [name]
    assert "HTTP 403" in found[name]["finding"]
    assert f"Grant {action} in project {PROJECT}" in found[name]["advice"]
    assert_nothing_happened(cloud)


def test_who_may_list_his_own_only_is_warned(simulate: Simulate, desk: Desk) -> None:
    """Exit 0, as a sweep would go on with what it sees; the advice names the one action, and the way to want no more."""
    cloud = simulate([idle("mine", owner="sweeper"), idle("yours", owner="li.chen")], access=allowed(list_all=False))
    desk.write(cloud)
    found = checked(desk, 0)
    assert by_status(found)["warning"] == ["list-all"]
    assert "Grant modelarts:notebook:listAllNotebooks" in found["list-all"]["advice"]
    assert "scope: own" in found["list-all"]["advice"]
    assert "1 NOTEBOOK, 0 DEFAULT" in found["notebooks"]["finding"]


def test_who_may_list_nothing_fails(simulate: Simulate, desk: Desk) -> None:
    """Exit 5; both actions are named, and nothing is looked at."""
    cloud = simulate([idle("nb")], access=allowed(list_all=False, list_own=False))
    desk.write(cloud)
    found = checked(desk, 5)
    assert by_status(found)["failed"] == ["list-all", "list-own"]
    assert "Grant modelarts:notebook:list in" in found["list-own"]["advice"]
    assert found["notebooks"]["finding"] == "nothing may be listed"


def test_a_wrong_project_is_told_apart_from_a_missing_permission(simulate: Simulate, desk: Desk) -> None:
    """The gateway lets nobody in: exit 5, and no permission is called missing."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"project_id": "f" * 32})
    found = checked(desk, 5)
    assert by_status(found)["failed"] == ["project"]
    assert "Check project_id" in found["project"]["advice"]
    assert found["delete"]["finding"] == "the project is not open to these credentials"


def test_a_wrong_region_is_told(simulate: Simulate, desk: Desk) -> None:
    """IAM knows no project of that name: exit 1, and what to set."""
    cloud = simulate([idle("nb")], access={"projects_found": 0})
    desk.write(cloud, target={"project_id": None, "region": REGION, "credentials": {**KEYS, "iam_endpoint": cloud.url}})
    found = checked(desk, 1)
    assert by_status(found)["failed"] == ["project"]
    assert "Check region" in found["project"]["advice"]
    assert cloud.writes() == []


def test_a_project_that_is_looked_up_is_named(simulate: Simulate, desk: Desk) -> None:
    """By its id, and how it was found; IAM is asked once."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"project_id": None, "region": REGION, "credentials": {**KEYS, "iam_endpoint": cloud.url}})
    assert checked(desk, 0)["project"]["finding"] == f"{PROJECT}, looked up by the region"
    assert [request["status"] for request in cloud.requests() if request["kind"] == "iam"] == [200]


@pytest.mark.parametrize(
    ("ahead_s", "code", "status", "words"),
    [
        (600, 1, "failed", "10 minutes behind the cloud's"),
        (-600, 1, "failed", "10 minutes ahead of the cloud's"),
        (3600, 5, "failed", "60 minutes behind the cloud's"),
    ],
)
def test_a_clock_that_is_off_is_told(
    simulate: Simulate, desk: Desk, *, ahead_s: int, code: int, status: str, words: str
) -> None:
    """With ten minutes a sweep would be refused; with an hour the keys are too, and the clock is named as the reason."""
    cloud = simulate([idle("nb")])
    cloud.run_ahead(ahead_s)
    desk.write(cloud)
    found = checked(desk, code)
    assert found["clock"]["status"] == status
    assert words in found["clock"]["finding"]
    assert "NTP" in found["clock"]["advice"]
    if code == 5:
        assert found["credentials"]["status"] == "failed"
        assert "behind the cloud's" in found["credentials"]["advice"]
        assert cloud.writes() == []


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (KEYS | {"secret_key": "w" * 40}, "Check access key, secret key"),
        (None, "HUAWEICLOUD_SDK_AK"),
        ({"access_key": "AK", "secret_key_file": "no/such/file"}, "Give the target credentials"),
    ],
    ids=["wrong", "none", "unreadable"],
)
def test_credentials_that_do_not_work_are_told(simulate: Simulate, desk: Desk, credentials: Json | None, words: str) -> None:
    """Exit 5; what was called was called once, and nothing that depends on it is tried."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"credentials": credentials})
    found = checked(desk, 5)
    assert by_status(found)["failed"] == ["credentials"]
    assert words in found["credentials"]["advice"]
    assert found["delete"]["status"] == "not-tried"
    assert len(cloud.requests()) <= 2


def test_an_address_that_cannot_be_reached_does_not_hide_the_other_targets(simulate: Simulate, desk: Desk) -> None:
    """Exit 1; each target has lines of its own."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, targets=[target(cloud.url), target("http://127.0.0.1:1", name="away")])
    ended = desk.run("check", "--format", "json")
    assert ended.code == 1
    checks: list[Json] = ended.document["checks"]
    failed = [check for check in checks if check["status"] == "failed"]
    assert [(check["target"], check["name"]) for check in failed] == [("away", "address")]
    assert "http://127.0.0.1:1 cannot be reached" in failed[0]["finding"]
    assert "Check the endpoint" in failed[0]["advice"]
    assert {check["status"] for check in checks if check["target"] == "lab"} == {"ok"}


def test_a_journal_that_cannot_be_used_does_not_hide_the_cloud(simulate: Simulate, desk: Desk) -> None:
    """Exit 1; the rest is tried."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, journal=f"sqlite:///{desk.folder}")
    found = checked(desk, 1)
    assert by_status(found)["failed"] == ["journal"]
    assert found["quotas"]["status"] == "ok"


def test_a_configuration_that_is_wrong_is_told_first(desk: Desk) -> None:
    """Exit 2, all mistakes at once; nobody is called."""
    desk.config.write_text("targets: []\nbrake: {}\n", encoding="utf-8")
    ended = desk.run("check")
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.error["mistakes"]) >= 2


def test_a_workspace_that_does_not_exist_is_told(simulate: Simulate, desk: Desk) -> None:
    """Exit 1, with the key of the configuration that names it."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"workspaces": ["0", "f" * 32]})
    found = checked(desk, 1)
    assert by_status(found)["failed"] == ["notebooks"]
    assert "workspaces" in found["notebooks"]["advice"]
    assert "list-workspaces" not in found


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dialect": {"sort_keys": []}}, "not sorted by creation"),
        ({"dialect": {"list_timestamps": False}}, "have no date of change"),
    ],
)
def test_a_cloud_that_lists_otherwise_is_noticed(simulate: Simulate, desk: Desk, options: dict[str, Any], words: str) -> None:
    """A warning: it is safe, but slower, or keeps more."""
    cloud = simulate(idle_fleet(3), **options)
    desk.write(cloud)
    assert words in checked(desk, 0)["listing"]["finding"]


def test_a_limit_that_the_gateway_names_is_told(simulate: Simulate, desk: Desk) -> None:
    """A warning, with the key to set."""
    cloud = simulate([idle("nb")], limits={"per_api": {"list_all": {"calls": 2, "window_s": 1}}, "refused_calls_count": False})
    desk.write(cloud)
    found = checked(desk, 0)
    assert "list 2/s" in found["quotas"]["finding"]
    assert "limits.list" in found["quotas"]["advice"]


@pytest.mark.parametrize("gone", ["400/6404", "404"])
def test_every_way_to_say_that_something_does_not_exist_proves_the_permission(
    simulate: Simulate, desk: Desk, gone: str
) -> None:
    """Stacks differ in how they say it."""
    cloud = simulate([idle("nb")], dialect={"gone_answer": gone})
    desk.write(cloud)
    assert by_status(checked(desk, 0)).keys() == {"ok"}
