"""Servers that ignore what a listing was asked for, and listings that leave out what rules ask for."""

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, days_ago, idle, idle_fleet
from nbsweep.simulator.model import identity

SCRATCH = identity("workspace", 1)
IGNORED = {"workspace_parameter": "none"}


def test_rows_of_the_default_workspace_are_never_taken_for_those_of_a_named_one(simulate: Simulate, desk: Desk) -> None:
    """W4: the server ignores the parameter, and its rows do not say where they belong: nothing goes, whoever shows it."""
    fleet = {"workspaces": 2}
    cloud = simulate(idle_fleet(3), fleet=fleet, dialect=IGNORED | {"omits": ["workspace_id"]})
    desk.write(cloud, target={"workspaces": [SCRATCH]})
    ended = desk.sweep()
    assert (ended.code, ended.document["kept"], cloud.writes()) == (0, {"unknown-fact": 3}, [])
    assert cloud.gone() == set()


def test_a_workspace_that_only_an_answer_by_id_shows_decides(simulate: Simulate, desk: Desk) -> None:
    """W4: the rows of the listing leave it out; each that may go is asked for, and belongs elsewhere."""
    cloud = simulate(idle_fleet(3), fleet={"workspaces": 2}, dialect=IGNORED | {"list_omits": ["workspace_id"]})
    desk.write(cloud, target={"workspaces": [SCRATCH]})
    ended = desk.sweep()
    assert (ended.code, ended.document["kept"], cloud.writes()) == (0, {"elsewhere": 3}, [])


def test_a_listing_without_workspaces_is_swept_whole_where_the_server_heeds_the_parameter(
    simulate: Simulate, desk: Desk
) -> None:
    """A5: each is asked for by id, and shows the workspace that was asked for."""
    rows = [row | {"workspace_id": SCRATCH} for row in idle_fleet(60)]
    cloud = simulate([*rows, *idle_fleet(3, "other")], fleet={"workspaces": 2}, dialect={"list_omits": ["workspace_id"]})
    desk.write(cloud, target={"workspaces": [SCRATCH]})
    ended = desk.sweep()
    assert (ended.code, cloud.gone()) == (0, {row["id"] for row in rows})
    (asked,) = ended.events("survey.asked")
    assert (asked["asked"], asked["left_out"]) == (60, ["workspace_id"])


@pytest.mark.parametrize("dialect", [{}, {"list_omits": ["feature"]}, {"omits": ["feature"]}])
def test_a_free_notebook_never_goes_under_a_target_of_paid_ones(simulate: Simulate, desk: Desk, dialect: Json) -> None:
    """W4: the server shows all features, whatever was asked for; the row says so, or the answer by id, or nothing does."""
    cloud = simulate([idle("paid"), idle("free", feature="DEFAULT")], dialect={"feature_parameter": False} | dialect)
    desk.write(cloud)
    assert desk.sweep().code == 0
    assert cloud.gone() == (set() if "omits" in dialect else {"paid"})


LEFT_OUT: dict[str, list[str]] = {
    "tags": ["tags"],
    "dates": ["create_at", "update_at"],
    "dates-and-lease": ["create_at", "update_at", "lease"],
    "user": ["user", "user_id"],
    "billing": ["billing_items"],
    "lease": ["lease"],
    "all": ["tags", "create_at", "update_at", "user", "user_id", "billing_items", "lease", "image", "volume", "flavor"],
}
RULES = {
    "policies": [{"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d", "billing": ["STORAGE"]}}],
    "protect": [{"tags": {"keep": "*"}}, {"owner": ["boss"]}],
}


@pytest.mark.parametrize("fields", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_a_listing_leaves_out_is_asked_for(simulate: Simulate, desk: Desk, fields: list[str]) -> None:
    """A5, W5: a fleet of two hundred is swept whole; who is protected, or was used yesterday, is kept."""
    rows = idle_fleet(200)
    lease = {"create_at": days_ago(300), "update_at": days_ago(300), "duration": 3_600_000, "enable": True}
    kept = [
        idle("tagged", tags={"keep": "yes"}),
        idle("bosss", owner="boss"),
        idle("used", update_at=days_ago(1), lease=lease),
        idle("expired-yesterday", lease=lease | {"duration": 299 * 86_400_000}),
    ]
    billed = [row | {"raw": {"billing_items": ["STORAGE"]}} for row in (*rows, *kept)]
    cloud = simulate(billed, dialect={"list_omits": fields})
    desk.write(cloud, **RULES)
    ended = desk.sweep()
    assert (ended.code, cloud.gone()) == (0, {row["id"] for row in rows})
    (asked,) = ended.events("survey.asked")
    assert set(asked["left_out"]) & {*fields, "user"}
    assert "unknown-fact" not in ended.document["kept"]


def test_a_listing_that_leaves_out_what_no_rule_asks_for_costs_no_call(simulate: Simulate, desk: Desk) -> None:
    """A5: nobody's verdict hangs on tags, user or billing here."""
    cloud = simulate(idle_fleet(60), dialect={"list_omits": ["tags", "user", "user_id", "billing_items"]})
    desk.write(cloud)
    ended = desk.sweep()
    assert (ended.code, len(cloud.gone())) == (0, 60)
    assert ended.events("survey.asked") == []
    kinds = [request["kind"] for request in cloud.requests()]
    assert "show" not in kinds[: kinds.index("delete")]
