"""Every way to prove who calls, with the real command and a real server; and what is said when none works."""

import json
import signal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from acceptance.conftest import Simulate
from acceptance.support import ACCESS_KEY, SECRET_KEY, Cloud, Desk, Ended, Json, eventually, idle, idle_fleet

PASSWORD = "the password of the sweeper"
SECRETS = (PASSWORD, SECRET_KEY, "token-secret", "Signature=")
USER = {"name": "sweeper", "password": PASSWORD, "domain": "acct"}
NOBODY = {"NBSWEEP_METADATA_ENDPOINT": "http://127.0.0.1:1"}
"""The machine that runs the tests may have an agency of its own, and is not asked."""


def sign_in(cloud: Cloud, **more: Any) -> Json:
    """Give a target whose calls are proven by a user's token."""
    user = {"username": "sweeper", "password": PASSWORD, "domain": "acct", "iam_endpoint": cloud.url, **more}
    return {"credentials": {key: value for key, value in user.items() if value is not None}}


def count(cloud: Cloud, kind: str, status: int) -> int:
    """Count the answers of that kind and status."""
    return sum((request["kind"], request["status"]) == (kind, status) for request in cloud.requests())


def leaks(desk: Desk, ended: Ended) -> list[str]:
    """Find secrets in what was written anywhere but the configuration."""
    journal = b"".join(path.read_bytes() for path in desk.folder.glob("journal.db*"))
    everything = ended.out + ended.err + journal.decode("latin-1")
    return [secret for secret in SECRETS if secret in everything]


def assert_told(desk: Desk, ended: Ended, *words: str) -> None:
    """Exit 5, one sentence with these words, and no secret anywhere."""
    assert ended.code == 5, ended.err
    assert "Traceback" not in ended.err
    errors = {line["error"] for line in ended.events("command.failed")}
    assert len(errors) == 1, errors
    (error,) = errors
    assert "\n" not in error
    assert [word for word in words if word not in error] == [], error
    assert leaks(desk, ended) == []


def test_a_token_that_lives_six_seconds_carries_a_whole_sweep(simulate: Simulate, desk: Desk) -> None:
    """Ten seconds of DELETEs: the token is renewed in time, twice at the least, and no call is refused for it."""
    fleet = idle_fleet(40)
    cloud = simulate(fleet, access={"users": [USER], "token_lifetime_s": 6})
    desk.write(cloud, target=sign_in(cloud) | {"limits": {"delete": "4/s"}}, logging={"level": "debug"})
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert cloud.gone() == ended.ids("deleted") == {row["id"] for row in fleet}
    requests = cloud.requests()
    assert requests[-1]["at"] - requests[0]["at"] > 8
    assert 2 <= count(cloud, "iam", 201) <= 5
    assert [request for request in requests if request["status"] == 401] == []
    assert leaks(desk, ended) == []


def test_a_token_that_is_ended_early_is_renewed_in_mid_sweep(simulate: Simulate, desk: Desk) -> None:
    """A password has been changed, or permissions: 401, one renewal for all, and no notebook is lost."""
    cloud = simulate(idle_fleet(30), access={"users": [USER]})
    desk.write(cloud, target=sign_in(cloud) | {"limits": {"delete": "10/s"}})
    with desk.started("run", "--yes", "--format", "json") as started:
        started.wait_for("removal.accepted")
        cloud.let_pass(100_000)
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert len(ended.ids("deleted")) == 30
    assert count(cloud, "iam", 201) == 2


def test_a_wrong_password_is_told(simulate: Simulate, desk: Desk) -> None:
    """Exit 5, one sentence; IAM is asked once, and the notebooks' API not at all."""
    cloud = simulate([idle("nb")], access={"users": [{**USER, "password": "another"}]})
    desk.write(cloud, target=sign_in(cloud), logging={"level": "debug"})
    ended = desk.sweep()
    assert_told(desk, ended, cloud.url, "password", "username", "domain")
    assert [request["kind"] for request in cloud.requests()] == ["iam"]


def five_targets(desk: Desk, cloud: Cloud, **groups: Any) -> None:
    """Write five targets of one user that differ in their workspaces."""
    desk.write(cloud, target=sign_in(cloud), **groups)
    document = json.loads(desk.config.read_text())
    (lab,) = document["targets"]
    document["targets"] = [lab | {"name": f"lab-{number}", "workspaces": [str(number)]} for number in range(5)]
    desk.config.write_text(json.dumps(document))


