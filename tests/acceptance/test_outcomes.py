import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, days_ago, eventually, idle, idle_fleet

ANSWERS_LOST = {
    "500-before": {"fault": "error_500_before"},
    "500-after": {"fault": "error_500_after"},
    "reset-before": {"fault": "reset_before"},
    "reset-after": {"fault": "reset_after"},
    "504-after": {"fault": "gateway_timeout_after"},
    "html-502": {"fault": "html_502"},
    "no-content": {"fault": "no_content"},
    "throttled": {"fault": "throttle"},
    "hangs": {"fault": "hang", "hold_s": 2.5},
    "busy": {"fault": "error", "status": 400, "error_code": "ModelArts.6357", "error_msg": "Try again later."},
}
IN_THE_END_DELETED = set(ANSWERS_LOST) | {"fails-once", "looks-fail"}


def script(notebook_id: str, fault: Json, kind: str = "delete") -> Json:
    """Let a fault befall the calls about one notebook."""
    return fault | {"notebook_id": notebook_id, "kind": kind}


def test_every_trouble_is_one_notebooks_outcome(simulate: Simulate, desk: Desk) -> None:
    """Lost answers, refusals, failures and deletions that never end, all in one sweep: each ends for itself, exit 3."""
    faults = [script(notebook_id, fault) for notebook_id, fault in ANSWERS_LOST.items()]
    out_of_disks = {"fault": "delete_failed", "fail_reason": "Failed to detach the EVS disk vol-7."}
    faults += [
        script("fails", out_of_disks | {"times": 2}),
        script("fails-once", out_of_disks),
        script("sticks", {"fault": "stuck_deleting"}),
        script("refused", {"fault": "error", "status": 400, "error_code": "ModelArts.0107", "error_msg": "Bad values."}),
        script("looks-fail", {"fault": "error_500_before", "times": 2}, kind="show"),
    ]
    names = [*IN_THE_END_DELETED, "fails", "sticks", "refused"]
    cloud = simulate([idle(name) for name in names], faults={"script": faults})
    removal = {"grace": "500ms", "retries": 1, "deadline": "6s"}
    desk.write(cloud, removal=removal, target={"limits": {"request_timeout": "1500ms"}})
    ended = desk.sweep()

    assert ended.code == 3
    assert ended.outcomes() == {
        **dict.fromkeys(IN_THE_END_DELETED, "deleted"),
        "fails": "failed",
        "refused": "failed",
        "sticks": "timed_out",
    }
    assert ended.document["counts"] == {"deleted": len(IN_THE_END_DELETED), "failed": 2, "timed_out": 1}
    assert "Failed to detach the EVS disk vol-7." in ended.reason("fails")
    assert "Bad values." in ended.reason("refused")
    assert "DELETING" in ended.reason("sticks")
    assert cloud.gone() == IN_THE_END_DELETED
    # A DELETE after a failed one is the only second one that the cloud has ever accepted.
    twice = {"fails", "fails-once"}
    assert cloud.accepted() == {name: 2 if name in twice else 1 for name in names if name != "refused"}
    requests = {result["id"]: result["requests"] for result in ended.document["results"]}
    assert requests["500-after"] == requests["reset-after"] == requests["504-after"] == requests["no-content"] == 1
    (finished,) = ended.events("sweep.finished")
    assert (finished["outcome"], finished["counts"]) == ("finished", ended.document["counts"])


DIALECTS: dict[str, Json] = {
    "400/6309": {"list_timestamps": False, "gateway_prefix": "APIG"},
    "400/6404": {"row_user": False, "lease_type": False},
    "404": {"integer_workspace_ids": True, "strict_limit": True},
    "DELETED": {"extra_fields": {"brand_new": {"deep": [1, 2]}, "status_detail": "x"}},
}


