"""`mode` binds every command that deletes; one run may set it aside, which is on the record."""

import json

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle_fleet


def test_under_dry_run_a_run_deletes_nothing_and_says_so_first(simulate: Simulate, desk: Desk) -> None:
    """Neither with --yes nor without it; the first line of the result says why, and how to delete."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud, mode="dry-run")
    for arguments in (("run", "--yes"), ("run",)):
        ended = desk.run(*arguments)
        assert ended.code == 0, ended.err
        first = ended.out.splitlines()[0]
        assert first.startswith("A dry run, as the configuration says `mode: dry-run`: nothing is deleted.")
        assert "run --enforce" in first
        assert [line["level"] for line in ended.events("run.dry_run_by_mode")] == ["warning"]
    assert cloud.writes() == []


def test_a_configuration_without_a_mode_is_a_dry_run(simulate: Simulate, desk: Desk) -> None:
    """The default is the harmless one, also as JSON."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud)
    document = json.loads(desk.config.read_text(encoding="utf-8"))
    del document["mode"]
    desk.config.write_text(json.dumps(document), encoding="utf-8")
    assert desk.run("run", "--yes", "--format", "json").code == 0
    assert cloud.writes() == []


def test_enforce_sets_the_mode_aside_for_one_run_and_is_on_the_record(simulate: Simulate, desk: Desk) -> None:
    """In the log, in the history and in what `show` says; the next run is a dry run again."""
    cloud = simulate(idle_fleet(2))
    desk.write(cloud, mode="dry-run")
    ended = desk.run("run", "--yes", "--enforce", "--format", "json")
    assert ended.code == 0, ended.err
    assert len(cloud.gone()) == 2
    assert ended.events("sweep.started")[0]["overrides"] == "--enforce"
    desk.run("run", "--yes")
    runs = desk.run("history", "--format", "json").document
    assert [(run["dry_run"], run["overrides"]) for run in runs] == [(True, None), (False, "--enforce")]


def test_enforce_where_the_mode_allows_it_anyhow_is_nothing_to_note(simulate: Simulate, desk: Desk) -> None:
    """An override that changes nothing is none."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    assert desk.run("run", "--yes", "--enforce").code == 0
    assert len(cloud.gone()) == 1
    (run,) = desk.run("history", "--format", "json").document
    assert run["overrides"] is None


def test_enforce_still_asks_where_there_is_a_prompt_and_needs_yes_where_there_is_none(simulate: Simulate, desk: Desk) -> None:
    """To set the mode aside is not to approve the plan."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud, mode="dry-run")
    refused = desk.run("run", "--enforce")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert desk.run("run", "--dry-run", "--enforce").code == 2
    assert cloud.writes() == []
