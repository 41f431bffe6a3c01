import json

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Ended, Json, idle, idle_fleet

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


def test_all_brakes_that_refuse_are_told_at_once(simulate: Simulate, desk: Desk) -> None:
    """In the table, the JSON, the log, the history and a saved plan; so that one correction is enough."""
    cloud = cloud_of_ten(simulate)
    desk.write(cloud, brakes=OFF | {"max_deletions": 5, "max_share": "35%", "max_per_owner": 1})
    brakes = ["max_deletions", "max_share", "max_per_owner"]
    plan, run, swept = desk.run("plan", "--out", "plan.json"), desk.run("run", "--yes"), desk.sweep()
    assert (plan.code, run.code, swept.code, cloud.writes()) == (4, 4, 4, [])
    for table in plan.out, run.out:
        assert [line.split("(")[1].split(")")[0] for line in table.splitlines() if line.startswith("Refused")] == brakes
    assert [refusal["brake"] for refusal in swept.document["refusals"]] == brakes
    assert swept.document["refusal"] == swept.document["refusals"][0]
    assert [event["brake"] for event in swept.events("plan.refused")] == brakes
    saved = json.loads((desk.folder / "plan.json").read_text(encoding="utf-8"))["targets"][0]["refusal"]
    problem = desk.run("history", "--format", "json").document[0]["problem"]
    for told in saved, problem:
        assert [brake for brake in brakes if f"brakes.{brake} allows" in told] == brakes


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
        assert "3 of 3 notebooks would go, and brakes.max_share allows 1 (25%)" in " ".join(ended.out.split())
    assert cloud.writes() == []


def test_of_a_fleet_of_three_one_at_a_time_goes_and_a_plan_trimmed_to_nothing_says_so(simulate: Simulate, desk: Desk) -> None:
    """A quarter of three, and of what is left, is one; with a share of nothing the table, the JSON and the log say why."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud, brakes={"on_excess": "trim"})
    for number in range(3):
        swept = desk.sweep()
        assert (swept.code, swept.ids("deleted")) == (0, {f"nb-{number:03d}"})
    cloud = simulate(idle_fleet(2))
    desk.write(cloud, brakes={"on_excess": "trim", "max_share": "0%", "max_fleet_drop": None})
    why = "all 2 left out: 2 by brakes.max_share, which allows 0 (0% of 2)"
    plan, run, swept = desk.run("plan"), desk.run("run", "--yes"), desk.sweep()
    assert (plan.code, run.code, swept.code, cloud.writes()) == (0, 0, 0, [])
    for table in plan, run:
        assert why in " ".join(table.out.split())
    assert swept.document["targets"][0]["trimmed"] == why
    assert [event["message"] for event in swept.events("plan.trimmed")] == [why]


# ---- over several runs ----------------------------------------------------------------------------------------------------


def refused_by(ended: Ended) -> str | None:
    """Name the brake that refused a run or stopped it, after a look at what goes with that."""
    refusal = ended.document["refusal"]
    assert (ended.code == 4) == (refusal is not None)
    return refusal["brake"] if refusal else None


def test_a_day_holds_over_two_runs(simulate: Simulate, desk: Desk) -> None:
    """Five a day: two go, then three of the six that are left, then none; by refusal the same, whatever became of the five."""
    cloud = simulate(idle_fleet(8), faults={"script": [{"fault": "delete_failed", "notebook_id": "nb-000"}]})
    trim: Json = OFF | {"max_per_day": 5, "on_excess": "trim"}
    desk.write(cloud, brakes=trim | {"max_deletions": 2}, removal={"grace": "300ms", "retries": 0, "cool_down": None})
    assert desk.sweep().outcomes() == {"nb-000": "failed", "nb-001": "deleted"}
    desk.write(cloud, brakes=trim)
    second = desk.sweep()
    assert second.outcomes() == dict.fromkeys(["nb-002", "nb-003", "nb-004"], "deleted")
    third = desk.sweep()
    assert (third.code, third.outcomes(), third.document["kept"]) == (0, {}, {"over-brake": 3, "no-policy": 1})
    (line,) = third.events("plan.trimmed")
    assert (line["items"], line["level"]) == (0, "warning")
    assert "brakes.max_per_day, which allows 5, and 5 were requested" in line["message"]
    desk.write(cloud, brakes=trim | {"on_excess": "refuse"})
    assert refused_by(desk.sweep()) == "max_per_day"
    assert sum(cloud.deletes().values()) == 5


def test_a_halved_fleet_is_refused_until_somebody_says_that_it_is_real(simulate: Simulate, desk: Desk) -> None:
    """Seven of twenty-two are still seen: each run refuses, and says what to set if the others are really gone."""
    used = [idle(f"used-{number}", days=1) for number in range(20)]
    cloud = simulate([*idle_fleet(2), *used])
    brakes: Json = OFF | {"max_fleet_drop": "50%"}
    desk.write(cloud, brakes=brakes)
    assert desk.run("run", "--dry-run").code == 0
    for row in used[5:]:
        cloud.change(row["id"], gone=True)
    for _ in range(2):
        refused = desk.sweep()
        assert refused_by(refused) == "max_fleet_drop"
        assert "brakes.max_fleet_drop: null" in refused.document["refusal"]["message"]
    assert desk.run("plan").code == 4
    assert cloud.writes() == []
    desk.write(cloud, brakes=OFF | {"max_fleet_drop": None})
    assert desk.run("run", "--dry-run").code == 0
    desk.write(cloud, brakes=brakes)
    assert desk.sweep().ids("deleted") == {"nb-000", "nb-001"}


@pytest.mark.parametrize("ahead_s", [90, -90])
def test_a_clock_that_is_off_is_refused(ahead_s: int, simulate: Simulate, desk: Desk) -> None:
    """By the Date of the cloud's answers; half a minute is nothing."""
    cloud = simulate(idle_fleet(2))
    desk.write(cloud)
    cloud.run_ahead(ahead_s)
    refused = desk.sweep()
    assert refused_by(refused) == "clock-skew"
    assert "NTP" in refused.document["refusal"]["message"]
    assert cloud.writes() == []
    cloud.run_ahead(-ahead_s / 3 * 2)
    assert desk.sweep().ids("deleted") == {"nb-000", "nb-001"}


