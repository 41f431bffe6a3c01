"""`plan --out` and `run --plan`, with the real command against the simulated cloud."""

import json
import stat
from datetime import datetime, timedelta

from acceptance.conftest import Simulate
from acceptance.support import (
    ACCESS_KEY,
    PROJECT,
    SECRET_KEY,
    Cloud,
    Desk,
    Ended,
    Json,
    days_ago,
    idle,
    idle_fleet,
    plain,
    target,
)


def planned(desk: Desk, *options: str) -> Json:
    """Save a plan, and read the file."""
    ended = desk.run("plan", "--out", "plan.json", *options)
    assert ended.code == 0, ended.err
    return read(desk)


def read(desk: Desk) -> Json:
    """Read the saved plan."""
    document: Json = json.loads((desk.folder / "plan.json").read_text(encoding="utf-8"))
    return document


def by_plan(desk: Desk, *options: str) -> Ended:
    """Carry the plan out."""
    return desk.run("run", "--plan", "plan.json", *(options or ("--yes",)), "--format", "json")


def reasons(ended: Ended) -> dict[str, str]:
    """Tell why each that was spared was."""
    return {each["id"]: each["reason"] for each in ended.document["results"] if each["outcome"] == "spared"}


def test_a_saved_plan_is_carried_out_as_it_is(simulate: Simulate, desk: Desk) -> None:
    """What `plan` shows is in the file, and just that is deleted; a second time there is nothing left of it."""
    cloud = simulate([*idle_fleet(4), idle("used", days=1)])
    desk.write(cloud)
    plan = desk.run("plan", "--format", "json", "--out", "plan.json")
    saved = read(desk)
    assert [item["id"] for item in saved["targets"][0]["items"]] == [item["id"] for item in plan.document["items"]]
    assert stat.S_IMODE((desk.folder / "plan.json").stat().st_mode) == 0o600

    swept = by_plan(desk)
    assert (swept.code, swept.document["saved_plan"]) == (0, plan.document["plan_id"])
    assert swept.ids("deleted") == cloud.gone() == {"nb-000", "nb-001", "nb-002", "nb-003"}
    assert reasons(swept) == {}

    again = by_plan(desk)
    assert (again.code, again.document["counts"]) == (0, {"spared": 4})
    assert set(reasons(again).values()) == {"no longer there: today's survey does not show it"}
    assert len(cloud.deletes()) == 4


def test_the_file_has_the_evidence_of_each_verdict(simulate: Simulate, desk: Desk) -> None:
    """Status, dates, tags, owner, rule and threshold, and around them how long it holds and what it is bound to."""
    created = days_ago(100)
    cloud = simulate([idle("old", create_at=created, owner="li.zhang", tags={"team": "vision"})])
    desk.write(cloud)
    saved = planned(desk, "--valid-for", "12h")
    assert set(saved["configuration"]) == {"policies", "protect", "brakes", "removal"}
    [lab] = saved["targets"]
    assert (lab["target"], lab["identity"]["project_id"], lab["identity"]["endpoint"]) == ("lab", PROJECT, cloud.url)
    [item] = lab["items"]
    assert (item["policy"], item["owner"], item["workspace"]) == ("idle", "li.zhang", "0")
    evidence = item["evidence"]
    assert (evidence["status"], evidence["tags"], evidence["owner"]["name"]) == ("STOPPED", {"team": "vision"}, "li.zhang")
    assert evidence["created_at"].endswith("Z")
    told = {each["condition"]: (each["threshold"], each["truth"]) for each in evidence["findings"]}
    assert told == {"status": ("STOPPED", "pass"), "idle_over": ("over 14d", "pass")}
    made, ends = (datetime.fromisoformat(saved[key]) for key in ("created_at", "expires_at"))
    assert ends - made == timedelta(hours=12)


def test_whoever_comes_back_in_between_is_spared_and_named(simulate: Simulate, desk: Desk) -> None:
    """Used, tagged, started, deleted by its owner: each with its reason, in the result, in the journal and in the table."""
    cloud = simulate(idle_fleet(6))
    desk.write(cloud, protect=[{"tags": {"keep": "*"}}])
    planned(desk)
    cloud.change("nb-000", action="use")
    cloud.change("nb-001", tags={"keep": "thesis"})
    cloud.change("nb-002", action="start")
    cloud.change("nb-003", gone=True)
    swept = by_plan(desk)
    assert swept.code == 0
    assert swept.ids("deleted") == {"nb-004", "nb-005"}
    told = reasons(swept)
    assert set(told) == {"nb-000", "nb-001", "nb-002", "nb-003"}
    assert "policy idle does not match any more: idle" in told["nb-000"]
    assert "protected by tags.keep *" in told["nb-001"]
    assert told["nb-002"].startswith("started again since: it was STOPPED")
    assert set(cloud.deletes()) == {"nb-004", "nb-005"}

    shown = desk.run("show", swept.run_id, "--format", "json")
    assert reasons(shown) == told
    table = desk.run("show", swept.run_id).out
    assert all(notebook_id in table for notebook_id in told)
    assert "protected by tags.keep *" in table