@pytest.mark.parametrize("command", [("run", "--yes"), ("check",), ("plan",)])
def test_a_wrong_password_is_tried_once_for_all_targets(simulate: Simulate, desk: Desk, command: tuple[str, ...]) -> None:
    """The vendor locks a user after five wrong passwords in fifteen minutes, and five targets are one user."""
    cloud = simulate([idle("nb")], access={"users": [{**USER, "password": "another"}]})
    five_targets(desk, cloud)
    ended = desk.run(*command)
    assert ended.code == 5, ended.err
    assert count(cloud, "iam", 401) == 1
    assert leaks(desk, ended) == []


def test_a_service_does_not_try_a_wrong_password_at_every_sweep(simulate: Simulate, desk: Desk) -> None:
    """Sweeps of every second, one login; reading the configuration again is the sign that something has been mended."""
    cloud = simulate([idle("nb")], access={"users": [{**USER, "password": "another"}]})
    five_targets(desk, cloud, mode="enforce", schedule={"cron": "*/2 * * * * *"}, service={"listen": None})
    with desk.started("serve") as started:
        started.wait_for_more("sweep.finished", 10)
        assert count(cloud, "iam", 401) == 1
        assert b"no login is tried" in started.err
        started.signal(signal.SIGHUP)
        eventually(lambda: count(cloud, "iam", 401) == 2, "a login after SIGHUP")
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert leaks(desk, ended) == []


def test_targets_of_one_user_and_project_share_a_token(simulate: Simulate, desk: Desk) -> None:
    """Five targets of one project need one login."""
    cloud = simulate([idle("nb")], access={"users": [USER]}, fleet={"workspaces": 5})
    five_targets(desk, cloud)
    desk.run("plan")
    assert count(cloud, "iam", 201) == 1


def test_secrets_may_be_mounted(simulate: Simulate, desk: Desk) -> None:
    """A password and a secret key in files of their own, each with a line end behind it."""
    (desk.folder / "pw").write_text(f"{PASSWORD}\n")
    (desk.folder / "sk").write_text(f"{SECRET_KEY}\n")
    cloud = simulate([idle("nb-1")], access={"users": [USER]})
    desk.write(cloud, target=sign_in(cloud, password=None, password_file=str(desk.folder / "pw")))
    assert desk.sweep().ids("deleted") == {"nb-1"}
    cloud = simulate([idle("nb-2")])
    keys = {"access_key": ACCESS_KEY, "secret_key_file": str(desk.folder / "sk")}
    desk.write(cloud, target={"credentials": keys})
    assert desk.sweep().ids("deleted") == {"nb-2"}


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), ("", "is empty"), ("two\nlines", "more than one line")])
def test_a_mounted_secret_that_is_none_is_told(simulate: Simulate, desk: Desk, content: str | None, words: str) -> None:
    """Exit 5, with the path and its key; nobody is called."""
    path = desk.folder / "sk"
    if content is not None:
        path.write_text(content)
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"credentials": {"access_key": ACCESS_KEY, "secret_key_file": str(path)}})
    assert_told(desk, desk.sweep(), str(path), "secret_key_file", words)
    assert cloud.requests() == []


@pytest.mark.parametrize("mode", ["token", "legacy"])
def test_the_agency_of_the_machine_is_found(simulate: Simulate, desk: Desk, mode: str) -> None:
    """Last in the chain, in both forms; its keys live two seconds and are renewed while the sweep goes on."""
    cloud = simulate(idle_fleet(15), access={"metadata_mode": mode, "metadata_key_lifetime_s": 2})
    desk.write(cloud, target={"credentials": None, "limits": {"delete": "3/s"}}, logging={"level": "debug"})
    desk.environment = {"NBSWEEP_METADATA_ENDPOINT": cloud.url}
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert len(ended.ids("deleted")) == 15
    asked = [request["method"] for request in cloud.requests() if request["kind"] == "metadata"]
    assert asked.count("PUT") == 1
    assert asked.count("GET") >= 3
    assert [request for request in cloud.requests() if request["status"] == 401] == []
    assert leaks(desk, ended) == []


def test_the_profile_of_the_vendors_tools_is_found(simulate: Simulate, desk: Desk) -> None:
    """In the home folder, after the environment and before the metadata server."""
    text = f"[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\n[global]\nak = other\nsk = other\n"
    folder = Path(desk.home, ".huaweicloud")
    folder.mkdir(parents=True)
    (folder / "credentials").write_text(text)
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"credentials": None})
    desk.environment = NOBODY
    assert desk.sweep().ids("deleted") == {"nb"}
    (folder / "credentials").write_text("[basic]\nak = only\n")
    assert_told(desk, desk.sweep(), "credentials", "has ak, but not sk")


