"""`explain`: the real command on one notebook after the other."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from acceptance.conftest import Simulate
from acceptance.support import PROJECT, Cloud, Desk, idle, plain, target

POLICIES = [
    {"name": "ancient", "match": {"age_over": "300d"}},
    {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}},
]


def cloud_to_explain(simulate: Simulate, desk: Desk) -> Cloud:
    """Make a cloud with a notebook for each kind of answer."""
    rows = [
        idle("goes", days=20),
        idle("stays", name="keep-this"),
        idle("runs", days=400, status="RUNNING"),
        idle("young", days=10),
        idle("undated", days=20, raw={"create_at": None, "update_at": None, "lease": None}),
        idle("codelab", feature="DEFAULT"),
    ]
    cloud = simulate(rows)
    desk.write(cloud, policies=POLICIES, protect=[{"name": "keep-*"}])
    return cloud


def explained(desk: Desk, notebook_id: str, *more: str) -> Any:
    """Ask for the document, which there has to be."""
    ended = desk.run("explain", notebook_id, "--format", "json", *more)
    assert (ended.code, ended.err) == (0, "")
    return ended.document


def test_one_that_goes_says_by_which_rule_and_what_would_save_it(simulate: Simulate, desk: Desk) -> None:
    """Each condition with what it saw and wanted; nothing is asked but that one notebook, and nothing is changed."""
    cloud = cloud_to_explain(simulate, desk)
    goes = explained(desk, "goes")
    assert (goes["verdict"], goes["rule"]) == ("delete", "idle")
    rules = [(rule["name"], rule["result"], rule["decides"]) for rule in goes["policies"]]
    assert rules == [("ancient", "fail", False), ("idle", "pass", True)]
    (ancient,) = goes["policies"][0]["conditions"]
    assert (ancient["condition"], ancient["result"]) == ("age_over", "fail")
    assert ancient["fact"].startswith("20d")
    assert ancient["threshold"] == "over 300d"
    assert [rule["result"] for rule in goes["protections"]] == ["fail"]
    assert [remedy["words"] for remedy in goes["change"]["remedies"]] == [
        "use it again: start it, and its idle time begins again",
        "rename it so that its name fits keep-*, as keep-goes does",
    ]
    assert {(request["method"], request["notebook_id"]) for request in cloud.requests()} == {("GET", "goes")}


def test_the_remedy_that_is_told_saves_it(simulate: Simulate, desk: Desk) -> None:
    """Its owner renames it as he was told to; a whole sweep leaves it alone, and takes the one that was not renamed."""
    cloud = simulate([idle("saved"), idle("lost")])
    desk.write(cloud, policies=POLICIES, protect=[{"name": "keep-*"}])
    rename = explained(desk, "saved")["change"]["remedies"][-1]["words"]
    cloud.change("saved", name=rename.split()[-2])
    assert desk.sweep().code == 0
    assert cloud.gone() == {"lost"}


def test_one_that_will_go_by_itself_says_when(simulate: Simulate, desk: Desk) -> None:
    """Idle for 10 days of 14, since it was made: 14 days after that."""
    cloud = cloud_to_explain(simulate, desk)
    young = explained(desk, "young")
    assert (young["verdict"], young["change"]["to"]) == ("keep", "delete")
    at = datetime.fromisoformat(young["change"]["by_itself_at"])
    created = datetime.fromtimestamp(cloud.instances()["young"]["create_at"] / 1000, UTC)
    assert abs(at - created - timedelta(days=14)) < timedelta(milliseconds=2)
    idle_need = young["change"]["needs"]["one_of"][1]
    assert idle_need["needs"]["at"] == young["change"]["by_itself_at"]


def test_one_that_is_protected_and_one_that_runs_say_what_keeps_them(simulate: Simulate, desk: Desk) -> None:
    """A protection of the operator's, and one of the program's own."""
    cloud_to_explain(simulate, desk)
    stays, runs = explained(desk, "stays"), explained(desk, "runs")
    assert (stays["verdict"], stays["because"], stays["rule"]) == ("keep", "protected", "name keep-*")
    assert stays["change"]["needs"]["words"] == "protection name keep-* would have to stop matching"
    assert (runs["verdict"], runs["because"], runs["rule"]) == ("keep", "running", "ancient")
    assert [each["condition"] for each in runs["built_in"] if each["result"] == "pass"] == ["running"]
    assert runs["policies"][0]["remark"] == "policy ancient matches, but it runs, and the policy says running: skip"


def test_one_whose_facts_are_missing_says_which(simulate: Simulate, desk: Desk) -> None:
    """In the API's own words, condition by condition."""
    cloud_to_explain(simulate, desk)
    undated = explained(desk, "undated")
    assert (undated["verdict"], undated["because"]) == ("keep", "unknown-fact")
    missing = [part.get("missing") for rule in undated["policies"] for part in rule["conditions"]]
    assert missing == [["create_at"], None, ["update_at"]]


