from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, days_ago, eventually, idle, idle_fleet, target

ANSWERS_LOST: dict[str, Json] = {
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
    removal = {"grace": "500ms", "retries": 1, "deadline": "4s"}
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


def test_gone_is_gone_in_every_dialect(simulate: Simulate, desk: Desk) -> None:
    """However the cloud words it, and though reads are stale at first: deleted, once each, one without listed dates too."""
    clouds = {}
    for number, (gone, dialect) in enumerate(DIALECTS.items()):
        dateless = idle(f"{number}-no-dates-in-lists", lease=None)
        broken = idle(f"{number}-broken", status="ERROR", fail_reason="The node is abnormal.")
        clouds[gone] = simulate(
            [*idle_fleet(5, str(number)), broken, dateless],
            dialect={"gone_answer": gone, **dialect},
            timing={"stale_s": 0.5, "deleted_row_s": 600},
        )
    policies = [{"name": "idle", "match": {"status": ["STOPPED", "ERROR"], "idle_over": "14d"}}]
    targets = [target(cloud.url, name=f"dialect-{number}") for number, cloud in enumerate(clouds.values())]
    desk.write("", targets=targets, policies=policies, removal={"grace": "2s", "retries": 0})
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    for cloud in clouds.values():
        expected = set(cloud.instances())
        assert cloud.gone() == expected
        assert cloud.accepted() == dict.fromkeys(expected, 1)
    assert ended.ids("deleted") == {key for cloud in clouds.values() for key in cloud.gone()}
    assert ended.document["kept"] == {}


def test_one_that_runs_is_stopped_first_and_only_where_its_policy_says_so(simulate: Simulate, desk: Desk) -> None:
    """Stop, then DELETE, also where the cloud would delete it running; with `running: skip` it is not touched."""
    clouds = {}
    for name, requires_stopped in (("strict", True), ("lax", False)):
        rows = [idle(f"{what}-{name}", status="RUNNING", create_at=days_ago(300)) for what in ("stop", "skip", "frozen")]
        rows[1]["tags"] = {"team": "nlp"}
        lost = {"fault": "reset_after", "kind": "stop", "notebook_id": f"stop-{name}"}
        no = {"fault": "error", "status": 400, "error_code": "ModelArts.6326", "kind": "stop", "notebook_id": f"frozen-{name}"}
        dialect = {"delete_requires_stopped": requires_stopped}
        clouds[name] = simulate(rows, dialect=dialect, faults={"script": [lost, no]})
    policies = [
        {"name": "nlp", "match": {"age_over": "200d", "tags": {"team": "nlp"}}},
        {"name": "all", "match": {"age_over": "200d"}, "running": "stop"},
    ]
    desk.write("", targets=[target(cloud.url, name=name) for name, cloud in clouds.items()], policies=policies)
    ended = desk.sweep()
    assert ended.code == 3
    for name, cloud in clouds.items():
        assert ended.outcomes()[f"stop-{name}"] == "deleted"
        assert ended.outcomes()[f"frozen-{name}"] == "failed"
        asked = sorted((request["method"], request["notebook_id"]) for request in cloud.writes())
        assert asked == [("DELETE", f"stop-{name}"), ("POST", f"frozen-{name}"), ("POST", f"stop-{name}")]
        states = [moment["status"] for moment in cloud.instances()[f"stop-{name}"]["history"]]
        assert states == ["RUNNING", "STOPPING", "STOPPED", "DELETING", "DELETED"]
        assert cloud.instances()[f"skip-{name}"]["status"] == "RUNNING"
    assert ended.document["kept"] == {"running": 2}
    assert len(ended.outcomes()) == 4


CHANGES: dict[str, tuple[Json, str]] = {
    "nb-002": ({"action": "use"}, "idle"),
    "nb-003": ({"tags": {"keep": "please"}}, "tags"),
    "nb-004": ({"action": "start"}, "STARTING"),
    "nb-005": ({"name": "keep-me-after-all"}, "keep-*"),
    "nb-006": ({"gone": True}, "vanished"),
}


def test_who_comes_back_between_the_survey_and_the_second_look_is_spared(simulate: Simulate, desk: Desk) -> None:
    """Used, tagged, started, renamed or deleted by its owner meanwhile: no DELETE is sent, and the reason is told."""
    cloud = simulate(idle_fleet(7))
    protect = [{"name": "keep-*"}, {"tags": {"keep": "*"}}]
    # What the walk has seen may be used for so long; whoever comes back later than that before his DELETE is seen.
    removal = {"grace": "300ms", "fresh_for": "500ms", "retries": 0}
    desk.write(cloud, protect=protect, target={"limits": {"delete": "120/m"}}, removal=removal)
    with desk.started("run", "--yes", "--format", "json") as started:
        started.wait_for("plan.built")
        for notebook_id, (change, _) in CHANGES.items():
            cloud.change(notebook_id, **change)
        ended = started.ended()
    assert ended.code == 0
    assert ended.ids("spared") == set(CHANGES)
    assert ended.ids("deleted") == {"nb-000", "nb-001"}
    assert set(cloud.deletes()) == {"nb-000", "nb-001"}
    said = {notebook_id: ended.reason(notebook_id) for notebook_id in CHANGES}
    assert {notebook_id: hint for notebook_id, (_, hint) in CHANGES.items() if hint not in said[notebook_id]} == {}


def test_who_comes_back_while_his_stop_is_waited_for_is_spared(simulate: Simulate, desk: Desk) -> None:
    """Stopped by us and tagged by its owner before the DELETE: it stays."""
    cloud = simulate([idle("nb", status="RUNNING", create_at=days_ago(300))], timing={"stop_s": 1.0})
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
    cloud = simulate(idle_fleet(1), faults={"script": [throttle]}, limits={"retry_after_s": 1})
    removal = {"grace": "300ms", "fresh_for": "300ms", "retries": 0}
    desk.write(cloud, protect=[{"name": "keep-*"}], removal=removal)
    with desk.started("run", "--yes", "--format", "json") as started:
        started.wait_for("http.throttled")
        cloud.change("nb-000", name="keep-me")
        ended = started.ended()
    assert (ended.code, ended.outcomes()) == (0, {"nb-000": "spared"})
    assert cloud.gone() == set()
    assert "keep-*" in ended.reason("nb-000")


def test_a_cloud_that_misbehaves_at_random_is_swept_all_the_same(simulate: Simulate, desk: Desk) -> None:
    """Whatever comes of it, reports and truth agree, every planned notebook has an end, and none was accepted twice in vain."""
    rates = {
        "all": {"error_500_before": 0.05, "html_502": 0.02, "reset_after": 0.03},
        "delete": {"error_500_after": 0.1, "delete_failed": 0.1, "no_content": 0.2},
        "list_all": {"torn_pages": 0.1},
    }
    fleet = {"notebooks": 120, "workspaces": 2, "codelab_share": 0.3}
    cloud = simulate(fleet=fleet, faults={"rates": rates}, timing={"stale_s": 0.2})
    policies = [{"name": "old", "match": {"age_over": "60d"}, "running": "stop"}]
    both = {"features": ["NOTEBOOK", "DEFAULT"], "limits": {"delete": "60/s"}}
    desk.write(cloud, policies=policies, protect=[{"name": ["keep-*", "prod-*"]}], target=both)
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


def test_an_older_stack_that_spells_the_workspace_differently_is_swept_all_the_same(simulate: Simulate, desk: Desk) -> None:
    """It ignores `workspace_id` and knows `workspaceId`: every workspace is seen, and nobody twice."""
    other = "d" * 32
    fleet = [*idle_fleet(3, "first"), *[row | {"workspace_id": other} for row in idle_fleet(3, "second")]]
    cloud = simulate(fleet, dialect={"workspace_parameter": "workspaceId"})
    desk.write(cloud, target={"workspaces": ["0", other]})
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert cloud.gone() == ended.ids("deleted") == {row["id"] for row in fleet}
