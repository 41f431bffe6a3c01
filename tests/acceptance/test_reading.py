"""The commands that only read: what the journal knows, what a rule says, what the program can tell of itself."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

import nbsweep
from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, days_ago, ended_afterwards, idle, idle_fleet, plain, target

CONFIG = Path(__file__).parents[2] / "config"


def test_the_journal_tells_of_every_run(simulate: Simulate, desk: Desk) -> None:
    """`history`, `status` and `show`, as tables and as JSON, before and after a sweep; none of them calls the cloud."""
    cloud = simulate([*idle_fleet(3), idle("used", days=1)])
    desk.write(cloud)
    assert desk.run("history").out == "The journal has no sweep yet.\n"
    swept = desk.sweep()
    cloud.forget_requests()
    run_id = swept.document["run_id"]
    history, status, show = (
        desk.run(*command, "--format", "json").document for command in (("history",), ("status",), ("show", run_id))
    )
    (record,) = history
    assert (record["run_id"], record["target"], record["outcome"], record["problem"]) == (run_id, "lab", "finished", None)
    assert (record["fleet"], record["planned"], record["kept"], record["dry_run"]) == (4, 3, {"no-policy": 1}, False)
    assert record["started_at"] < record["ended_at"]
    (lab,) = status
    assert (record.pop("counts"), record.pop("reclaimed_gb")) == ({"deleted": 3}, 150)
    assert (lab["target"], lab["last_sweep"], lab["unfinished"]) == ("lab", record, [])
    assert (lab["well"], lab["problems"], lab["last_success"]) == (True, [], record["ended_at"])
    counted = record | {"counts": {"deleted": 3}, "reclaimed_gb": 150}
    assert (show["run_id"], show["targets"], show["results"]) == (run_id, [counted], swept.document["results"])

    table = desk.run("show", run_id)
    assert table.code == 0
    assert run_id in table.out
    assert "nb-002" in table.out
    assert plain(table.out)
    assert cloud.requests() == []


def test_the_history_says_how_many_went_and_show_says_why(simulate: Simulate, desk: Desk) -> None:
    """Deleted, failed and spared, and the GB of the deleted disks; the policy's reason beside the end of each removal."""
    volume = {"category": "EVS", "ownership": "MANAGED"}
    cloud = simulate(
        [
            idle("small", owner="wei", volume=volume | {"capacity": 5}),
            idle("large", volume=volume | {"capacity": 1000}),
            idle("stuck", owner="wei", volume=volume | {"capacity": 70}),
            idle("again", volume=volume | {"capacity": 80}),
        ]
    )
    cloud.break_with({"fault": "delete_failed", "notebook_id": "stuck"})
    desk.write(cloud)
    desk.run("run", "--dry-run")
    desk.run("run", "--yes")
    lines = desk.run("history").out.splitlines()
    assert lines[0].split() == [
        "RUN", "TARGET", "STARTED", "BY", "TOOK", "OUTCOME", "FLEET", "PLANNED", "DELETED", "FAILED", "SPARED", "GB"
    ]  # fmt: skip
    assert lines[2].split()[-6:] == ["4", "4", "3", "1", "0", "1085"]
    assert lines[3].split()[-6:] == ["4", "4", "-", "-", "-", "-"]
    shown = desk.run("show", "last")
    (stuck,) = (line for line in shown.out.splitlines() if "stuck" in line)
    assert " ".join(stuck.split()).startswith("stuck stuck wei idle 70 STOPPED; idle 100d > 14d failed")
    assert "failed" in stuck
    assert "DELETE_FAILED" in stuck
    assert desk.run("show", "last", "--format", "json").document["run_id"] == lines[2].split()[0]


def test_there_is_no_last_run_before_the_first(desk: Desk) -> None:
    """Exit 1, in a sentence."""
    desk.write("http://127.0.0.1:1")
    ended = desk.run("show", "last")
    assert (ended.code, ended.out, ended.error["error"]) == (1, "", "the journal has no run yet")


def test_a_run_that_is_not_known_is_told_in_a_sentence(desk: Desk) -> None:
    """Exit 1, and where to find the runs."""
    desk.write("http://127.0.0.1:1")
    ended = desk.run("show", "20200101T000000Z-000000")
    assert (ended.code, ended.out) == (1, "")
    assert "20200101T000000Z-000000" in ended.error["error"]
    assert "nbsweep history" in ended.error["error"]


