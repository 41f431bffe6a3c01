from typing import Any

import pytest

from nbsweep.simulator import AccessKey, AccessOptions, DialectOptions, NotebookSpec, Permissions
from nbsweep.simulator.state.model import Person
from unit.simulator.support import START_MS, notebook, simulated

ROOM = "a" * 32
LOOSE = DialectOptions(strict_limit=False)


def aged(count: int) -> list[NotebookSpec]:
    """Describe notebooks `n00`, `n01`, ... each a second younger than the one before."""
    return [notebook(f"n{number:02d}", create_at=START_MS + number * 1000) for number in range(count)]


async def test_the_defaults_are_the_youngest_ten_billed_ones_of_the_default_workspace() -> None:
    """Without parameters: feature NOTEBOOK, workspace 0, limit 10, offset 0, youngest first."""
    others = (notebook("codelab", feature="DEFAULT"), notebook("elsewhere", workspace_id=ROOM))
    async with simulated(*aged(12), *others) as desk:
        reply = await desk.notebooks()
        assert reply.names == [f"n{number:02d}" for number in range(11, 1, -1)]
        assert {name: reply.json[name] for name in ("current", "pages", "size", "total")} == {
            "current": 0,
            "pages": 2,
            "size": 10,
            "total": 12,
        }


async def test_pages_follow_each_other() -> None:
    """Offset counts records; the second page has the rest, and `size` stays the page size."""
    async with simulated(*aged(12)) as desk:
        reply = await desk.notebooks(offset=10)
        assert reply.names == ["n01", "n00"]
        assert (reply.json["current"], reply.json["size"]) == (1, 10)
        assert (await desk.notebooks(offset=11, sort_dir="ASC")).names == ["n11"]
        assert (await desk.notebooks(offset=500)).names == []
        assert (await desk.notebooks(offset=500, sort_dir="ASC")).json["total"] == 12


async def test_an_empty_list_has_no_pages() -> None:
    """Nothing there: no rows, no pages."""
    async with simulated() as desk:
        assert (await desk.notebooks()).json == {"current": 0, "data": [], "pages": 0, "size": 10, "total": 0}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("feature", "OTHER"),
        ("limit", "0"),
        ("limit", "11"),
        ("limit", "100"),
        ("limit", "many"),
        ("offset", "-1"),
        ("offset", "x"),
        ("sort_dir", "UP"),
        ("status", "SLEEPING"),
        ("owner", "ana.lopez"),
        ("ip", "here"),
        ("pool_id", "A"),
        ("name", "x" * 129),
        ("pool_name", "x" * 65),
        ("flavor", "x" * 257),
        ("username", "x" * 257),
        ("swr_path", "x" * 2049),
        ("description", "a<b"),
        ("billing", "FREE"),
        ("tags", "env"),
        ("tags", "env|dev,"),
        ("tags", "|dev"),
        ("tags", "a|b|c"),
    ],
)
async def test_bad_values_are_refused(name: str, text: str) -> None:
    """A value that makes no sense: 400 ModelArts.0104, never a guess."""
    async with simulated() as desk:
        reply = await desk.notebooks(**{name: text})
        assert (reply.status, reply.code) == (400, "ModelArts.0104")
        assert name in reply.json["error_msg"]


async def test_other_page_sizes_are_allowed_where_the_dialect_allows_them() -> None:
    """Not strict: any size up to 1000."""
    async with simulated(*aged(3), dialect=LOOSE) as desk:
        assert (await desk.notebooks(limit=1)).json["pages"] == 3
        assert (await desk.notebooks(limit=100)).status == 200
        assert (await desk.notebooks(limit=0)).code == "ModelArts.0104"


async def test_an_unknown_workspace_is_refused() -> None:
    """A workspace that does not exist: 400 ModelArts.0102."""
    async with simulated() as desk:
        assert (await desk.notebooks(workspace_id="b" * 32)).code == "ModelArts.0102"


async def test_feature_and_workspace_select() -> None:
    """One workspace and one feature at a time."""
    fleet = (notebook("codelab", feature="DEFAULT"), notebook("elsewhere", workspace_id=ROOM), notebook("here"))
    async with simulated(*fleet) as desk:
        assert (await desk.notebooks(feature="DEFAULT")).names == ["codelab"]
        assert (await desk.notebooks(workspace_id=ROOM)).names == ["elsewhere"]
        assert (await desk.notebooks(feature="NOTEBOOK", workspace_id="0")).names == ["here"]


async def test_older_stacks_spell_the_workspace_otherwise() -> None:
    """Only the dialect's spelling counts; the other one is silently ignored."""
    async with simulated(
        notebook("elsewhere", workspace_id=ROOM), dialect=DialectOptions(workspace_parameter="workspaceId")
    ) as desk:
        assert (await desk.notebooks(workspaceId=ROOM)).names == ["elsewhere"]
        assert (await desk.notebooks(workspace_id=ROOM)).names == []


RICH = notebook(
    "resnet-eval-01",
    status="RUNNING",
    description="weekly run",
    owner="li.chen",
    flavor="modelarts.vm.gpu.v100",
    tags={"env": "dev", "team": "vision"},
    ip="192.168.1.7",
    pool={"id": "pool-77", "name": "research-1"},
    image={"id": "image-1", "swr_path": "swr.example.com/atelier/torch:1"},
)


