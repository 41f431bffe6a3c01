import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Json, idle, idle_fleet

OFF: Json = {"max_deletions": None, "max_share": None, "max_per_owner": None}


def fleet() -> list[Json]:
    """Describe eight that match, two of them of a second owner, and two that are in use; the first are idle for the longest."""
    matching = idle_fleet(8)
    for notebook in matching[1], matching[6]:
        notebook["owner"] = "li.zhang"
    # Created long ago, but touched yesterday: what counts is how long it was idle.
    return [*matching, idle("used-0", days=390, update_at=None), idle("used-1", days=0.5)]


def cloud_of_ten(simulate: Simulate) -> Cloud:
    """Make the cloud, with one notebook that is old but used."""
    cloud = simulate(fleet())
    cloud.change("used-0", action="use")
    return cloud


BRAKES: dict[str, tuple[Json, set[str]]] = {
    "max_deletions": ({"max_deletions": 5}, {"nb-000", "nb-001", "nb-002", "nb-003", "nb-004"}),
    # 35 % of ten is three and a half.
    "max_share": ({"max_share": "35%"}, {"nb-000", "nb-001", "nb-002"}),
    "max_per_owner": ({"max_per_owner": 1}, {"nb-000", "nb-001"}),
}


@pytest.mark.parametrize("brake", ["max_deletions", "max_per_owner"])
def test_a_brake_refuses_the_whole_plan(brake: str, simulate: Simulate, desk: Desk) -> None:
    """Exit 4, the reason on both streams, and nothing deleted, not even what would have been within the limit."""
    limits, _ = BRAKES[brake]
    cloud = cloud_of_ten(simulate)
    desk.write(cloud, brakes=OFF | limits)
    refused = desk.sweep()
    assert refused.code == 4
    assert refused.document["refusal"]["brake"] == brake
    assert f"brakes.{brake}" in refused.document["refusal"]["message"]
    (line,) = refused.events("plan.refused")
    assert (line["brake"], line["level"]) == (brake, "error")
    assert cloud.writes() == []
    assert refused.document["results"] == []


@pytest.mark.parametrize("brake", BRAKES)
def test_a_brake_that_trims_lets_exactly_the_longest_idle_go(brake: str, simulate: Simulate, desk: Desk) -> None:
    """Not the oldest, where these were used since; and the others are counted as kept for the brake's sake."""
    limits, longest_idle = BRAKES[brake]
    cloud = cloud_of_ten(simulate)
    desk.write(cloud, brakes=OFF | limits | {"on_excess": "trim"})
    trimmed = desk.sweep()
    assert trimmed.code == 0
    assert trimmed.ids("deleted") == cloud.gone() == longest_idle
    assert trimmed.document["kept"] == {"no-policy": 2, "over-brake": 8 - len(longest_idle)}
    assert cloud.deletes() == dict.fromkeys(longest_idle, 1)


def test_without_a_word_a_hundred_and_a_quarter_are_the_most(simulate: Simulate, desk: Desk) -> None:
    """The brakes are on by default; plan and run refuse alike, and the table says why."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud, brakes={})
    plan, run = desk.run("plan"), desk.run("run", "--yes")
    assert (plan.code, run.code) == (4, 4)
    for ended in plan, run:
        assert "Refused (max_share)" in ended.out
        assert "3 of 3 notebooks would go, and brakes.max_share allows 0 (25%)" in " ".join(ended.out.split())
    assert cloud.writes() == []