@pytest.mark.parametrize("gone", DIALECTS)
def test_gone_is_gone_in_every_dialect(gone: str, simulate: Simulate, desk: Desk) -> None:
    """However the cloud words it, and though reads are stale at first: deleted, once each; what lacks its dates is kept."""
    dateless = idle("no-dates-in-lists", lease=None)
    broken = idle("broken", status="ERROR", fail_reason="The node is abnormal.")
    cloud = simulate(
        [*idle_fleet(5), broken, dateless],
        dialect={"gone_answer": gone, **DIALECTS[gone]},
        timing={"stale_s": 0.5, "deleted_row_s": 600},
    )
    policies = [{"name": "idle", "match": {"status": ["STOPPED", "ERROR"], "idle_over": "14d"}}]
    desk.write(cloud, policies=policies, removal={"grace": "2s", "retries": 0})
    ended = desk.sweep()
    kept = {"unknown-fact": 1} if gone == "400/6309" else {}
    expected = set(cloud.instances()) - ({"no-dates-in-lists"} if kept else set())
    assert ended.code == 0, ended.err
    assert (ended.ids("deleted"), ended.document["kept"]) == (expected, kept)
    assert cloud.gone() == expected
    assert set(cloud.accepted().values()) == {1}


@pytest.mark.parametrize("requires_stopped", [True, False])
def test_one_that_runs_is_stopped_first_and_only_where_its_policy_says_so(
    requires_stopped: bool,  # noqa: FBT001  # a parameter of the test
    simulate: Simulate,
    desk: Desk,
) -> None:
    """Stop, then DELETE, also where the cloud would delete it running; with `running: skip` it is not touched."""
    old = days_ago(300)
    cloud = simulate(
        [
            idle("stop-me", status="RUNNING", create_at=old),
            idle("skip-me", status="RUNNING", create_at=old, tags={"team": "nlp"}),
            idle("stop-fails", status="RUNNING", create_at=old),
        ],
        dialect={"delete_requires_stopped": requires_stopped},
        faults={"script": [{"fault": "reset_after", "kind": "stop", "notebook_id": "stop-me"}]},
    )
    cloud.break_with(
        {"fault": "error", "status": 400, "error_code": "ModelArts.6326", "kind": "stop", "notebook_id": "stop-fails"}
    )
    policies = [
        {"name": "nlp", "match": {"age_over": "200d", "tags": {"team": "nlp"}}},
        {"name": "all", "match": {"age_over": "200d"}, "running": "stop"},
    ]
    desk.write(cloud, policies=policies)
    ended = desk.sweep()
    assert ended.code == 3
    assert ended.outcomes() == {"stop-me": "deleted", "stop-fails": "failed"}
    assert ended.document["kept"] == {"running": 1}
    asked = [(request["method"], request["notebook_id"]) for request in cloud.writes()]
    assert sorted(asked) == [("DELETE", "stop-me"), ("POST", "stop-fails"), ("POST", "stop-me")]
    states = [moment["status"] for moment in cloud.instances()["stop-me"]["history"]]
    assert states == ["RUNNING", "STOPPING", "STOPPED", "DELETING", "DELETED"]
    assert cloud.instances()["skip-me"]["status"] == "RUNNING"


CHANGES: dict[str, tuple[Json, str]] = {
    "nb-003": ({"action": "use"}, "idle"),
    "nb-004": ({"tags": {"keep": "please"}}, "tags"),
    "nb-005": ({"action": "start"}, "STARTING"),
    "nb-006": ({"name": "keep-me-after-all"}, "keep-*"),
    "nb-007": ({"gone": True}, "vanished"),
}


def test_who_comes_back_between_the_survey_and_the_second_look_is_spared(simulate: Simulate, desk: Desk) -> None:
    """Used, tagged, started, renamed or deleted by its owner meanwhile: no DELETE is sent, and the reason is told."""
    cloud = simulate(idle_fleet(8))
    protect = [{"name": "keep-*"}, {"tags": {"keep": "*"}}]
    desk.write(cloud, protect=protect, target={"limits": {"delete": "80/m"}})
    with desk.started("run", "--yes", "--format", "json") as started:
        started.wait_for("plan.built")
        for notebook_id, (change, _) in CHANGES.items():
            cloud.change(notebook_id, **change)
        ended = started.ended()
    assert ended.code == 0
    assert ended.ids("spared") == set(CHANGES)
    assert ended.ids("deleted") == {"nb-000", "nb-001", "nb-002"}
    assert set(cloud.deletes()) == {"nb-000", "nb-001", "nb-002"}
    said = {notebook_id: ended.reason(notebook_id) for notebook_id in CHANGES}
    assert {notebook_id: hint for notebook_id, (_, hint) in CHANGES.items() if hint not in said[notebook_id]} == {}


