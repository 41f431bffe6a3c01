import csv
import io
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acceptance.conftest import Simulate
from acceptance.support import SECRET_KEY, Cloud, Desk, Ended, idle, idle_fleet, plain

HOSTILE = {
    "ansi": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "eight-bit": "\x9b31mred\x9b0m",
    "lines": "first\nsecond\r\nthird\u2028fourth",
    "markup": "[red]markup[/red] [/] [link=http://x]y[/link]",
    "emoji": "🎉 naïve Überraschung 笔记本",
    "shortcode": ":warning: :smile: 10:20:30",
    "backwards": "evil\u202ecod.exe",
    "nul": "a\x00b\x7fc\x08d\te",
    "long": "x" * 2000,
    "formula": "=1+1",
    "order": "::error::##[error]##vso[task.complete]",
    "quotes": "a\"b,c;'d",
    "blank": "   ",
}


def hostile_cloud(simulate: Simulate, desk: Desk) -> Cloud:
    """Make a cloud whose people have a hand for names; two of its deletions fail with a reason of the same sort."""
    rows = [idle(key, name=name, owner=name[:60], flavor=name[:60]) for key, name in HOSTILE.items()]
    faults = [
        {"fault": "delete_failed", "notebook_id": key, "fail_reason": f"sorry {HOSTILE[key]}"} for key in ("ansi", "markup")
    ]
    cloud = simulate([*rows, idle("malformed", name="\x1b[2Jgone", raw={"status": "\x1b[2J"})], faults={"script": faults})
    desk.write(cloud, logging={"level": "debug"})
    return cloud


def assert_clean(ended: Ended) -> None:
    """Assert that neither stream has a control character, and that every line of the log is one of the log."""
    assert plain(ended.out)
    assert plain(ended.err)
    for line in ended.lines:
        assert {"event", "level", "timestamp"} <= line.keys(), line


def test_names_of_other_people_do_nothing_to_what_reads_the_output(simulate: Simulate, desk: Desk) -> None:
    """Escapes, line ends, markup: off a terminal every format of every command stays free of control characters."""
    cloud = hostile_cloud(simulate, desk)
    table, as_csv = desk.run("plan"), desk.run("plan", "--format", "csv")
    swept = desk.run("run", "--yes")
    shown = desk.run("show", swept.run_id)
    assert [ended.code for ended in (table, as_csv, swept, shown)] == [0, 0, 3, 0]
    for ended in table, swept, shown, as_csv:
        assert_clean(ended)
    assert "[red]markup[/red]" in table.out
    assert [row["name"] for row in csv.DictReader(io.StringIO(as_csv.out)) if row["id"] == "formula"] == ["'=1+1"]
    assert [order for order in ("##[", "##vso[") for ended in (table, swept, shown, as_csv) if order in ended.out] == []
    assert "[red]markup[/red]" in shown.out
    assert cloud.gone() == set(HOSTILE) - {"ansi", "markup"}


def test_json_says_every_name_as_it_is(simulate: Simulate, desk: Desk) -> None:
    """Nothing is cut, replaced or drawn: what was written reads back as the name, and the text has no control character."""
    hostile_cloud(simulate, desk)
    out = desk.folder / "plan.json"
    plan = desk.run("plan", "--format", "json", "--out", str(out))
    assert {item["id"]: item["name"] for item in plan.document["items"]} == HOSTILE
    saved = out.read_text(encoding="utf-8")
    assert {item["id"]: item["name"] for item in json.loads(saved)["targets"][0]["items"]} == HOSTILE
    assert plain(saved)
    assert_clean(plan)
    explained = desk.run("explain", "shortcode")
    assert HOSTILE["shortcode"] in explained.out
    assert_clean(explained)


def test_csv_has_one_row_for_each_that_would_go(simulate: Simulate, desk: Desk) -> None:
    """It parses, and has the right ids in the order of the plan."""
    cloud = simulate([*idle_fleet(4), idle("used", days=1)])
    desk.write(cloud)
    ended = desk.run("plan", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row["id"] for row in rows] == ["nb-000", "nb-001", "nb-002", "nb-003"]
    assert {(row["target"], row["policy"], row["status"], row["stop_first"]) for row in rows} == {
        ("lab", "idle", "STOPPED", "False")
    }
    assert cloud.writes() == []


def test_the_log_says_once_how_each_removal_and_each_sweep_ended(simulate: Simulate, desk: Desk) -> None:
    """JSON lines with event, level, time, `run_id` and `target`; stdout has the result alone."""
    cloud = simulate([*idle_fleet(5), idle("fails")], faults={"script": [{"fault": "delete_failed", "notebook_id": "fails"}]})
    desk.write(cloud, logging={"level": "debug"})
    ended = desk.sweep()
    assert_clean(ended)
    assert {line.get("run_id") for line in ended.lines} == {ended.document["run_id"]}
    assert {line.get("target") for line in ended.lines} == {"lab"}
    finished = {line["notebook_id"]: line for line in ended.events("removal.finished")}
    assert len(ended.events("removal.finished")) == len(finished) == 6
    assert {key: line["outcome"] for key, line in finished.items()} == ended.outcomes()
    assert {line["policy"] for line in finished.values()} == {"idle"}
    assert len(ended.events("sweep.finished")) == len(ended.events("sweep.started")) == 1
    (sweep,) = ended.events("sweep.finished")
    assert (sweep["fleet"], sweep["planned"], sweep["counts"]) == (6, 6, {"deleted": 5, "failed": 1})
    # Five disks of 50 GB each.
    assert sweep["reclaimed_gb"] == 250
    assert ended.out.startswith("{")
    assert ended.out.endswith("}\n")


