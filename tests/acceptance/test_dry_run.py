from acceptance.conftest import Simulate
from acceptance.support import LONG_S, Cloud, Desk, Ended, Json, target

# All that a made up fleet has, but nothing that changes its state within minutes.
STILL = {"STOPPED": 50, "RUNNING": 20, "CREATE_FAILED": 6, "ERROR": 6, "FROZEN": 4, "CREATING": 4, "SNAPSHOTTING": 4}
POLICIES: list[Json] = [
    {"name": "failed", "match": {"status": ["CREATE_FAILED", "ERROR"], "age_over": "1d"}},
    {"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}},
    {"name": "forgotten", "match": {"age_over": "200d", "not": {"flavor": "*ascend*"}}, "running": "stop"},
]
PROTECT: list[Json] = [{"name": ["keep-*", "prod-*"]}, {"tags": {"keep": "*"}}]


def set_out(simulate: Simulate, desk: Desk) -> Cloud:
    """Make a cloud with a made up fleet of 200, and a configuration that deletes a good part of it."""
    fleet = {"notebooks": 200, "workspaces": 3, "codelab_share": 0.2, "statuses": STILL}
    cloud = simulate(fleet=fleet, timing={"create_s": LONG_S, "snapshot_s": LONG_S})
    desk.write(cloud, policies=POLICIES, protect=PROTECT, target={"features": ["NOTEBOOK", "DEFAULT"]})
    return cloud


def planned(ended: Ended) -> dict[str, str]:
    """Tell which ids a plan or a dry run names, and by which policy each."""
    return {item["id"]: item["policy"] for item in ended.document["items"]}


def test_what_plan_and_dry_run_print_is_exactly_what_the_run_then_deletes(simulate: Simulate, desk: Desk) -> None:
    """The same ids by the same policies from `plan`, `run --dry-run` and `run --yes`; the first two make no request but GET."""
    cloud = set_out(simulate, desk)

    plan = desk.run("plan", "--format", "json")
    dry = desk.run("run", "--dry-run", "--format", "json")
    asked = cloud.requests()
    assert (plan.code, dry.code) == (0, 0)
    assert {request["method"] for request in asked} == {"GET"}
    assert cloud.gone() == set()

    swept = desk.sweep()
    assert swept.code == 0
    deleted = {result["id"]: result["policy"] for result in swept.document["results"] if result["outcome"] == "deleted"}
    assert len(deleted) >= 30
    assert len(set(deleted.values())) == 3
    assert planned(plan) == planned(dry) == deleted
    assert cloud.gone() == set(deleted)
    assert set(cloud.deletes()) == set(deleted)
    assert dry.document["results"] == []
    assert dry.document["kept"] == plan.document["kept"] == swept.document["kept"]
    assert [item["id"] for item in dry.document["items"]] == [item["id"] for item in plan.document["items"]]


def test_a_dry_run_is_on_the_record_and_leaves_nothing_to_recover(simulate: Simulate, desk: Desk) -> None:
    """The history says that it was one; the next run finds nothing unfinished."""
    cloud = simulate([{"id": "old", "create_at": 1_600_000_000_000}])
    desk.write(cloud)
    assert desk.run("run", "--dry-run").code == 0
    (status,) = desk.run("status", "--format", "json").document
    record = status["last_sweep"]
    assert (record["dry_run"], record["outcome"], record["planned"]) == (True, "dry-run", 1)
    assert status["unfinished"] == []
    assert cloud.writes() == []
    swept = desk.sweep()
    assert swept.document["recovered"] == []
    assert swept.ids("deleted") == {"old"}


def test_nothing_to_delete_is_no_trouble(simulate: Simulate, desk: Desk) -> None:
    """An empty fleet beside one in which nothing matches: exit 0 and no request but GET."""
    empty, used = simulate(), simulate([{"id": "used"}])
    desk.write(empty, targets=[target(empty.url, name="empty"), target(used.url, name="used")])
    ended = desk.sweep()
    assert (ended.code, ended.document["results"], ended.document["kept"]) == (0, [], {"no-policy": 1})
    assert [each["fleet"] for each in ended.document["targets"]] == [0, 1]
    assert empty.writes() + used.writes() == []
