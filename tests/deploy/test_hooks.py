"""What docs/howto/deploy.md gives to copy: the line for crontab, and the hook for a unit that failed."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apscheduler.triggers.cron import CronTrigger

from deploy.support import ROOT, call

PAGE = (ROOT / "docs" / "howto" / "deploy.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the only block of code in a language."""
    (text,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```", PAGE)
    assert isinstance(text, str)
    return text


def script(place: Path, text: str) -> Path:
    """Write an executable script."""
    place.write_text(text, encoding="utf-8")
    place.chmod(0o755)
    return place


def command_of_the_line() -> str:
    """Return what cron would give to the shell: without the five fields, and a % would be a line feed."""
    *settings, line = block("text").splitlines()
    assert all(re.fullmatch(r"\w+=\S+", setting) for setting in settings)
    command = line.split(maxsplit=5)[5]
    assert "%" not in command
    return command


def test_the_line_is_due_every_night() -> None:
    """By a library that reads the five fields of a crontab."""
    line = block("text").splitlines()[-1]
    trigger = CronTrigger.from_crontab(" ".join(line.split()[:5]), timezone="UTC")
    assert trigger.get_next_fire_time(None, datetime(2026, 1, 1, 12, tzinfo=UTC)) == datetime(2026, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(("code", "mailed"), [(0, ""), (3, "a line of the log\n"), (4, "a line of the log\n")])
def test_cron_has_something_to_mail_only_when_a_sweep_did_not_end_well(tmp_path: Path, code: int, mailed: str) -> None:
    """The line is run by the shell, with a stand-in for nbsweep."""
    calls = f'echo "$@" > {tmp_path}/arguments; echo "{{}}"; echo a line of the log >&2; exit {code}'
    program = script(tmp_path / "nbsweep", f"#!/bin/sh\n{calls}\n")
    said = call("sh", "-c", command_of_the_line().replace("/opt/nbsweep/bin/nbsweep", str(program)), HOME=str(tmp_path))
    assert (said.stdout, said.stderr) == (mailed, "")
    assert (tmp_path / "arguments").read_text(encoding="utf-8") == "run --yes --format json\n"
    assert (tmp_path / "last-sweep.json").read_text(encoding="utf-8") == "{}\n"


def test_the_hook_mails_the_log_of_the_unit_that_failed(tmp_path: Path) -> None:
    """With stand-ins for journalctl and curl, and the variables that systemd sets."""
    hook = script(tmp_path / "on-failure", block("sh"))
    script(tmp_path / "journalctl", '#!/bin/sh\necho "the log: $*"\n')
    script(tmp_path / "curl", '#!/bin/sh\nfor last; do :; done\necho "$last"\ncat\n')
    said = call(hook, "nbsweep-sweep", PATH=f"{tmp_path}:/usr/bin:/bin", MONITOR_EXIT_STATUS="3")
    assert said.returncode == 0, said.stderr
    address, *mail = said.stdout.splitlines()
    assert address.startswith("smtp://")
    assert mail == [
        "From: nbsweep@example.com",
        "To: platform@example.com",
        "Subject: nbsweep-sweep failed: exit code 3",
        "",
        "the log: --unit nbsweep-sweep --lines 50 --no-pager --output cat",
    ]
