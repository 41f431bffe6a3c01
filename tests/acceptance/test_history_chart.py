"""`history --chart` and `--since`: the removals of each day, on terminals with and without colour."""

from datetime import UTC, datetime, timedelta

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle
from acceptance.terminal import on_a_terminal
from builders import removal, run_record
from nbsweep.adapters.journal import open_journal
from nbsweep.core.lifecycle import Removal, State

NOWHERE = "http://127.0.0.1:1"
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


def days_before(days: int) -> datetime:
    """Return noon of a day."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days)


def ended(number: int, days: int, state: State = State.DELETED) -> Removal:
    """Return a removal that ended on a day of the past."""
    return removal(number, run_id=f"run-{days}", state=state, ended_at=days_before(days), capacity_gb=10)


@pytest.fixture
async def past(desk: Desk) -> Desk:
    """Return a desk whose journal knows two days on which removals ended, and one long ago."""
    desk.write(NOWHERE)
    async with open_journal(f"sqlite:///{desk.journal}") as journal:
        await journal.write([ended(number, 3) for number in range(8)])
        await journal.write([ended(8, 3, State.FAILED), ended(9, 3, State.TIMED_OUT)])
        await journal.write([ended(number, 1) for number in range(10, 15)])
        await journal.write([ended(20, 200)])
        for days in (200, 3, 1):
            await journal.open_run(run_record(f"run-{days}", started_at=days_before(days)))
    return desk


def row(text: str, days: int) -> list[str]:
    """Return the cells of a day: its bar and its figures."""
    day = f"{days_before(days):%Y-%m-%d} "
    return next(line.replace("|", " ").split()[2:] for line in text.splitlines() if day in line and line.count(" ") > 9)


def test_a_pipe_gets_each_day_with_its_bar_and_its_figures(past: Desk) -> None:
    """Without colour or control characters; the first day is that of the first removal."""
    shown = past.run("history", "--chart")
    assert (shown.code, shown.err) == (0, "")
    assert "\x1b" not in shown.out
    bar, *figures = row(shown.out, 3)
    assert figures == ["8", "1", "1", "80"]
    assert bar == "█" * (len(bar) * 8 // 10) + "▒" * (len(bar) // 10) + "░" * (len(bar) // 10)
    assert row(shown.out, 2) == ["0", "0", "0", "0"]
    assert row(shown.out, 1)[1:] == ["5", "0", "0", "50"]
    assert len(row(shown.out, 1)[0]) * 2 == len(bar)
    assert "In all: 13 deleted, 1 failed, 1 timed out; 130 GB reclaimed." in shown.out
    assert f"{days_before(200):%Y-%m-%d}" not in shown.out


def test_since_goes_further_back_by_weeks(past: Desk) -> None:
    """200 days are weeks; the first one is that of the oldest removal."""
    shown = past.run("history", "--chart", "--since", "220d").out
    assert shown.startswith("Removals by week")
    assert "In all: 14 deleted, 1 failed, 1 timed out; 140 GB reclaimed." in shown


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, ASCII], ids=["colour", "no-colour", "ascii"])
def test_eighty_columns_show_it_on_every_terminal(past: Desk, environment: dict[str, str]) -> None:
    """With colours, by the characters alone, and with ASCII characters."""
    past.environment |= environment
    with on_a_terminal(past, "history", "--chart", columns=80) as terminal:
        assert terminal.ended() == 0
    lines = terminal.screen.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= 80
    signs = "#x." if environment is ASCII else "█▒░"
    bar, *figures = row("\n".join(lines), 3)
    assert "".join(dict.fromkeys(bar)) == signs
    assert figures == ["8", "1", "1", "80"]
    assert (b"\x1b[32m" in terminal.shown) is (environment != {"NO_COLOR": "1"})
    assert ("█" in terminal.screen) is (environment is not ASCII)


def test_since_shortens_the_table_and_the_json_too(past: Desk) -> None:
    """By when a sweep began; if none did, the answer says which one was the latest."""
    assert [one["run_id"] for one in past.run("history", "--since", "30d", "--format", "json").document] == ["run-1", "run-3"]
    assert "run-200" not in past.run("history", "--since", "30d").out
    none = past.run("history", "--since", "1m").out
    assert none.startswith("No sweep began since then. The latest sweep, run-1 of research, began at ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--chart", "--format", "json"], "leave out either it or --chart"),
        (["--chart", "--limit", "20"], "use --since 90d"),
        (["--chart", "--since", "soon"], "must be a duration"),
    ],
)
def test_what_a_chart_cannot_mean_is_bad_usage(past: Desk, arguments: list[str], words: str) -> None:
    """Exit code 2, and what to write."""
    refused = past.run("history", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.replace("│", " ").split())


def test_nothing_to_draw_says_why_and_what_to_do(simulate: Simulate, desk: Desk) -> None:
    """No sweep; a dry run; a sweep that deleted nothing; and nothing in this time."""
    desk.write(simulate([idle("nb-1", days=1)]))
    assert "The journal has no sweep yet" in desk.run("history", "--chart").out
    assert desk.run("run", "--dry-run").code == 0
    assert "was a dry run, which deletes nothing" in desk.run("history", "--chart").out
    assert desk.sweep().code == 0
    assert "`nbsweep list` why each notebook is kept" in desk.run("history", "--chart").out


async def test_a_time_without_a_sweep_is_named(desk: Desk) -> None:
    """With the option that shows more."""
    desk.write(NOWHERE)
    async with open_journal(f"sqlite:///{desk.journal}") as journal:
        await journal.open_run(run_record("old", started_at=days_before(90)))
    assert "Draw a longer time with --since" in desk.run("history", "--chart").out


def test_a_real_sweep_is_in_the_chart(simulate: Simulate, desk: Desk) -> None:
    """Two deleted, one that the cloud fails to delete."""
    cloud = simulate([idle(f"nb-{number}") for number in range(3)])
    cloud.break_with({"fault": "delete_failed", "notebook_id": "nb-1"})
    desk.write(cloud)
    desk.sweep()
    assert "In all: 2 deleted, 1 failed, 0 timed out;" in desk.run("history", "--chart").out