def test_what_the_vendors_variables_name_is_swept(simulate: Simulate, desk: Desk) -> None:
    """Keys, project and address: the configuration names the region only, and IAM is not asked for its project."""
    project = "f" * 32
    cloud = simulate([idle("nb")], access={"project_id": project})
    desk.write(cloud, target={"credentials": None, "project_id": None, "endpoint": None, "region": "cn-north-4"})
    desk.environment = NOBODY | {
        "HUAWEICLOUD_SDK_AK": ACCESS_KEY,
        "HUAWEICLOUD_SDK_SK": SECRET_KEY,
        "HUAWEICLOUD_SDK_PROJECT_ID": project,
        "HUAWEICLOUD_SDK_REGION_MODELARTS_CN_NORTH_4": cloud.url,
    }
    assert desk.sweep().ids("deleted") == {"nb"}
    assert {request["kind"] for request in cloud.requests()} & {"iam"} == set()
    desk.environment |= {"HUAWEICLOUD_SDK_PROJECT_ID": "", "HUAWEICLOUD_SDK_IAM_ENDPOINT": cloud.url}
    cloud.forget_requests()
    assert desk.run("plan").code == 0
    assert count(cloud, "iam", 200) == 1


def test_an_identity_that_is_named_and_not_supported_is_told(simulate: Simulate, desk: Desk) -> None:
    """Not silently another one, though there are keys."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"credentials": None})
    keys = {"HUAWEICLOUD_SDK_AK": ACCESS_KEY, "HUAWEICLOUD_SDK_SK": SECRET_KEY}
    desk.environment = NOBODY | keys | {"HUAWEICLOUD_SDK_IDP_ID": "idp", "HUAWEICLOUD_SDK_ID_TOKEN_FILE": "/token"}
    assert_told(desk, desk.sweep(), "HUAWEICLOUD_SDK_IDP_ID", "HUAWEICLOUD_SDK_ID_TOKEN_FILE")
    assert cloud.requests() == []


def test_without_any_every_place_is_named(simulate: Simulate, desk: Desk) -> None:
    """An empty home and environment, and no metadata server."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"credentials": None})
    desk.environment = NOBODY
    places = ("configuration", "HUAWEICLOUD_SDK_AK", str(desk.home / ".huaweicloud" / "credentials"), "http://127.0.0.1:1")
    assert_told(desk, desk.sweep(), *places)
    assert cloud.requests() == []


@pytest.mark.parametrize(("seconds", "words"), [(1200, "20 minutes behind"), (-1200, "20 minutes ahead of")])
def test_a_clock_that_is_wrong_is_named(simulate: Simulate, desk: Desk, seconds: int, words: str) -> None:
    """A signature of another time is refused, and the error says how far the clocks are apart."""
    cloud = simulate([idle("nb")])
    desk.write(cloud)
    connection = HTTPConnection(urlsplit(cloud.url).netloc, timeout=5)
    connection.request("POST", "/_simulator/clock", json.dumps({"seconds": seconds, "date_header": True}))
    assert connection.getresponse().status == 200
    connection.close()
    assert_told(desk, desk.sweep(), "clock", f"{words} the cloud's")
    assert cloud.writes() == []


def two_targets(desk: Desk, cloud: Cloud, secret_file: Path, **groups: Any) -> None:
    """Write a configuration of two targets; `late` has the free notebooks, and keys in a file that may be missing."""
    desk.write(cloud, **groups)
    document = json.loads(desk.config.read_text())
    (lab,) = document["targets"]
    late = lab | {
        "name": "late",
        "features": ["DEFAULT"],
        "credentials": {"access_key": ACCESS_KEY, "secret_key_file": str(secret_file)},
    }
    document["targets"] = [late, lab]
    desk.config.write_text(json.dumps(document))


def test_a_target_without_credentials_keeps_no_other_from_its_sweep(simulate: Simulate, desk: Desk) -> None:
    """One fails with what is missing, the fleet of the other goes, and the exit code is that of the failure."""
    cloud = simulate(idle_fleet(3))
    two_targets(desk, cloud, desk.folder / "nowhere")
    ended = desk.sweep()
    assert ended.code == 5, ended.err
    assert len(cloud.gone()) == 3
    outcomes = {line["target"]: line for line in ended.events("sweep.finished")}
    assert {name: line["outcome"] for name, line in outcomes.items()} == {"late": "failed", "lab": "finished"}
    assert "secret_key_file" in outcomes["late"]["problem"]
    assert leaks(desk, ended) == []
