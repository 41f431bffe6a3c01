from typing import Any

from nbsweep.simulator import LeaseSpec, Limit, LimitOptions, TimingOptions
from unit.simulator.support import HOUR_MS, PROJECT, START_MS, START_S, notebook, simulated


async def test_the_truth_knows_a_whole_life() -> None:
    """Every step with its time and cause, even when the notebook is gone."""
    async with simulated(notebook(status="RUNNING", owner="li.chen", tags={"env": "dev"})) as desk:
        await desk.post("nb", "stop")
        desk.time.now_s += 20
        await desk.delete("nb")
        desk.time.now_s += 100
        assert await desk.truth("nb") == {
            "id": "nb",
            "name": "nb",
            "feature": "NOTEBOOK",
            "workspace_id": "0",
            "status": "DELETED",
            "shown_status": None,
            "owner": "li.chen",
            "tags": {"env": "dev"},
            "create_at": START_MS,
            "update_at": START_MS + 25_000,
            "deleted": True,
            "accepted_deletes": 1,
            "history": [
                {"at": START_S, "status": "RUNNING", "cause": "fleet"},
                {"at": START_S, "status": "STOPPING", "cause": "api:stop"},
                {"at": START_S + 10, "status": "STOPPED", "cause": "timer"},
                {"at": START_S + 20, "status": "DELETING", "cause": "api:delete"},
                {"at": START_S + 25, "status": "DELETED", "cause": "timer"},
            ],
        }


async def test_all_notebooks_ever_are_told() -> None:
    """Without an id: everything; with an unknown one: nothing."""
    async with simulated(notebook("a"), notebook("b")) as desk:
        assert [truth["id"] for truth in await desk.admin("GET", "instances")] == ["a", "b"]
        assert await desk.admin("GET", "instances?id=c") == []


async def test_the_log_has_every_request_but_the_admins() -> None:
    """With its kind, notebook, user, outcome, the names of its headers, and the signature or token among them."""
    async with simulated(notebook()) as desk:
        await desk.show("nb")
        desk.time.now_s += 1
        await desk.call("GET", "/v9/x", key=None)
        first, second = await desk.admin("GET", "requests")
        assert "Authorization" in first.pop("sent_headers")
        assert len(first.pop("request_id")) == 32
        assert len(first.pop("proof")) == 64
        assert second["proof"] is None
        assert first == {
            "at": START_S,
            "method": "GET",
            "path": f"/v1/{PROJECT}/notebooks/nb",
            "kind": "show",
            "notebook_id": "nb",
            "user": "sweeper",
            "status": 200,
            "error_code": None,
            "fault": None,
        }
        assert (second["kind"], second["status"], second["error_code"]) == ("other", 404, "APIGW.0101")
        assert await desk.admin("GET", f"requests?since={START_S + 1}") == [second]


async def test_every_call_has_its_kind() -> None:
    """The words that limits, faults and counts use."""
    calls = [
        ("GET", "/notebooks", "list"),
        ("GET", "/notebooks/all", "list_all"),
        ("GET", "/notebooks/tags", "tags"),
        ("GET", "/notebooks/nb", "show"),
        ("DELETE", "/notebooks/nb", "delete"),
        ("POST", "/notebooks/nb/stop", "stop"),
        ("POST", "/notebooks/nb/start", "start"),
        ("GET", "/notebooks/nb/lease", "lease"),
        ("POST", "/notebooks/nb/tags/create", "tags"),
        ("DELETE", "/notebooks/nb/tags/delete", "tags"),
        ("GET", "/workspaces", "workspaces"),
    ]
    async with simulated(notebook()) as desk:
        for method, path, _ in calls:
            await desk.call(method, f"/v1/{PROJECT}{path}")
        await desk.call("GET", "/v3/auth/projects")
        await desk.call("GET", "/openstack/latest/securitykey", key=None)
        kinds = [entry.kind for entry in desk.simulator.log.entries]
        assert kinds == [*(kind for _, _, kind in calls), "iam", "metadata"]


async def test_counts_sum_the_log_up() -> None:
    """By kind, by status, throttled ones, and the densest second."""
    async with simulated(notebook(), limits=LimitOptions(per_api={"show": Limit(2)})) as desk:
        for _ in range(3):
            await desk.show("nb")
        desk.time.now_s += 0.75
        await desk.delete("nb")
        desk.time.now_s += 0.25
        await desk.show("nb")
        assert await desk.admin("GET", "counts") == {
            "total": 5,
            "by_kind": {"show": 4, "delete": 1},
            "by_kind_and_status": {"show": {"200": 3, "429": 1}, "delete": {"200": 1}},
            "throttled": 1,
            "first_at": START_S,
            "last_at": START_S + 1,
            "max_in_window": {"total": 4, "show": 3, "delete": 1},
        }
        await desk.admin("POST", "reset_counts")
        assert (await desk.admin("GET", "counts"))["total"] == 0
        assert (await desk.admin("GET", "counts"))["first_at"] is None


async def test_a_notebook_can_be_put_in() -> None:
    """From a partial description; its id comes back."""
    async with simulated() as desk:
        created = await desk.admin("POST", "instances", {"name": "late", "status": "ERROR", "workspace_id": "a" * 32})
        row = (await desk.show(created["id"])).json
        assert (row["name"], row["status"], row["create_at"]) == ("late", "ERROR", START_MS)
        assert (await desk.notebooks(workspace_id="a" * 32)).names == ["late"]
        assert (await desk.truth(created["id"]))["history"][0]["cause"] == "admin"