def test_the_schema_is_the_one_that_comes_with_it(desk: Desk) -> None:
    """Valid JSON Schema, the same as config/nbsweep.schema.json, and it takes what the program takes."""
    ended = desk.run("schema")
    assert ended.code == 0
    schema = ended.document
    assert schema == json.loads((CONFIG / "nbsweep.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    desk.write("http://127.0.0.1:1")
    good = json.loads(desk.config.read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    assert validator.is_valid(good)
    assert not validator.is_valid(good | {"brake": {}})


def test_the_program_tells_its_version_and_its_commands(desk: Desk) -> None:
    """Without any configuration."""
    desk.names_config = False
    version, help_text = desk.run("--version"), desk.run("--help")
    assert (version.code, version.out) == (0, f"nbsweep {nbsweep.__version__}\n")
    assert help_text.code == 0
    commands = ("plan", "run", "status", "history", "show", "explain", "schema", "simulator", "demo")
    assert [command for command in commands if f"  {command} " not in help_text.out] == []
    assert plain(version.out + help_text.out)


def test_plan_tells_by_its_exit_code_whether_there_is_something_to_delete(simulate: Simulate, desk: Desk) -> None:
    """0 and 10 with --detailed-exitcode; --out saves the same plan that --format json prints."""
    nothing, something = simulate([idle("used", days=1)]), simulate(idle_fleet(2))
    desk.write(nothing)
    assert desk.run("plan", "--detailed-exitcode").code == 0
    desk.write(something)
    ended = desk.run("plan", "--detailed-exitcode", "--out", "plan.json", "--format", "json")
    assert ended.code == 10
    saved = json.loads((desk.folder / "plan.json").read_text(encoding="utf-8"))
    assert saved["plan_id"] == ended.document["plan_id"]
    assert [item["id"] for item in saved["targets"][0]["items"]] == ["nb-000", "nb-001"]
    assert [item["id"] for item in ended.document["items"]] == ["nb-000", "nb-001"]
    assert ended.document["refusal"] is None
    assert something.writes() == []


def test_a_plan_that_cannot_be_saved_is_told(simulate: Simulate, desk: Desk) -> None:
    """One sentence instead of a traceback."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    ended = desk.run("plan", "--out", "no/such/folder/plan.json")
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert "no/such/folder/plan.json" in ended.err


def test_two_targets_are_swept_side_by_side_each_by_itself(simulate: Simulate, desk: Desk) -> None:
    """Two projects in one run: a result for each notebook with its target, and a line of history for each target."""
    first, second = simulate(idle_fleet(2, "first")), simulate(idle_fleet(3, "second"))
    desk.write(first, targets=[target(first.url, name="one"), target(second.url, name="two")])
    ended = desk.sweep()
    assert ended.code == 0
    assert ended.document["counts"] == {"deleted": 5}
    assert {(result["target"], result["id"].split("-")[0]) for result in ended.document["results"]} == {
        ("one", "first"),
        ("two", "second"),
    }
    assert (len(first.gone()), len(second.gone())) == (2, 3)
    assert {record["target"] for record in desk.run("history", "--format", "json").document} == {"one", "two"}


def test_somebody_without_a_name_can_run_it_too(simulate: Simulate, desk: Desk) -> None:
    """In a container the user's number often has no entry in the password database."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    nameless = "import pwd\ndef unknown(uid): raise KeyError(uid)\npwd.getpwuid = unknown\n"
    program = f"{nameless}from nbsweep.__main__ import main\nmain()\n"
    command = [sys.executable, "-c", program, *desk.command("run", "--yes")[3:]]
    finished = subprocess.run(
        command, cwd=desk.folder, env=desk.variables(), capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )
    assert finished.returncode == 0, finished.stderr.decode()
    assert cloud.gone() == {"nb-000"}


def test_the_simulator_says_where_it_is_and_stops_when_it_is_told_to(desk: Desk) -> None:
    """One JSON line with address and key; SIGTERM ends it with 0."""
    desk.names_config = False
    command = desk.command("simulator", "--seed", "3", "--notebooks", "5")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=desk.variables(), cwd=desk.folder)
    with ended_afterwards(process):
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        assert (ready["event"], ready["notebooks"]) == ("simulator.ready", 5)
        assert len(Cloud(ready["url"]).instances()) == 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout.read() == b""


def test_options_that_the_simulator_does_not_know_are_told(desk: Desk) -> None:
    """Exit 2, no traceback."""
    desk.names_config = False
    (desk.folder / "options.json").write_text('{"no_such_option": 1}', encoding="utf-8")
    ended = desk.run("simulator", "--options", "options.json")
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err


def test_the_demo_needs_nothing_and_ends_well(desk: Desk) -> None:
    """A simulated cloud and a whole sweep: exit 0, a plan and a report off a terminal too, and nothing left in the home."""
    desk.names_config = False
    ended = desk.run("demo", "--notebooks", "60")
    assert ended.code == 0, ended.err
    assert "deleted" in ended.out
    assert plain(ended.out)
    assert plain(ended.err)
    assert "60 notebooks;" in ended.out
    assert "demo: finished" in ended.out
    assert list(desk.home.rglob("*")) == []


def test_the_journal_is_in_the_users_own_folder_unless_said_otherwise(simulate: Simulate, desk: Desk) -> None:
    """Below the home, for nobody else to read."""
    cloud = simulate([idle("nb", create_at=days_ago(50))])
    desk.write(cloud)
    document = json.loads(desk.config.read_text(encoding="utf-8"))
    del document["journal"]
    desk.config.write_text(json.dumps(document), encoding="utf-8")
    assert desk.sweep().code == 0
    (journal,) = desk.home.rglob("*.db")
    assert journal.stat().st_mode & 0o077 == 0
