"""Each way of listing that the documents leave open sweeps a fleet of hundreds, whole (ModelArts API, section 12)."""

import json

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Ended, Json, idle, idle_fleet

COUNT = 230


def found(ended: Ended) -> set[tuple[str, str]]:
    """Tell what the log says that was found out about the cloud."""
    return {(line["aspect"], line["value"]) for line in ended.events("dialect.found")}


PAGES: dict[str, tuple[Json, set[tuple[str, str]]]] = {
    "rows": ({}, {("offsets", "rows")}),
    "rounded": ({"offset_as": "rounded"}, {("offsets", "whole-pages")}),
    "page-numbers": ({"offset_as": "page-number"}, {("offsets", "page-numbers")}),
    "page-numbers-from-1": ({"offset_as": "page-number-from-1"}, {("offsets", "page-numbers")}),
    "multiples-only": ({"offset_as": "multiples-only"}, {("offsets", "whole-pages")}),
    "rows-of-20": ({"largest_page": 20}, {("offsets", "rows"), ("page-size", "20")}),
    "rounded-20": ({"offset_as": "rounded", "largest_page": 20}, {("offsets", "whole-pages"), ("page-size", "20")}),
    "page-numbers-10": ({"offset_as": "page-number", "largest_page": 10}, {("offsets", "page-numbers"), ("page-size", "10")}),
    "page-numbers-7": ({"offset_as": "page-number", "largest_page": 7}, {("offsets", "page-numbers"), ("page-size", "7")}),
}


@pytest.mark.parametrize("dialect", PAGES)
def test_a_fleet_is_swept_whole_whatever_an_offset_means_and_however_small_pages_are(
    simulate: Simulate, desk: Desk, dialect: str
) -> None:
    """What is idle goes, what is protected or was used yesterday stays, and the log says what was found out."""
    options, told = PAGES[dialect]
    kept = [*(idle(f"keep-{number}") for number in range(12)), *(idle(f"used-{number}", 1) for number in range(12))]
    cloud = simulate([*idle_fleet(COUNT), *kept], dialect=options, timing={"deletion_median_s": 0.3})
    desk.write(cloud, protect=[{"name": "keep-*"}])
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert cloud.gone() == ended.ids("deleted") == {f"nb-{number:03d}" for number in range(COUNT)}
    assert cloud.deletes().most_common(1)[0][1] == 1
    assert found(ended) == told
    assert ended.events("survey.torn") == []


# ---- a workspace that refuses ---------------------------------------------------------------------------------------------

OPEN, CLOSED = "a" * 32, "b" * 32


def in_workspaces() -> list[Json]:
    """Give 120 notebooks in workspaces that may be listed, and 60 in one that refuses."""
    places = {"0": "nb", OPEN: "open", CLOSED: "closed"}
    return [row | {"workspace_id": place} for place, prefix in places.items() for row in idle_fleet(60, prefix)]


@pytest.mark.parametrize(("answer", "code"), [("403/0112", "ModelArts.0112"), ("400/7002", "ModelArts.7002")])
def test_a_workspace_that_refuses_is_a_named_gap_and_the_others_are_swept(
    simulate: Simulate, desk: Desk, answer: str, code: str
) -> None:
    """Exit 3; the log, the result and the record of the run say which workspace, and brakes count what was seen."""
    cloud = simulate(in_workspaces(), dialect={"closed_workspaces": [CLOSED], "closed_answer": answer})
    desk.write(cloud, brakes={"max_deletions": None, "max_share": "100%"})
    ended = desk.sweep()
    assert ended.code == 3, ended.err
    assert cloud.gone() == ended.ids("deleted") == {row["id"] for row in in_workspaces() if row["workspace_id"] != CLOSED}
    (told,) = ended.events("survey.workspace_refused")
    assert (told["workspace"], told["feature"], code in told["problem"]) == (CLOSED, "NOTEBOOK", True)
    (result,) = ended.document["targets"]
    assert (result["outcome"], result["fleet"]) == ("finished", 120)
    assert [gap["workspace"] for gap in result["workspaces_refused"]] == [CLOSED]
    (run,) = json.loads(desk.run("history", "--format", "json").out)
    assert CLOSED in run["problem"]
    assert f"workspace {CLOSED}" in desk.run("plan").out


def test_workspaces_without_rights_are_not_even_asked_for(simulate: Simulate, desk: Desk) -> None:
    """The cloud leaves them out when it is told to: exit 0, and not one call that is refused."""
    cloud = simulate(in_workspaces(), dialect={"closed_workspaces": [CLOSED], "filters_accessible": True})
    desk.write(cloud)
    ended = desk.sweep()
    assert (ended.code, len(cloud.gone())) == (0, 120)
    assert {request["status"] for request in cloud.requests() if request["kind"] in ("list_all", "workspaces")} == {200}


def test_where_every_workspace_refuses_nothing_is_allowed(simulate: Simulate, desk: Desk) -> None:
    """Exit 5, as with any other permission that is missing; nothing is deleted."""
    cloud = simulate(in_workspaces(), dialect={"closed_workspaces": ["0", OPEN, CLOSED]})
    desk.write(cloud)
    ended = desk.sweep()
    assert (ended.code, cloud.gone()) == (5, set())


# ---- the listing itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["400/6309", "400/6404", "400/6400", "404", "404/0101", "405"])
def test_without_a_listing_of_everybodys_ones_own_are_swept(simulate: Simulate, desk: Desk, answer: str) -> None:
    """With a warning; `check` never calls it allowed, and says what is missing. Ends are proven by id."""
    mine = [row | {"owner": "sweeper"} for row in idle_fleet(COUNT)]
    cloud = simulate([*mine, *idle_fleet(20, "others")], dialect={"no_list_all": answer})
    desk.write(cloud)
    checked = desk.run("check", "--format", "json")
    (line,) = [line for line in checked.document["checks"] if line["name"] == "list-all"]
    assert (checked.code, line["status"]) == (0, "warning")
    assert "no listing of everybody's notebooks" in line["finding"]
    assert "scope: own" in line["advice"]
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert cloud.gone() == ended.ids("deleted") == {row["id"] for row in mine}
    (narrowed,) = ended.events("scope.narrowed")
    assert "no listing of everybody's notebooks" in narrowed["message"]
    assert ("listing", "own") in found(ended)


@pytest.mark.parametrize(
    ("keys", "refusal", "sort"),
    [
        (["createTime"], "400/6303", "createTime"),
        (["createTime"], "400/0104", "createTime"),
        ([], "400/6400", "unsorted"),
        ([], "400/0101", "unsorted"),
        (["createTime"], "500", "createTime"),
    ],
)
def test_a_sort_key_that_is_refused_is_replaced(
    simulate: Simulate, desk: Desk, keys: list[str], refusal: str, sort: str
) -> None:
    """By the one that others send, then by none; a fleet of hundreds goes all the same."""
    cloud = simulate(idle_fleet(COUNT), dialect={"sort_keys": keys, "sort_refusal": refusal})
    desk.write(cloud)
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert len(cloud.gone()) == COUNT
    assert ("sort", sort) in found(ended)
    assert ended.events("scope.narrowed") == []
