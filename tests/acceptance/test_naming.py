"""How people name a notebook or a run: by a whole id, by a name, or by the beginning of an id."""

import json

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, idle, target

TRAIN = "6fa459ea-ee8a-3ca4-894e-db77e160355e"
EVAL = "6fa4a1b2-0000-4000-8000-000000000001"


def cloud_of_two(simulate: Simulate, desk: Desk) -> Cloud:
    """Make a cloud with two notebooks whose ids begin alike."""
    cloud = simulate([idle(TRAIN, name="Train-01", days=200), idle(EVAL, name="eval", days=100)])
    desk.write(cloud)
    return cloud


@pytest.mark.parametrize("text", [TRAIN, "Train-01", "train-01", "6fa459"])
def test_a_notebook_is_explained_by_id_name_or_the_beginning_of_its_id(text: str, simulate: Simulate, desk: Desk) -> None:
    """A whole id by one call, as ever."""
    cloud = cloud_of_two(simulate, desk)
    ended = desk.run("explain", text, "--format", "json")
    assert (ended.code, ended.document["id"]) == (0, TRAIN)
    kinds = {request["kind"] for request in cloud.requests()}
    assert (kinds == {"show"}) == (text == TRAIN)
    assert cloud.writes() == []


def test_what_is_ambiguous_lists_the_candidates(simulate: Simulate, desk: Desk) -> None:
    """With names and owners, so that one can be chosen; exit 2, as for other bad usage."""
    cloud_of_two(simulate, desk)
    ended = desk.run("explain", "6fa4")
    assert (ended.code, ended.out) == (2, "")
    assert "6fa4 is ambiguous, 2 fit" in ended.error["error"]
    nearly = desk.run("explain", "train")
    assert (nearly.code, nearly.error["error"]) == (1, "there is no notebook train on lab; did you mean Train-01?")
    for part in TRAIN, EVAL, "Train-01", "eval", "on lab":
        assert part in ended.error["error"]


def test_a_name_on_two_targets_is_ambiguous_unless_all_of_them_are_asked(simulate: Simulate, desk: Desk) -> None:
    """Two notebooks with one name, on two targets; `--target` chooses, `--all-targets` shows both."""
    first, second = simulate([idle("one", name="same")]), simulate([idle("two", name="same")])
    desk.write(first)
    document = json.loads(desk.config.read_text(encoding="utf-8"))
    document["targets"].append(target(second.url, name="other"))
    desk.config.write_text(json.dumps(document), encoding="utf-8")
    assert desk.run("explain", "same").code == 2
    chosen = desk.run("explain", "same", "--target", "other", "--format", "json")
    assert (chosen.code, chosen.document["target"]) == (0, "other")
    both = desk.run("explain", "same", "--all-targets", "--format", "json")
    assert (both.code, both.document["target"], both.document["also"][0]["target"]) == (0, "lab", "other")


def test_what_is_gone_is_found_by_name_in_the_journal(simulate: Simulate, desk: Desk) -> None:
    """`explain` says what became of it, `audit` lists its entries, and `show` takes the beginning of the run's id."""
    cloud_of_two(simulate, desk)
    swept = desk.sweep()
    assert swept.code == 0
    for text in "train-01", "6fa459":
        gone = desk.run("explain", text)
        assert gone.code == 1
        assert "The journal knows it as Train-01" in gone.error["error"]
        entries = desk.run("audit", "--notebook", text, "--run", swept.run_id[:12], "--format", "json")
        assert {entry["notebook_id"] for entry in entries.document} == {TRAIN}
    ambiguous = desk.run("audit", "--notebook", "6fa4")
    assert (ambiguous.code, "2 fit" in ambiguous.error["error"]) == (2, True)
    assert desk.run("audit", "--notebook", "nobody").out.startswith("The audit trail has no such entry")
    shown = desk.run("show", swept.run_id[:12], "--format", "json")
    assert (shown.code, shown.document["run_id"]) == (0, swept.run_id)


def test_the_beginning_of_two_runs_lists_both(simulate: Simulate, desk: Desk) -> None:
    """`show 2` fits every run of this millennium."""
    cloud_of_two(simulate, desk)
    runs = {desk.run("run", "--dry-run").run_id for _ in range(2)}
    ended = desk.run("show", "2")
    assert (ended.code, "2 is ambiguous, 2 fit" in ended.error["error"]) == (2, True)
    assert all(run_id in ended.error["error"] for run_id in runs)
    assert desk.run("audit", "--run", "2").code == 2
    unknown = desk.run("show", "1999")
    assert (unknown.code, "no run 1999" in unknown.error["error"]) == (1, True)


def test_tables_have_ids_that_are_unique_in_the_table(simulate: Simulate, desk: Desk) -> None:
    """Both begin with 6fa4, so eight characters are enough; what the table shows can be typed."""
    cloud_of_two(simulate, desk)
    plan, listed = desk.run("plan").out, desk.run("list").out
    for table in plan, listed:
        assert table.split()[0] == "ID"
        assert [line.split()[0] for line in table.splitlines()[2:4]] == ["6fa459ea", "6fa4a1b2"]
    assert desk.run("plan", "--exclude", "6fa459ea", "--format", "json").document["kept"] == {"excluded": 1}
    desk.sweep()
    for table in desk.run("show", "last").out, desk.run("audit").out:
        assert "6fa459ea " in table
        assert TRAIN not in table