def test_one_that_no_sweep_looks_at_says_so(simulate: Simulate, desk: Desk) -> None:
    """The rules would let it go, but the target leaves CodeLab notebooks out."""
    cloud_to_explain(simulate, desk)
    codelab = explained(desk, "codelab")
    assert (codelab["verdict"], codelab["covered"]) == ("delete", False)
    assert "target lab does not cover it" in desk.run("explain", "codelab").out


def test_off_a_terminal_it_is_a_plain_tree(simulate: Simulate, desk: Desk) -> None:
    """Readable text, no control character, nothing on stderr."""
    cloud_to_explain(simulate, desk)
    stays = desk.run("explain", "stays")
    assert (stays.code, stays.err) == (0, "")
    assert plain(stays.out)
    lines = stays.out.splitlines()
    assert re.match(r"keep-this \(stays, STOPPED, of .+\): KEEP, protected by name keep-\*", lines[0])
    assert any(re.match(r"│ +├── fail +ancient$", line) for line in lines)
    assert "age_over: 100d" in stays.out
    assert "max_deletions: off" in stays.out


def test_what_the_journal_knows_is_told(simulate: Simulate, desk: Desk) -> None:
    """A removal that failed, by which run and why; what the last sweep planned; and how many were requested today."""
    faults = [{"fault": "delete_failed", "notebook_id": "fails", "fail_reason": "disk busy"}]
    cloud = simulate([idle("fails"), idle("gone"), idle("used", days=1)], faults={"script": faults})
    desk.write(cloud)
    swept = desk.sweep()
    assert swept.code == 3
    fails = explained(desk, "fails")
    (removal,) = fails["journal"]["removals"]
    assert (removal["run_id"], removal["outcome"], removal["policy"]) == (swept.document["run_id"], "failed", "idle")
    assert "disk busy" in removal["reason"]
    assert (fails["journal"]["under_way"], fails["journal"]["requested_within_a_day"]) == (None, 2)
    known = {line["brake"]: line["known"] for line in fails["brakes"]}
    assert known["max_share"] == "2 of 3 at the last sweep"
    assert (fails["journal"]["last_sweep"]["run_id"], fails["journal"]["last_sweep"]["outcome"]) == (
        removal["run_id"],
        "finished",
    )
    assert swept.document["run_id"] in desk.run("explain", "fails").out
    # What is gone is on no target any more, but the journal knows its end.
    gone = desk.run("explain", "gone")
    assert (gone.code, gone.out) == (1, "")
    assert f"deleted at {datetime.now(UTC):%Y-}" in gone.error["error"]
    assert f"nbsweep show {swept.document['run_id']}" in gone.error["error"]