async def test_descriptions_are_checked() -> None:
    """An unknown field, an id that is taken, and a notebook that is not there: 400 with a sentence."""
    async with simulated(notebook()) as desk:
        for method, path, body in (
            ("POST", "instances", {"colour": "red"}),
            ("POST", "instances", {"id": "nb"}),
            ("PATCH", "instances/lost", {"name": "x"}),
            ("PATCH", "instances/nb", {"action": "paint"}),
            ("POST", "faults", [{"fault": "earthquake"}]),
        ):
            reply = await desk.call(method, f"/_simulator/{path}", body=body, key=None)
            assert (reply.status, list(reply.json)) == (400, ["error"])


async def test_a_users_doings_show() -> None:
    """Renaming, tagging, another owner, another lease, forced dates and statuses, malformed fields."""
    async with simulated(notebook()) as desk:
        change: dict[str, Any] = {
            "name": "renamed",
            "tags": {"keep": "true"},
            "owner": "li.chen",
            "status": "ERROR",
            "update_at": START_MS - 7,
            "lease": {"duration": HOUR_MS, "enable": True},
            "raw": {"flavor": 7},
            "drop": ["image"],
        }
        truth = await desk.admin("PATCH", "instances/nb", change)
        assert truth["history"][-1] == {"at": START_S, "status": "ERROR", "cause": "user"}
        row = (await desk.notebooks()).json["data"][0]
        assert (row["name"], row["user"]["name"], row["status"], row["flavor"]) == ("renamed", "li.chen", "ERROR", 7)
        assert (row["tags"], row["update_at"]) == ([{"key": "keep", "value": "true"}], START_MS - 7)
        assert row["lease"]["duration"] == HOUR_MS
        assert "image" not in row
        await desk.admin("PATCH", "instances/nb", {"lease": None})
        assert "lease" not in (await desk.show("nb")).json


async def test_a_user_can_start_stop_and_use() -> None:
    """By the rules of the cloud; using makes the notebook look touched just now."""
    async with simulated(notebook(lease=LeaseSpec(update_at=1)), timing=TimingOptions(start_s=1, stop_s=1)) as desk:
        desk.time.now_s += 50
        truth = await desk.admin("PATCH", "instances/nb", {"action": "use"})
        assert (truth["update_at"], truth["status"]) == (START_MS + 50_000, "STOPPED")
        assert (await desk.show("nb")).json["lease"]["update_at"] == START_MS + 50_000
        assert (await desk.admin("PATCH", "instances/nb", {"action": "start"}))["status"] == "STARTING"
        assert "6306" in (await desk.admin("PATCH", "instances/nb", {"action": "stop"}))["error"]
        desk.time.now_s += 1
        truth = await desk.admin("PATCH", "instances/nb", {"action": "stop"})
        assert [step["cause"] for step in truth["history"]] == ["fleet", "user", "timer", "user"]


async def test_a_user_can_delete_at_once() -> None:
    """`gone` leaves no trace but the truth."""
    async with simulated(notebook()) as desk:
        truth = await desk.admin("PATCH", "instances/nb", {"gone": True})
        assert (truth["deleted"], truth["accepted_deletes"]) == (True, 0)
        assert (await desk.show("nb")).code == "ModelArts.6309"


async def test_faults_can_be_added() -> None:
    """The script grows while the cloud runs."""
    async with simulated(notebook()) as desk:
        assert await desk.admin("POST", "faults", [{"fault": "html_502", "kind": "show"}]) == {"added": 1}
        assert [(await desk.show("nb")).status for _ in range(2)] == [502, 200]


async def test_the_clock_can_be_shifted() -> None:
    """Transitions come due, signatures of the real time are refused, and arrival times stay real."""
    async with simulated(notebook()) as desk:
        await desk.delete("nb")
        assert await desk.admin("POST", "clock", {"seconds": 901}) == {"now": START_S + 901, "shift_s": 901}
        reply = await desk.show("nb")
        assert (reply.status, reply.code) == (401, "APIGW.0301")
        assert (await desk.truth("nb"))["history"][-1]["at"] == START_S + 5
        assert desk.simulator.log.entries[-1].at == START_S
        assert await desk.admin("POST", "clock", {"seconds": -901}) == {"now": START_S, "shift_s": 0}
        assert (await desk.show("nb")).code == "ModelArts.6309"


async def test_the_date_header_can_follow_the_clock() -> None:
    """So that a client can notice its own clock's error."""
    async with simulated() as desk:
        await desk.admin("POST", "clock", {"seconds": 3600, "date_header": True})
        # The start is 2027-01-15 08:00 UTC.
        assert (await desk.notebooks()).headers["Date"] == "Fri, 15 Jan 2027 09:00:00 GMT"


async def test_the_admin_is_not_throttled() -> None:
    """Limits and faults are for the cloud's callers."""
    async with simulated(limits=LimitOptions(per_user=Limit(1))) as desk:
        await desk.notebooks()
        assert [(await desk.admin("GET", "counts"))["total"] for _ in range(3)] == [1, 1, 1]