def test_what_has_become_deletable_since_is_kept(simulate: Simulate, desk: Desk) -> None:
    """Nobody has looked at it: it is counted as not in the plan, and a plan of today would have it."""
    cloud = simulate([*idle_fleet(2), idle("later", tags={"keep": "thesis"})])
    desk.write(cloud, policies=[{"name": "old", "match": {"age_over": "14d"}}], protect=[{"tags": {"keep": "*"}}])
    planned(desk)
    cloud.change("later", tags={})
    assert {item["id"] for item in desk.run("plan", "--format", "json").document["items"]} == {"nb-000", "nb-001", "later"}
    swept = by_plan(desk)
    assert (swept.code, swept.document["kept"]) == (0, {"not-in-plan": 1})
    assert cloud.gone() == {"nb-000", "nb-001"}
    (line,) = swept.events("plan.narrowed")
    assert (line["permitted"], line["not_in_plan"], line["spared"], line["target"]) == (2, 1, 0, "lab")


def test_a_dry_run_with_a_plan_tells_what_would_become_of_it(simulate: Simulate, desk: Desk) -> None:
    """Who would go and who would be spared, as JSON and as a table; no request but GET, and the plan still holds afterwards."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud)
    planned(desk)
    cloud.change("nb-001", action="use")
    dry = by_plan(desk, "--dry-run")
    assert dry.code == 0
    assert [item["id"] for item in dry.document["items"]] == ["nb-000", "nb-002"]
    [spared] = dry.document["spared"]
    assert (spared["id"], spared["outcome"]) == ("nb-001", "spared")
    table = desk.run("run", "--plan", "plan.json", "--dry-run")
    assert "spared, although it is in the saved plan: nb-001: policy idle does not match any more" in table.out
    assert plain(table.out)
    assert cloud.writes() == []
    assert by_plan(desk).ids("deleted") == {"nb-000", "nb-002"}


def test_a_run_needs_consent_with_a_plan_too(simulate: Simulate, desk: Desk) -> None:
    """A plan is permission to look again; without a terminal somebody must have said --yes."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    planned(desk)
    assert desk.run("run", "--plan", "plan.json").code == 2
    assert cloud.writes() == []


# ---- what is refused ------------------------------------------------------------------------------------------------------


def refused(desk: Desk, cloud: Cloud, *options: str) -> str:
    """Try to carry the plan out: it is refused with exit code 2, before the cloud hears of it. Gives what is told."""
    cloud.forget_requests()
    ended = by_plan(desk, *options)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.error["error"] == "the plan plan.json cannot be used"
    assert cloud.requests() == []
    return " ".join(f"{mistake['path']}: {mistake['problem']}" for mistake in ended.error["mistakes"])


def test_an_expired_plan_is_refused(simulate: Simulate, desk: Desk) -> None:
    """With --yes and with --dry-run alike; its time is the option's, or the configuration's."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud, plan={"valid_for": "1ms"})
    for options in (), ("--valid-for", "2ms"):
        planned(desk, *options)
        assert "expires_at: the plan expired" in refused(desk, cloud)
    assert "nbsweep plan --out" in refused(desk, cloud, "--dry-run")
    planned(desk, "--valid-for", "1h")
    assert by_plan(desk).ids("deleted") == {"nb-000"}


def later(document: Json) -> None:
    """Let it hold for longer."""
    document["expires_at"] = "2099-01-01T00:00:00Z"


def one_more(document: Json) -> None:
    """Plan another notebook."""
    items = document["targets"][0]["items"]
    items.append({**items[0], "id": "used"})


def one_less(document: Json) -> None:
    """Take a notebook out."""
    document["targets"][0]["items"].pop()


def test_an_altered_plan_is_refused(simulate: Simulate, desk: Desk) -> None:
    """Whatever was altered; it says where such things are said."""
    cloud = simulate([*idle_fleet(2), idle("used", days=1)])
    desk.write(cloud)
    written = json.dumps(planned(desk))
    for alter in later, one_more, one_less:
        document = json.loads(written)
        alter(document)
        (desk.folder / "plan.json").write_text(json.dumps(document), encoding="utf-8")
        told = refused(desk, cloud)
        assert "digest: it does not match: the plan was altered" in told
        assert "protect" in told


def test_a_plan_of_another_target_is_refused(simulate: Simulate, desk: Desk) -> None:
    """One that is called otherwise, and one of the same name in another project."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    planned(desk)
    desk.write(cloud, target={"name": "prod"})
    assert "targets[0]: target lab is not in the configuration; the configuration has prod" in refused(desk, cloud)
    desk.write(cloud, target={"project_id": "f" * 32})
    assert f"project_id was {PROJECT}, and is {'f' * 32}" in refused(desk, cloud)