def test_every_target_is_asked_or_those_that_are_named(simulate: Simulate, desk: Desk) -> None:
    """One that is on two of them is told of for both; a target whose name is not known is bad usage."""
    first, second = simulate([idle("both"), idle("here")]), simulate([idle("both")])
    desk.write(first)
    document = json.loads(desk.config.read_text(encoding="utf-8"))
    document["targets"].append(target(second.url, name="other"))
    desk.config.write_text(json.dumps(document), encoding="utf-8")
    both = explained(desk, "both", "--all-targets")
    assert [both["target"], *(each["target"] for each in both["also"])] == ["lab", "other"]
    assert desk.run("explain", "both", "--all-targets").out.count("DELETE, policy idle") == 2
    ambiguous = desk.run("explain", "both")
    assert (ambiguous.code, ambiguous.out) == (2, "")
    assert "both is ambiguous, 2 fit: both (both" in ambiguous.error["error"]
    assert ambiguous.error["error"].endswith("on other). Choose with --target, or see --all-targets")
    assert explained(desk, "here")["also"] == []
    assert explained(desk, "both", "--target", "other")["target"] == "other"
    elsewhere = desk.run("explain", "here", "--target", "other")
    assert (elsewhere.code, elsewhere.out) == (1, "")
    assert "no notebook here on other" in elsewhere.error["error"]
    strange = desk.run("explain", "here", "--target", "nope")
    assert (strange.code, strange.out) == (2, "")
    assert "nope" in strange.err


def test_one_targets_trouble_does_not_hide_the_others_answer(simulate: Simulate, desk: Desk) -> None:
    """The answer is there, the trouble is told beside it, and the exit code says what it is."""
    cloud = simulate([idle("here")])
    desk.write(cloud, target={"workspaces": ["0"]})
    document = json.loads(desk.config.read_text(encoding="utf-8"))
    strangers = {"access_key": "NOSUCHKEY00000000001", "secret_key": "x" * 40}
    document["targets"].append(
        target(cloud.url, name="locked", credentials=strangers, project_id=PROJECT, workspaces=["other"])
    )
    desk.config.write_text(json.dumps(document), encoding="utf-8")
    ended = desk.run("explain", "here", "--format", "json")
    assert ended.code == 5
    assert ended.document["target"] == "lab"
    assert ended.error["target"] == "locked"


def test_a_notebook_that_is_not_there_is_told_in_a_sentence(simulate: Simulate, desk: Desk) -> None:
    """Exit 1; nor does an id that is none get anywhere near an address of the cloud."""
    cloud = cloud_to_explain(simulate, desk)
    unknown = desk.run("explain", "no-such-notebook")
    assert (unknown.code, unknown.out) == (1, "")
    assert "no-such-notebook" in unknown.error["error"]
    assert "lab" in unknown.error["error"]
    strange = desk.run("explain", "../workspaces?limit=1")
    assert (strange.code, strange.out) == (1, "")
    assert "Traceback" not in strange.err
    assert {request["kind"] for request in cloud.requests()} <= {"show", "list_all", "workspaces"}
    cloud.forget_requests()
    assert desk.run("explain", "00000000-0000-4000-8000-000000000000").code == 1
    assert {request["kind"] for request in cloud.requests()} == {"show"}


def test_a_removal_that_is_under_way_is_told_with_its_run(simulate: Simulate, desk: Desk) -> None:
    """A sweep was ended at once in its middle; the cloud is at work on what it had accepted."""
    cloud = simulate([idle("going")], timing={"deletion_median_s": 1000})
    desk.write(cloud)
    with desk.started("run", "--yes", "--format", "json") as started:
        started.wait_for("removal.accepted")
        started.process.kill()
        run_id = next(json.loads(line)["run_id"] for line in started.ended().err.splitlines() if '"removal.accepted"' in line)
    going = explained(desk, "going")
    assert (going["status"], going["because"]) == ("DELETING", "in-transition")
    assert (going["journal"]["under_way"]["run_id"], going["journal"]["under_way"]["state"]) == (run_id, "ACCEPTED")


def test_no_secret_of_the_notebook_is_shown(simulate: Simulate, desk: Desk) -> None:
    """Neither its token nor its url, in either form."""
    cloud = simulate([idle("nb", raw={"token": "token-of-nb", "url": "https://authoring-of-nb"})])
    desk.write(cloud, logging={"level": "debug"})
    for output in ("tree", "json"):
        ended = desk.run("explain", "nb", "--format", output)
        assert ended.code == 0
        for secret in ("token-of-nb", "authoring-of-nb"):
            assert secret not in ended.out + ended.err
