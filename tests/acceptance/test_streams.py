"""Standard streams that are closed, full or of another encoding: what a sweep does, and how it ends, stays the same."""

import json
import os
import sqlite3
import subprocess
import threading
import time

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle, idle_fleet

NAMES = {"chinese": "笔记本", "latin": "naïve", "emoji": "🎉 party", "quote": 'a"b\\c', "plain": "plain"}
ALL_CLOSED = "<&- >&- 2>&-"


def in_shell(desk: Desk, arguments: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    """Run the command by a shell, which closes and redirects streams as people and cron tables do."""
    words = " ".join(f"'{word}'" for word in desk.command())
    return subprocess.run(
        ["bash", "-c", f"exec {words} {arguments}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=desk.folder,
        env=desk.variables() | variables,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", ALL_CLOSED, ">/dev/full", "2>/dev/full"])
def test_streams_that_are_closed_or_full_change_nothing_of_a_sweep(simulate: Simulate, desk: Desk, redirection: str) -> None:
    """Exit 0, one DELETE for each notebook, and a journal that holds the sweep and not a line of the log."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud)
    ended = in_shell(desk, f"run --yes --format json {redirection}")
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr
    assert sorted(cloud.deletes().values()) == [1, 1, 1]
    with sqlite3.connect(desk.journal) as journal:
        assert journal.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    journal.close()
    assert desk.run("history", "--format", "json").document[0]["outcome"] == "finished"


def test_a_result_that_is_lost_does_not_hide_how_the_sweep_ended(simulate: Simulate, desk: Desk) -> None:
    """A removal that failed is exit 3 with a full disk, too; stderr says that the result is lost, and where it still is."""
    cloud = simulate(idle_fleet(2), faults={"script": [{"fault": "delete_failed", "notebook_id": "nb-000"}]})
    desk.write(cloud)
    ended = in_shell(desk, "run --yes --format json >/dev/full")
    assert ended.returncode == 3
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    [lost] = [line for line in lines if line["event"] == "result.lost"]
    run_id = desk.run("history", "--format", "json").document[0]["run_id"]
    assert "No space left on device" in lost["error"]
    assert f"nbsweep show {run_id}" in lost["error"]


def test_a_command_that_only_tells_fails_in_words_where_nobody_can_be_told(simulate: Simulate, desk: Desk) -> None:
    """Exit 1 and one sentence, where the disk is full; closed streams are as good as /dev/null."""
    desk.write(simulate([idle("plain", days=1)]))
    assert desk.sweep().code == 0
    for command in ("plan", "plan --format json", "check", "status", "history", "schema", "explain plain", "--version"):
        full = in_shell(desk, f"{command} >/dev/full")
        assert (full.returncode, b"Traceback" in full.stderr) == (1, False), command
        assert full.stderr.count(b"could not be written to stdout: No space left on device") == 1, command
        closed = in_shell(desk, f"{command} {ALL_CLOSED}")
        assert (closed.returncode, closed.stdout, closed.stderr) == (0, b"", b""), command


def test_a_mistake_of_the_command_line_is_exit_2_although_nobody_can_be_told(desk: Desk) -> None:
    """A full or closed stderr is no reason for another code."""
    assert [in_shell(desk, f"nonsense {where}").returncode for where in ("2>/dev/full", "2>&-", "")] == [2, 2, 2]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb2312", "utf-8"])
def test_json_says_every_name_whatever_the_encoding_of_the_stream(simulate: Simulate, desk: Desk, encoding: str) -> None:
    """It is UTF-8 in each, as JSON has to be, and reads back as the names that they are; the table loses no row."""
    cloud = simulate([idle(key, name=name) for key, name in NAMES.items()])
    desk.write(cloud)
    as_table = in_shell(desk, "plan", PYTHONIOENCODING=encoding)
    as_csv = in_shell(desk, "plan --format csv", PYTHONIOENCODING=encoding)
    swept = in_shell(desk, "run --yes --format json", PYTHONIOENCODING=encoding)
    assert [ended.returncode for ended in (as_table, as_csv, swept)] == [0, 0, 0], as_table.stderr
    assert {result["id"]: result["name"] for result in json.loads(swept.stdout.decode())["results"]} == NAMES
    assert b"plain" in as_table.stdout
    assert len(as_csv.stdout.splitlines()) == 1 + len(NAMES)


def test_json_is_whole_though_its_pipe_does_not_wait(simulate: Simulate, desk: Desk) -> None:
    """A parent that has made the pipe non-blocking, and reads late, still gets the whole document."""
    cloud = simulate([idle(f"nb-{number}", name="x" * 4000) for number in range(60)])
    desk.write(cloud)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    gathered = bytearray()

    def read_late() -> None:
        time.sleep(3)
        while chunk := os.read(reading, 65_536):
            gathered.extend(chunk)

    reader = threading.Thread(target=read_late)
    reader.start()
    command = desk.command("plan", "--format", "json")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=writing, cwd=desk.folder, env=desk.variables()) as process:
        os.close(writing)
        assert process.wait(60) == 0
    reader.join(60)
    os.close(reading)
    assert len(json.loads(gathered)["items"]) == 60
