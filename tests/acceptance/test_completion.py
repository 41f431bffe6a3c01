"""Completion in a real bash, with the file that comes in the wheel."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle_fleet, target

FILE = Path(__file__).parents[2] / "deploy" / "share" / "bash-completion" / "completions" / "nbsweep"
SCRIPT = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_nbsweep "$1"
printf "%s\n" ${#COMPREPLY[@]} "${COMPREPLY[@]}"
"""


def completed(desk: Desk, *words: str) -> list[str]:
    """Return what bash offers after these words, the last of which may be half a word."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
    command = ["bash", "--norc", "-c", SCRIPT, "bash", str(FILE), "nbsweep", *words]
    ended = subprocess.run(
        command, env=desk.variables() | {"PATH": path}, cwd=desk.folder, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    count, *offered = ended.stdout.split()
    # Only where there is no answer at all, bash goes on to the names of files.
    assert int(count) == len(offered)
    return offered


def test_bash_completes_commands_options_and_their_values(desk: Desk) -> None:
    """Without a configuration too."""
    assert completed(desk, "hist") == ["history"]
    assert completed(desk, "audit", "ver") == ["verify"]
    assert completed(desk, "plan", "--det") == ["--detailed-exitcode"]
    assert completed(desk, "plan", "--format", "") == ["table", "json", "csv"]
    assert completed(desk, "plan", "--target", "") == []


def test_bash_completes_names_of_the_configuration_and_runs_of_the_journal(simulate: Simulate, desk: Desk) -> None:
    """Of the configuration that the line names, or of the usual one; a run from the latest."""
    cloud = simulate(idle_fleet(1))
    two = [target(cloud.url, name="lab"), target(cloud.url, name="library", features=["DEFAULT"])]
    desk.write(cloud, targets=two)
    assert completed(desk, "plan", "--target", "l") == ["lab", "library"]
    assert completed(desk, "show", "") == ["last"]
    assert not desk.journal.exists()
    run_id = desk.run("run", "--dry-run", "--format", "json").document["run_id"]
    assert completed(desk, "show", "") == ["last", run_id]
    assert completed(desk, "audit", "--run", run_id[:8]) == [run_id]
    desk.config.rename(desk.folder / "elsewhere.yaml")
    assert completed(desk, "plan", "--target", "lab") == []
    assert completed(desk, "--config", "elsewhere.yaml", "plan", "--policy", "") == ["idle"]
    assert completed(desk, "plan", "-c", "elsewhere.yaml", "--target", "lib") == ["library"]


@pytest.mark.parametrize("text", ["targets: [", "", "targets: 5"])
def test_a_configuration_that_cannot_be_read_completes_nothing(desk: Desk, text: str) -> None:
    """Quietly: a shell shows no errors while a line is typed."""
    desk.config.write_text(text, encoding="utf-8")
    assert completed(desk, "plan", "--target", "") == []
    assert completed(desk, "show", "") == ["last"]