def test_who_comes_back_while_his_stop_is_waited_for_is_spared(simulate: Simulate, desk: Desk) -> None:
    """Stopped by us and tagged by its owner before the DELETE: it stays."""
    cloud = simulate([idle("nb", status="RUNNING", create_at=days_ago(300))], timing={"stop_s": 1.5})
    policies = [{"name": "old", "match": {"age_over": "200d"}, "running": "stop"}]
    desk.write(cloud, policies=policies, protect=[{"tags": {"keep": "*"}}])
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(lambda: cloud.instances()["nb"]["status"] == "STOPPING", "the stop has begun")
        cloud.change("nb", tags={"keep": "yes"})
        ended = started.ended()
    assert (ended.code, ended.outcomes()) == (0, {"nb": "spared"})
    assert cloud.deletes() == {}


def test_facts_that_became_old_are_read_again_before_the_delete(simulate: Simulate, desk: Desk) -> None:
    """With `fresh_for` of 300 ms and a DELETE held up by throttling for 1 s, the renamed one is spared."""
    throttle = {"fault": "throttle", "kind": "delete", "notebook_id": "nb-000"}
    cloud = simulate(idle_fleet(1), faults={"script": [throttle]})
    removal = {"grace": "300ms", "fresh_for": "300ms", "retries": 0}
    desk.write(cloud, protect=[{"name": "keep-*"}], removal=removal)
    with desk.started("run", "--yes", "--format", "json") as started:
        started.wait_for("http.throttled")
        cloud.change("nb-000", name="keep-me")
        ended = started.ended()
    assert (ended.code, ended.outcomes()) == (0, {"nb-000": "spared"})
    assert cloud.gone() == set()
    assert "keep-*" in ended.reason("nb-000")


@pytest.mark.parametrize("seed", [1, 2])
def test_a_cloud_that_misbehaves_at_random_is_swept_all_the_same(seed: int, simulate: Simulate, desk: Desk) -> None:
    """Whatever comes of it, reports and truth agree, every planned notebook has an end, and none was accepted twice in vain."""
    rates = {
        "all": {"error_500_before": 0.05, "html_502": 0.02, "reset_after": 0.03},
        "delete": {"error_500_after": 0.1, "delete_failed": 0.1, "no_content": 0.2},
        "list_all": {"torn_pages": 0.1},
    }
    fleet = {"notebooks": 120, "workspaces": 2, "codelab_share": 0.3}
    cloud = simulate(fleet=fleet, faults={"rates": rates}, seed=seed, timing={"stale_s": 0.2})
    policies = [{"name": "old", "match": {"age_over": "60d"}, "running": "stop"}]
    target = {"features": ["NOTEBOOK", "DEFAULT"], "limits": {"delete": "60/s"}}
    desk.write(cloud, policies=policies, protect=[{"name": ["keep-*", "prod-*"]}], target=target)
    ended = desk.sweep()
    assert ended.code in {0, 3, 4}
    assert set(ended.outcomes().values()) <= {"deleted", "failed", "spared", "timed_out"}
    truth = cloud.instances()
    gone_by_us = {key for key, row in truth.items() if row["deleted"] and row["accepted_deletes"]}
    assert gone_by_us <= ended.ids("deleted")
    assert ended.ids("deleted") <= cloud.gone()
    assert not [row for row in truth.values() if row["accepted_deletes"] and row["name"].startswith(("keep-", "prod-"))]
    for row in truth.values():
        failures = sum(moment["status"] == "DELETE_FAILED" and moment["cause"] == "timer" for moment in row["history"])
        assert row["accepted_deletes"] <= 1 + failures
