"""Plans that people approve and carry out on the pages of a real service, over real HTTP."""

import re
import signal
from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlencode

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, eventually, free_port, idle_fleet

NEVER = {"cron": "0 0 1 1 *"}
TOKENS = {"approver": "a-token-that-approves", "admin": "a-token-that-changes"}


def write(desk: Desk, cloud: Cloud, address: str, mode: str = "enforce") -> None:
    """Write the configuration of a service with a token for each role, named like its role."""
    tokens = []
    for role, token in TOKENS.items():
        path = desk.folder / role
        path.write_text(f"{token}\n")
        path.chmod(0o600)
        tokens.append({"file": str(path), "role": role, "name": f"the-{role}"})
    brakes = {"max_share": "100%"}
    desk.write(cloud, mode=mode, schedule=NEVER, brakes=brakes, service={"listen": address, "api_tokens": tokens})


def ask(address: str, method: str, path: str, fields: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Open a page or send a form as the approver's browser does; give the status, the place that it leads to, and the page."""
    connection = HTTPConnection(address, timeout=30)
    headers = {"Authorization": f"Bearer {TOKENS['approver']}", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request(method, path, urlencode(fields or {}), {**headers, "Sec-Fetch-Site": "same-origin"})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location", ""), answer.read().decode()
    finally:
        connection.close()


def approve(address: str) -> str:
    """Make a plan, exclude `nb-002` from it, approve it, and return the path of its page."""
    assert ask(address, "POST", "/plan/lab")[:2] == (303, "/plan/lab")
    page = ask(address, "GET", "/plan/lab")[2]
    assert ask(address, "POST", "/plan/lab/exclude", {"notebook": "nb-002", "digest": digest(page)})[0] == 303
    page = ask(address, "GET", "/plan/lab")[2]
    status, path, _ = ask(address, "POST", "/plan/lab/approve", {"digest": digest(page)})
    assert (status, path.startswith("/plan/approved/")) == (303, True)
    return path


def digest(page: str) -> str:
    """Return the digest that the forms of a page carry."""
    return str(re.findall(r'name="digest" value="(sha256:[0-9a-f]{64})"', page)[0])


def test_an_approved_plan_outlives_a_restart_and_deletes_what_still_matches(simulate: Simulate, desk: Desk) -> None:
    """One is excluded, one was started since, one is new: the others go, once, and the audit trail says who did what."""
    cloud, address = simulate(idle_fleet(6)), f"127.0.0.1:{free_port()}"
    write(desk, cloud, address)
    with desk.started("serve") as started:
        started.wait_for("service.started")
        path = approve(address)
        assert cloud.deletes() == {}
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    cloud.change("nb-003", status="RUNNING")
    cloud.create(idle_fleet(1, "new")[0])
    with desk.started("serve") as started:
        started.wait_for("service.started")
        assert ask(address, "POST", f"{path}/compare")[:2] == (303, path)
        compared = ask(address, "GET", path)[2]
        assert "nb-003" in compared.split("Would be kept now</h3>")[1]
        assert "new-000" in compared.split("New, and not part of this plan</h3>")[1]
        assert ask(address, "POST", f"{path}/carry-out")[0] == 303
        eventually(lambda: "not yet" not in ask(address, "GET", path)[2], "the plan is carried out")
        eventually(lambda: len(cloud.gone()) == 4, "the notebooks of the plan are gone")
        started.wait_for("sweep.finished")
        assert ask(address, "POST", f"{path}/carry-out")[0] == 409
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    assert set(cloud.deletes()) == cloud.gone() == {"nb-000", "nb-001", "nb-004", "nb-005"}
    entries = desk.run("audit", "--format", "json").document
    plan_id = path.rpartition("/")[2]
    told = [(each["what"], each["started_by"]) for each in entries if plan_id in each["reason"]]
    assert sorted(told) == [("approved", "the-approver (page)"), ("carried_out", "the-approver (page)")]
    [run_id] = {each["run_id"] for each in entries if each["what"] == "carried_out"}
    assert {each["run_id"] for each in entries if each["what"] == "deleted"} == {run_id}
    assert desk.run("audit", "verify").code == 0


def test_in_mode_dry_run_a_plan_deletes_nothing(simulate: Simulate, desk: Desk) -> None:
    """It says so, and stays open."""
    cloud, address = simulate(idle_fleet(3)), f"127.0.0.1:{free_port()}"
    write(desk, cloud, address, mode="dry-run")
    with desk.started("serve") as started:
        started.wait_for("service.started")
        path = approve(address)
        assert "this makes a dry run, and nothing is deleted" in ask(address, "GET", path)[2]
        assert ask(address, "POST", f"{path}/carry-out")[0] == 303
        started.wait_for("sweep.finished")
        assert "Make a dry run" in ask(address, "GET", path)[2]
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    assert cloud.writes() == []