def test_a_clock_that_jumps_in_mid_sweep_stops_it(simulate: Simulate, desk: Desk) -> None:
    """What was begun has its end, the rest is spared and says why."""
    cloud = simulate(idle_fleet(60))
    desk.write(cloud, target={"limits": {"delete": "5/s"}})
    with desk.started("run", "--yes", "--format", "json") as sweep:
        sweep.wait_for("removal.accepted")
        cloud.run_ahead(600)
        ended = sweep.ended()
    assert refused_by(ended) == "clock-skew"
    (line,) = ended.events("sweep.braked")
    assert (line["brake"], line["level"]) == ("clock-skew", "error")
    assert cloud.gone() == ended.ids("deleted") == set(cloud.deletes())
    assert {ended.reason(key) for key in ended.ids("spared")} == {"not begun, because a brake stopped the sweep: clock-skew"}
    assert len(ended.ids("spared")) > 30


def test_a_sweep_whose_deletions_fail_stops_itself(simulate: Simulate, desk: Desk) -> None:
    """All fail for one cause: that is told in one line, with an example; the rest was never touched."""
    cloud = simulate(idle_fleet(100), faults={"rates": {"delete": {"delete_failed": 1}}, "fail_reason": "disk busy"})
    desk.write(cloud, target={"limits": {"delete": "20/s"}})
    ended = desk.sweep()
    assert refused_by(ended) == "max_failures"
    failed, spared = ended.ids("failed"), ended.ids("spared")
    assert len(failed) >= 10
    assert len(spared) >= 20
    assert (failed, failed | spared, cloud.gone()) == (set(cloud.deletes()), set(ended.outcomes()), set())
    (cause,) = ended.document["failures"]
    assert (cause["target"], cause["cause"], cause["notebooks"]) == ("lab", "DELETE_FAILED: disk busy", len(failed))
    assert cause["example"] in failed
    (line,) = ended.events("sweep.failure")
    assert (line["cause"], line["notebooks"]) == ("DELETE_FAILED: disk busy", len(failed))
    assert "was refused by a brake: of" in desk.run("status").out


def test_what_could_not_be_deleted_cools_down(simulate: Simulate, desk: Desk) -> None:
    """The next run leaves it alone and counts it; it does not tell the failure again. Without a cool-down it tries again."""
    script = [{"fault": "delete_failed", "notebook_id": f"nb-{number:03d}", "fail_reason": "disk busy"} for number in (0, 1)]
    cloud = simulate(idle_fleet(3), faults={"script": script})
    policies = [{"name": "idle", "match": {"status": ["STOPPED", "DELETE_FAILED"], "age_over": "14d"}}]
    desk.write(cloud, policies=policies)
    first = desk.run("run", "--yes")
    assert first.code == 3
    assert "nb-000 and 1 more" in first.out
    second = desk.sweep()
    assert (second.code, second.outcomes(), second.document["kept"]) == (0, {}, {"cooling-down": 2})
    assert (second.document["failures"], second.events("sweep.failure")) == ([], [])
    desk.write(cloud, policies=policies, removal={"grace": "300ms", "retries": 0, "cool_down": None})
    assert desk.sweep().ids("deleted") == {"nb-000", "nb-001"}
