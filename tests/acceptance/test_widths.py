"""Tables on terminals of several widths: what is left out, and what never is."""

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle
from acceptance.terminal import on_a_terminal

LONG = "llama-finetuning-of-the-whole-speech-team-2023-11-b"
OWNER = "somebody.with-a-long-name"
VOLUME = {"category": "EVS", "ownership": "MANAGED"}


def lines_of(desk: Desk, *arguments: str, columns: int) -> list[str]:
    """Return what a command shows on a terminal of so many columns."""
    with on_a_terminal(desk, *arguments, columns=columns) as terminal:
        terminal.ended()
    # The progress is drawn over itself.
    return [
        line.rstrip()
        for line in terminal.screen.replace("\r", "").splitlines()
        if "\N{BOX DRAWINGS HEAVY HORIZONTAL}" not in line
    ]


@pytest.fixture
def used(simulate: Simulate, desk: Desk) -> Desk:
    """Return a desk with a journal of one sweep, whose two notebooks have long names; one cannot be deleted."""
    cloud = simulate(
        [
            idle("nb-1", name=LONG, owner=OWNER, volume=VOLUME | {"capacity": 1000}),
            idle("nb-2", name="small", owner=OWNER, volume=VOLUME | {"capacity": 5}),
        ]
    )
    desk.write(cloud)
    return desk


COMMANDS = [["plan"], ["history"], ["audit"], ["status"], ["check"], ["run", "--dry-run"]]


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(used: Desk, columns: int) -> None:
    """At any width the gigabytes are whole, and so is the reason, which may go over two lines."""
    used.run("run", "--dry-run")
    for arguments in COMMANDS:
        lines = lines_of(used, *arguments, columns=columns)
        assert max(map(len, lines)) <= columns, arguments
    plan = " ".join(" ".join(lines_of(used, "plan", columns=columns)).split())
    assert "1000" in plan
    assert "> 14d" in plan


def test_eighty_columns_leave_out_what_is_needed_least(used: Desk) -> None:
    """The reason names status and idle time anyway, so their columns go first; with room for it, everything is there."""
    narrow = next(line for line in lines_of(used, "plan", columns=80) if "NOTEBOOK" in line)
    assert narrow.split() == ["ID", "NOTEBOOK", "OWNER", "GB", "WHY"]
    wide = next(line for line in lines_of(used, "plan", columns=200) if "NOTEBOOK" in line)
    assert wide.split() == ["ID", "NOTEBOOK", "OWNER", "STATUS", "IDLE", "GB", "POLICY", "WHY"]


@pytest.mark.parametrize("arguments", [["plan"], ["run", "--dry-run"]])
def test_wide_shows_the_full_text_whatever_the_terminal(used: Desk, arguments: list[str]) -> None:
    """Every column, every name, and the reason with its threshold in words."""
    shown = "".join(lines_of(used, *arguments, "--wide", columns=80))
    assert LONG in shown
    assert OWNER in shown
    assert "status STOPPED; idle " in shown
    assert "(over 14d)" in shown
    piped = used.run(*arguments, "--wide").out
    line = next(line for line in piped.splitlines() if LONG in line)
    assert line.endswith("(over 14d)")