def test_a_line_that_tells_of_a_failure_is_a_line_of_the_log(desk: Desk) -> None:
    """It has its time, like every other."""
    ended = desk.run("run", "--yes")
    assert ended.code == 2
    assert_clean(ended)


def test_a_higher_level_leaves_less(simulate: Simulate, desk: Desk) -> None:
    """With `level: error` a good sweep says nothing but its result."""
    cloud = simulate(idle_fleet(2))
    desk.write(cloud, logging={"level": "error"})
    ended = desk.run("run", "--yes")
    assert (ended.code, ended.err) == (0, "")
    assert "2 deleted" in ended.out
    assert plain(ended.out)


def everything_below(folder: Path) -> dict[str, bytes]:
    """Read every file but the configuration, which holds the keys."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "nbsweep.yaml"}


SECRETS = (b"token-secret", b"authoring-modelarts", b"securityTokenOfTheSweeper", SECRET_KEY.encode(), b"Signature=")


def leaks(desk: Desk, *commands: Ended) -> list[tuple[str, bytes]]:
    """Find the secrets in everything that commands have written anywhere."""
    places = everything_below(desk.folder)
    for number, ended in enumerate(commands):
        places |= {f"stdout {number}": ended.out.encode(), f"stderr {number}": ended.err.encode()}
    return [(place, secret) for place, content in places.items() for secret in SECRETS if secret.lower() in content.lower()]


def test_no_secret_leaves_the_program(simulate: Simulate, desk: Desk) -> None:
    """Neither token nor url of a notebook, nor key, nor signature, at debug level, in output, log, plan or journal."""
    key = {"access_key": "TEMPORARYKEY00000001", "secret_key": SECRET_KEY, "security_token": "securityTokenOfTheSweeper=="}
    malformed = idle("malformed", raw={"status": "NEW", "create_at": "token-secret-in-a-date"})
    faults = [{"fault": "error_500_after", "kind": "delete"}, {"fault": "html_502", "kind": "show"}]
    cloud = simulate([*idle_fleet(5), malformed], access={"access_keys": [key]}, faults={"script": faults})
    desk.write(cloud, target={"credentials": key}, logging={"level": "debug"})
    plan = desk.run("plan", "--format", "json", "--out", "plan.json")
    explained = desk.run("explain", "nb-000", "--format", "json")
    swept = desk.sweep()
    assert [ended.code for ended in (plan, explained, swept)] == [0, 0, 0]
    assert desk.journal.exists()
    assert leaks(desk, plan, explained, swept) == []


def test_not_even_a_gateway_that_repeats_the_request_gets_a_secret_into_the_log(simulate: Simulate, desk: Desk) -> None:
    """A refused signature is answered with the headers that were sent; the security token among them is not passed on."""
    key = {"access_key": "TEMPORARYKEY00000001", "secret_key": SECRET_KEY, "security_token": "securityTokenOfTheSweeper=="}
    cloud = simulate(
        idle_fleet(1), access={"access_keys": [key | {"secret_key": "other"}]}, dialect={"mask_security_token": False}
    )
    desk.write(cloud, target={"credentials": key}, logging={"level": "debug"})
    ended = desk.sweep()
    assert ended.code == 5
    assert leaks(desk, ended) == []


@contextmanager
def nobody_reads() -> Iterator[int]:
    """Give the writing end of a pipe whose reader has gone away, as after `| head`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


def run_into(desk: Desk, *arguments: str, out: int, err: int) -> "subprocess.CompletedProcess[bytes]":
    """Run the command with streams of one's own."""
    return subprocess.run(
        desk.command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        cwd=desk.folder,
        env=desk.variables(),
        timeout=60,
        check=False,
    )


def test_a_reader_of_the_result_who_goes_away_sees_no_traceback(simulate: Simulate, desk: Desk) -> None:
    """`nbsweep plan | head`: whatever the exit code, no traceback fills the screen."""
    desk.write(simulate(idle_fleet(3)))
    with nobody_reads() as out:
        ended = run_into(desk, "plan", out=out, err=subprocess.PIPE)
    assert b"Traceback" not in ended.stderr


def test_a_reader_of_the_log_who_goes_away_does_not_end_the_sweep(simulate: Simulate, desk: Desk) -> None:
    """Lines that nobody takes are no reason to leave deletions alone: all come to their end, and the result is there."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud)
    with nobody_reads() as err:
        ended = run_into(desk, "run", "--yes", "--format", "json", out=subprocess.PIPE, err=err)
    assert ended.returncode == 0
    assert {result["outcome"] for result in json.loads(ended.stdout)["results"]} == {"deleted"}
    assert cloud.gone() == set(cloud.instances())
