from typing import Any

import pytest

from nbsweep.simulator import DialectOptions, LeaseSpec
from unit.simulator.support import HOUR_MS, PROJECT, START_MS, notebook, simulated

SPEC = notebook(
    tags={"env": "dev"},
    description="weekly",
    fail_reason="sold out",
    create_at=START_MS - 5000,
    update_at=START_MS - 1000,
    lease=LeaseSpec(duration=HOUR_MS, enable=True),
    volume={"category": "EFS", "capacity": 50},
    pool={"id": "pool-1", "name": "research"},
)


async def rows(**dialect: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the notebook's row in a list, and on its own."""
    async with simulated(SPEC, dialect=DialectOptions(**dialect)) as desk:
        return (await desk.notebooks()).json["data"][0], (await desk.show("nb")).json


async def test_a_row_has_the_documented_fields() -> None:
    """Section 1.3 of the ModelArts API; a single notebook has the server's time besides."""
    row, single = await rows()
    assert row["id"] == "nb"
    assert row["status"] == "STOPPED"
    assert row["feature"] == "NOTEBOOK"
    assert row["workspace_id"] == "0"
    assert row["tags"] == [{"key": "env", "value": "dev"}]
    assert row["user"]["name"] == "ana.lopez"
    assert row["user"]["id"] == row["user_id"]
    assert row["user"]["domain"]["name"] == "acct"
    assert row["fail_reason"] == "sold out"
    assert row["volume"]["category"] == "EFS"
    assert row["volume"]["mount_path"] == "/home/ma-user/work/"
    assert row["pool"] == {"id": "pool-1", "name": "research"}
    assert (row["create_at"], row["update_at"]) == (START_MS - 5000, START_MS - 1000)
    assert row["lease"] == {
        "create_at": START_MS - 5000,
        "update_at": START_MS - 1000,
        "duration": HOUR_MS,
        "enable": True,
        "type": "TIMING",
    }
    assert single == row | {"current_time": START_MS}


async def test_lists_can_lack_the_dates() -> None:
    """The documentation's own lists do; a single notebook has them."""
    row, single = await rows(list_timestamps=False)
    assert not {"create_at", "update_at"} & row.keys()
    assert single["create_at"] == START_MS - 5000


async def test_older_rows_lack_fields() -> None:
    """No lease type, no user."""
    for row in await rows(lease_type=False, row_user=False):
        assert "type" not in row["lease"]
        assert not {"user", "user_id"} & row.keys()


async def test_rows_can_have_more_than_is_known() -> None:
    """Extra fields are laid over every row."""
    for row in await rows(extra_fields={"quantum": {"spin": 1}}):
        assert row["quantum"] == {"spin": 1}


async def test_rows_can_be_malformed() -> None:
    """Raw fields replace, dropped ones vanish: unknown statuses, missing ids, dates of every wrong sort."""
    raw = {"status": "RESIZING", "create_at": "yesterday", "update_at": -5, "lease": {"duration": 10**30}}
    async with simulated(notebook(raw=raw, drop=("id", "user"))) as desk:
        for row in ((await desk.notebooks()).json["data"][0], (await desk.show("nb")).json):
            assert {name: row[name] for name in raw} == raw
            assert not {"id", "user"} & row.keys()


async def test_a_row_without_a_lease() -> None:
    """Null in the description leaves the lease out."""
    async with simulated(notebook(lease=None)) as desk:
        assert "lease" not in (await desk.show("nb")).json


async def test_listed_rows_keep_up_with_changes() -> None:
    """Rows of lists are kept encoded; each change makes them anew."""
    async with simulated(notebook(status="RUNNING", lease=LeaseSpec(duration=HOUR_MS, enable=True))) as desk:

        async def listed() -> Any:
            return (await desk.notebooks()).json["data"][0]

        base = f"/v1/{PROJECT}/notebooks/nb"
        assert (await listed())["status"] == "RUNNING"
        desk.time.now_s += 60
        await desk.call("PATCH", f"{base}/lease", body={"duration": HOUR_MS})
        assert (await listed())["lease"]["duration"] == HOUR_MS + 60_000
        await desk.call("POST", f"{base}/tags/create", body={"tags": [{"key": "a", "value": "b"}]})
        assert (await listed())["tags"] == [{"key": "a", "value": "b"}]
        await desk.call("DELETE", f"{base}/tags/delete", body={"tags": [{"key": "a"}]})
        assert (await listed())["tags"] == []
        await desk.post("nb", "stop")
        row = await listed()
        assert (row["status"], row["lease"]["update_at"], row["billing_items"]) == (
            "STOPPING",
            START_MS + 60_000,
            ["STORAGE"],
        )


@pytest.mark.parametrize("verb", ["stop", "start"])
async def test_stop_and_start_answer_the_whole_notebook(verb: str) -> None:
    """As GET does."""
    async with simulated(notebook(status="RUNNING" if verb == "stop" else "STOPPED")) as desk:
        reply = await desk.post("nb", verb)
        assert reply.json == (await desk.show("nb")).json


@pytest.mark.parametrize(
    ("option", "accepted", "encoding"), [(True, "gzip", "gzip"), (True, "identity", None), (False, "gzip", None)]
)
async def test_bodies_are_compressed_where_the_dialect_and_the_caller_say_so(
    accepted: str, encoding: str | None, *, option: bool
) -> None:
    """Off unless asked for, because it costs the simulator time; what is in them is the same."""
    async with simulated(notebook(), dialect=DialectOptions(compress=option)) as desk:
        path = f"/v1/{PROJECT}/notebooks/all"
        reply = await desk.call("GET", path, headers={"Accept-Encoding": accepted})
        assert reply.headers.get("Content-Encoding") == encoding
        assert reply.names == ["nb"]
