from typing import Any

import pytest

from nbsweep.simulator import DialectOptions, FleetOptions
from unit.simulator.support import PROJECT, Reply, notebook, simulated

ROOM = "a" * 32
TAGS = f"/v1/{PROJECT}/notebooks/nb/tags"


async def test_tags_of_all_workspaces_are_collected() -> None:
    """Each key with its values; one workspace alone when it is named."""
    fleet = (
        notebook("a", tags={"env": "dev"}),
        notebook("b", tags={"env": "test", "team": "nlp"}),
        notebook("c", tags={"env": "prod"}, workspace_id=ROOM),
    )
    async with simulated(*fleet) as desk:
        assert (await desk.notebooks("/tags")).json["tags"] == [
            {"key": "env", "values": ["dev", "prod", "test"]},
            {"key": "team", "values": ["nlp"]},
        ]
        assert (await desk.notebooks("/tags", workspace_id=ROOM)).json["tags"] == [{"key": "env", "values": ["prod"]}]


async def test_tags_are_added_and_removed() -> None:
    """204 both times; a removal by key and another value, or of an unknown key, does nothing."""
    async with simulated(notebook(tags={"env": "dev"})) as desk:
        added = await desk.call("POST", f"{TAGS}/create", body={"tags": [{"key": "team", "value": "nlp"}]})
        assert (added.status, added.text) == (204, "")
        unfit = {"tags": [{"key": "env", "value": "test"}, {"key": "lost"}]}
        assert (await desk.call("DELETE", f"{TAGS}/delete", body=unfit)).status == 204
        assert (await desk.truth("nb"))["tags"] == {"env": "dev", "team": "nlp"}
        fit = {"tags": [{"key": "env"}, {"key": "team", "value": "nlp"}]}
        assert (await desk.call("DELETE", f"{TAGS}/delete", body=fit)).status == 204
        assert (await desk.truth("nb"))["tags"] == {}


@pytest.mark.parametrize(
    "body",
    [
        {"tags": [{"key": "", "value": "x"}]},
        {"tags": [{"key": "x" * 129, "value": "x"}]},
        {"tags": [{"key": " x", "value": "x"}]},
        {"tags": [{"key": "_sys_x", "value": "x"}]},
        {"tags": [{"key": "x", "value": "x" * 256}]},
        {"tags": "x"},
    ],
)
async def test_bad_tags_are_refused(body: Any) -> None:
    """Length, spaces and the reserved prefix: 400 ModelArts.0104."""
    async with simulated(notebook()) as desk:
        assert (await desk.call("POST", f"{TAGS}/create", body=body)).code == "ModelArts.0104"


async def test_tags_of_a_notebook_that_is_gone_are_refused() -> None:
    """There is nothing to tag."""
    async with simulated() as desk:
        body = {"tags": [{"key": "a", "value": "b"}]}
        assert (await desk.call("POST", f"{TAGS}/create", body=body)).code == "ModelArts.6309"


async def workspaces(parameters: dict[str, Any] | None = None, **dialect: Any) -> Reply:
    """List the workspaces of a cloud with three."""
    fleet = FleetOptions(notebooks=0, workspaces=3)
    async with simulated(fleet=fleet, dialect=DialectOptions(**dialect)) as desk:
        return await desk.call("GET", f"/v1/{PROJECT}/workspaces", parameters)


async def test_workspaces_are_listed() -> None:
    """All of them by name, last first, with the default one among them."""
    answer = (await workspaces()).json
    names = [space["name"] for space in answer["workspaces"]]
    assert (answer["total_count"], answer["count"]) == (3, 3)
    assert names == sorted(names, reverse=True)
    assert [space["id"] for space in answer["workspaces"] if space["name"] == "default"] == ["0"]
    assert {space["status"] for space in answer["workspaces"]} == {"NORMAL"}


async def test_workspaces_are_paged_and_sorted() -> None:
    """Limit, offset and order."""
    answer = (await workspaces({"limit": 2, "offset": 2, "order": "asc"})).json
    assert (answer["total_count"], answer["count"]) == (3, 1)
    everything = (await workspaces({"order": "asc"})).json["workspaces"]
    assert answer["workspaces"] == everything[2:]


async def test_workspaces_are_filtered() -> None:
    """By part of the name, and by enterprise project."""
    assert (await workspaces({"name": "defa"})).json["total_count"] == 1
    assert (await workspaces({"enterprise_project_id": "0"})).json["total_count"] == 3
    assert (await workspaces({"enterprise_project_id": "other"})).json["total_count"] == 0


@pytest.mark.parametrize("parameters", [{"limit": 0}, {"limit": 1001}, {"order": "up"}, {"sort_by": "id"}])
async def test_bad_parameters_are_refused(parameters: dict[str, Any]) -> None:
    """400 ModelArts.0104."""
    assert (await workspaces(parameters)).code == "ModelArts.0104"


async def test_the_default_id_can_be_a_number() -> None:
    """As in the documentation's example."""
    ids = [space["id"] for space in (await workspaces(integer_workspace_ids=True)).json["workspaces"]]
    assert 0 in ids
    assert sum(isinstance(id_, str) for id_ in ids) == 2