def test_a_plan_of_another_configuration_is_refused(simulate: Simulate, desk: Desk) -> None:
    """By the part that differs; a wider policy as much as another brake. What decides nothing may change."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    planned(desk)
    desk.write(cloud, policies=[{"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "13d"}}])
    assert "configuration: policies is not as it was when the plan was made" in refused(desk, cloud)
    desk.write(cloud, brakes={"max_deletions": 5}, protect=[{"name": "keep-*"}])
    assert "configuration: brakes, protect are not as they were when the plan was made" in refused(desk, cloud)
    desk.write(cloud, logging={"level": "debug"}, mode="enforce")
    assert by_plan(desk).ids("deleted") == {"nb-000"}


def test_a_plan_that_a_brake_refused_is_saved_to_be_looked_at_and_not_carried_out(simulate: Simulate, desk: Desk) -> None:
    """`plan` says 4, the file says why, and `run --plan` says so too."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud, brakes={"max_deletions": 2, "max_share": None})
    assert desk.run("plan", "--out", "plan.json").code == 4
    [lab] = read(desk)["targets"]
    assert (len(lab["items"]), lab["refusal"].split(":")[0]) == (3, "max_deletions")
    assert "targets[0].refusal: a brake refused the plan of target lab" in refused(desk, cloud)


def test_what_is_no_plan_is_told_apart(simulate: Simulate, desk: Desk) -> None:
    """Missing, malformed, what `plan --format json` prints, or of a newer version."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    assert "there is no such file" in refused(desk, cloud)
    for content, words in (
        ("", "it is not JSON"),
        (desk.run("plan", "--format", "json").out, "the output of `plan --format json` is not one"),
        ('{"document": "nbsweep-plan", "version": 2, "targets": []}', "version: it is 2, and this nbsweep reads 1"),
    ):
        (desk.folder / "plan.json").write_text(content, encoding="utf-8")
        assert words in refused(desk, cloud)


# ---- several targets ------------------------------------------------------------------------------------------------------


def test_a_target_that_the_plan_has_not_is_left_alone(simulate: Simulate, desk: Desk) -> None:
    """It was added since: nobody has looked at what would go there. The log says so, and no call is made."""
    first, second = simulate(idle_fleet(2, "first")), simulate(idle_fleet(2, "second"))
    one, two = target(first.url, name="one"), target(second.url, name="two")
    desk.write(first, targets=[one])
    planned(desk)
    desk.write(first, targets=[one, two])
    swept = by_plan(desk)
    assert (swept.code, first.gone(), second.requests()) == (0, {"first-000", "first-001"}, [])
    (line,) = swept.events("plan.target_left_alone")
    assert (line["target"], line["level"]) == ("two", "warning")


def test_each_target_is_held_to_its_own_part_of_the_plan(simulate: Simulate, desk: Desk) -> None:
    """The same ids on two targets: spared on the one, deleted on the other."""
    first, second = simulate(idle_fleet(2)), simulate(idle_fleet(2))
    desk.write(first, targets=[target(first.url, name="one"), target(second.url, name="two")])
    planned(desk)
    first.change("nb-000", action="use")
    swept = by_plan(desk)
    assert swept.code == 0
    assert first.gone() == {"nb-001"}
    assert second.gone() == {"nb-000", "nb-001"}
    assert {(each["target"], each["id"]) for each in swept.document["results"] if each["outcome"] == "spared"} == {
        ("one", "nb-000")
    }


# ---- secrets --------------------------------------------------------------------------------------------------------------


def test_the_file_holds_no_secret(simulate: Simulate, desk: Desk) -> None:
    """Neither keys nor tokens, and nothing of a notebook's own token and url, in any byte of it."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud)
    planned(desk)
    text = (desk.folder / "plan.json").read_text(encoding="utf-8")
    for secret in (SECRET_KEY, ACCESS_KEY, "token", "https://authoring", "signature", "Signature"):
        assert secret not in text
    assert '"url"' not in text