@pytest.mark.parametrize(
    ("parameters", "finds"),
    [
        ({"name": "eval"}, True),
        ({"name": "train"}, False),
        ({"status": "RUNNING"}, True),
        ({"status": "STOPPED"}, False),
        ({"pool_id": "pool-77"}, True),
        ({"pool_id": "pool-7"}, False),
        ({"pool_name": "search"}, True),
        ({"pool_name": "other"}, False),
        ({"owner": Person("li.chen").id}, True),
        ({"owner": Person("ana.lopez").id}, False),
        ({"flavor": "v100"}, True),
        ({"flavor": "ascend"}, False),
        ({"image_id": "image-1"}, True),
        ({"image_id": "image"}, False),
        ({"id": "resnet-eval-01"}, True),
        ({"id": "resnet-eval"}, False),
        ({"billing": "COMPUTE"}, True),
        ({"billing": "ALL"}, True),
        ({"billing": "STORAGE"}, True),
        ({"swr_path": "atelier/torch"}, True),
        ({"swr_path": "mindspore"}, False),
        ({"description": "week"}, True),
        ({"description": "month"}, False),
        ({"ip": "192.168.1.7"}, True),
        ({"ip": "192.168.1.8"}, False),
        ({"username": "chen"}, True),
        ({"username": "lopez"}, False),
        ({"tags": "env|dev"}, True),
        ({"tags": "env|dev,team|vision"}, True),
        ({"tags": "env|dev,team|nlp"}, False),
        ({"name": "eval", "status": "STOPPED"}, False),
        ({"unheard_of": "x"}, True),
    ],
)
async def test_each_filter_selects(parameters: dict[str, Any], *, finds: bool) -> None:
    """Fuzzy filters find parts, exact ones the whole, and several must all hold."""
    async with simulated(RICH) as desk:
        reply = await desk.notebooks(**parameters)
        assert reply.status == 200
        assert reply.names == (["resnet-eval-01"] if finds else [])
        assert reply.json["total"] == len(reply.names)


async def test_a_stopped_notebook_is_billed_for_storage_only() -> None:
    """Computing is billed while it runs."""
    async with simulated(notebook("stopped"), notebook("running", status="RUNNING")) as desk:
        assert (await desk.notebooks(billing="COMPUTE")).names == ["running"]
        assert (await desk.notebooks(billing="STORAGE", sort_key="name")).names == ["stopped", "running"]


async def test_the_owner_filter_is_for_administrators() -> None:
    """Who may not list everything cannot ask for somebody else's: the parameter has no effect."""
    key = AccessKey(user="ana.lopez", permissions=Permissions(list_all=False))
    async with simulated(notebook(), access=AccessOptions(access_keys=(key,))) as desk:
        assert (await desk.notebooks("", owner=Person("li.chen").id)).names == ["nb"]


async def test_own_notebooks_are_the_callers() -> None:
    """`/notebooks` shows what the caller owns, `/notebooks/all` everything."""
    access = AccessOptions(access_keys=(AccessKey(user="ana.lopez"),))
    async with simulated(notebook("mine", owner="ana.lopez"), notebook("yours", owner="li.chen"), access=access) as desk:
        assert (await desk.notebooks("")).names == ["mine"]
        assert (await desk.notebooks("", sort_key="name", sort_dir="ASC")).names == ["mine"]
        assert (await desk.notebooks(sort_key="name")).names == ["yours", "mine"]


SORTABLE = (
    notebook("b", create_at=START_MS - 3000, update_at=START_MS - 1000, status="STOPPED"),
    notebook("c", create_at=START_MS - 2000, update_at=START_MS - 3000, status="ERROR"),
    notebook("a", create_at=START_MS - 1000, update_at=START_MS - 2000, status="STOPPED"),
)


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"sort_key": "create_at", "sort_dir": "ASC"}, ["b", "c", "a"]),
        ({"sort_key": "create_at"}, ["a", "c", "b"]),
        ({"sort_key": "update_at", "sort_dir": "ASC"}, ["c", "a", "b"]),
        ({"sort_key": "name", "sort_dir": "ASC"}, ["a", "b", "c"]),
        ({"sort_key": "name", "sort_dir": "DESC"}, ["c", "b", "a"]),
        ({"sort_key": "status,create_at", "sort_dir": "ASC"}, ["c", "b", "a"]),
        ({"sort_key": "create_at", "sort_dir": "ASC", "status": "STOPPED"}, ["b", "a"]),
    ],
)
async def test_lists_are_sorted_as_asked(parameters: dict[str, str], names: list[str]) -> None:
    """By one key or several, either way round."""
    async with simulated(*SORTABLE) as desk:
        assert (await desk.notebooks(**parameters)).names == names


@pytest.mark.parametrize("sort_key", ["create_at", "update_at", "status"])
async def test_equal_rows_are_ordered_by_id(sort_key: str) -> None:
    """Paging never depends on chance: the id decides between equals."""
    fleet = [notebook(name, create_at=START_MS, update_at=START_MS) for name in ("b", "d", "a", "c")]
    async with simulated(*fleet) as desk:
        assert (await desk.notebooks(sort_key=sort_key, sort_dir="ASC")).names == ["a", "b", "c", "d"]
        assert (await desk.notebooks(sort_key=sort_key)).names == ["d", "c", "b", "a"]


async def test_other_sort_keys_are_refused() -> None:
    """A field that is not sortable: 400 ModelArts.6303; which ones are is the dialect's business."""
    async with simulated(dialect=DialectOptions(sort_keys=("name",))) as desk:
        assert (await desk.notebooks(sort_key="name,flavor")).code == "ModelArts.6303"
        assert (await desk.notebooks(sort_key="name")).status == 200
        assert (await desk.notebooks()).status == 200


async def test_names_with_special_characters_are_found() -> None:
    """Spaces, separators and other alphabets survive query and signature."""
    async with simulated(notebook("a b+c|d,é", tags={"env": "dev test"})) as desk:
        assert len((await desk.notebooks(name="b+c|d,é", tags="env|dev test")).names) == 1
