"""The HTTP API of a real service: its tokens with roles, its first page, and the explanation of a notebook."""

import json
import signal
from pathlib import Path

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Json, asked, free_port, idle, idle_fleet

NEVER = {"cron": "0 0 1 1 *"}
READS, CHANGES = "a-token-that-reads", "a-token-that-changes"


def token_file(desk: Desk, token: str) -> Path:
    """Write a token where only its owner may read it."""
    path = desk.folder / token
    path.write_text(f"{token}\n")
    path.chmod(0o600)
    return path


def write(desk: Desk, cloud: Cloud, address: str, **roles: str) -> None:
    """Write the configuration of a service with these tokens, by role."""
    tokens = [{"file": str(token_file(desk, token)), "role": role} for role, token in roles.items()]
    desk.write(cloud, mode="enforce", schedule=NEVER, service={"listen": address, "api_tokens": tokens})


def test_a_viewers_token_reads_and_an_admins_changes(simulate: Simulate, desk: Desk) -> None:
    """Until a reload gives the tokens the other roles. The log holds no token."""
    cloud, address = simulate(idle_fleet(2)), f"127.0.0.1:{free_port()}"
    write(desk, cloud, address, viewer=READS, admin=CHANGES)
    pause = "/api/v1/targets/lab/pause"
    with desk.started("serve") as started:
        started.wait_for("service.started")
        refused = asked(address, "POST", pause, READS)
        assert refused[0] == 403
        assert "role viewer" in json.loads(refused[1])["error"]["message"]
        assert asked(address, "GET", "/api/v1/targets", READS)[0] == 200
        assert asked(address, "POST", pause)[0] == 401
        assert asked(address, "POST", pause, CHANGES)[0] == 200
        write(desk, cloud, address, viewer=CHANGES, admin=READS)
        started.signal(signal.SIGHUP)
        started.wait_for("service.reloaded")
        assert asked(address, "POST", pause, CHANGES)[0] == 403
        assert asked(address, "POST", pause, READS)[0] == 200
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert READS not in ended.err.replace(str(desk.folder / READS), "")
    assert CHANGES not in ended.err.replace(str(desk.folder / CHANGES), "")


def test_a_role_that_does_not_exist_is_a_mistake_of_the_configuration(simulate: Simulate, desk: Desk) -> None:
    """With the roles that there are."""
    write(desk, simulate([]), "127.0.0.1:0", admim=CHANGES)
    ended = desk.run("serve")
    assert ended.code == 2
    assert "service.api_tokens[0].role" in ended.err
    assert "must be viewer or approver or admin; did you mean admin?" in ended.err


def test_the_service_explains_a_notebook_as_the_command_does(simulate: Simulate, desk: Desk) -> None:
    """The same document, by one GET to the cloud, apart from when it was asked for. The first page shows the target."""
    cloud, address = simulate([idle("nb-1"), idle("nb-2")]), f"127.0.0.1:{free_port()}"
    write(desk, cloud, address, viewer=READS)
    with desk.started("serve") as started:
        started.wait_for("service.started")
        before = len(cloud.requests())
        status, text = asked(address, "GET", "/api/v1/notebooks/nb-1/explain", READS)
        calls = len(cloud.requests()) - before
        nowhere = asked(address, "GET", "/api/v1/notebooks/nb-3/explain", READS)
        page = asked(address, "GET", "/")
        by_command: Json = desk.run("explain", "nb-1", "--format", "json").document
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    by_service = json.loads(text)
    assert (status, by_service["verdict"], calls) == (200, "delete", 1)
    assert timeless(by_service) == timeless(by_command)
    assert nowhere[0] == 404
    assert page[0] == 200
    assert "<bdi>lab</bdi>" in page[1]


def timeless(document: Json) -> Json:
    """Leave out what depends on the moment of asking."""
    return {key: value for key, value in document.items() if key not in ("asked_at", "change")}
