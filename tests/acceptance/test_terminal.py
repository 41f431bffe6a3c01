"""On a terminal: what is asked, what is drawn, and what Ctrl-C does. The terminal is a real one, made by the system."""

import os
import pty
from contextlib import suppress

import pytest

from acceptance.conftest import Simulate
from acceptance.support import PATIENCE_S, Desk, ended_afterwards, eventually, idle, idle_fleet, target
from acceptance.terminal import on_a_terminal, start_on

QUESTION = "storage permanently: "
CTRL_C = "\x03"


def test_whoever_does_not_type_the_number_deletes_nothing(simulate: Simulate, desk: Desk) -> None:
    """The plan is shown, the question asked; `no` is answered with declined, and no request was made but GET."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud)
    with on_a_terminal(desk, "run") as terminal:
        terminal.wait_for(QUESTION)
        assert "nb-000" in terminal.screen
        assert "Type 3 to delete these 3 notebooks of lab with all their storage permanently:" in " ".join(
            terminal.screen.split()
        )
        terminal.type("no\n")
        assert terminal.ended() == 6
        assert "declined" in terminal.screen
    assert cloud.writes() == []


def test_whoever_types_the_number_sees_it_done(simulate: Simulate, desk: Desk) -> None:
    """Progress is drawn meanwhile: how many are requested, deleting, deleted, and how fast."""
    cloud = simulate(idle_fleet(12), timing={"deletion_median_s": 0.6})
    desk.write(cloud, target={"limits": {"delete": "10/s"}})
    with on_a_terminal(desk, "run") as terminal:
        terminal.wait_for(QUESTION)
        terminal.type("12\n")
        terminal.wait_for(" deleting")
        assert terminal.ended() == 0
        screen = terminal.screen
    assert cloud.gone() == set(cloud.instances())
    for words in ("12/12", " requested", " DELETEs/s", "12 deleted", "600 GB reclaimed"):
        assert words in screen
    assert "Traceback" not in screen
    assert '"event"' not in screen


def test_ctrl_c_at_the_question_deletes_nothing(simulate: Simulate, desk: Desk) -> None:
    """Exit 130 at once, without waiting for a line, and the terminal is left as it was."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud)
    with on_a_terminal(desk, "run") as terminal:
        terminal.wait_for(QUESTION)
        terminal.type(CTRL_C)
        assert terminal.ended() == 130
        assert "Traceback" not in terminal.screen
        assert terminal.shown.count(b"\x1b[?25l") == terminal.shown.count(b"\x1b[?25h")
        assert "interrupted" in terminal.screen
    assert cloud.writes() == []


def test_the_end_of_input_is_no_yes(simulate: Simulate, desk: Desk) -> None:
    """Ctrl-D deletes nothing."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    with on_a_terminal(desk, "run") as terminal:
        terminal.wait_for(QUESTION)
        terminal.type("\x04")
        assert terminal.ended() == 6
    assert cloud.writes() == []


@pytest.mark.parametrize("answer", ["yes\n", "y\n", "\n", "2\n", "03\n", "3 3\n", "3\x04\x04", "٣\n"])
def test_no_answer_but_the_number_deletes_anything(simulate: Simulate, desk: Desk, answer: str) -> None:
    """The number of notebooks and the end of the line: another number, another word or half a line decline."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud)
    with on_a_terminal(desk, "run") as terminal:
        terminal.wait_for(QUESTION)
        terminal.type(answer)
        assert terminal.ended() == 6
        assert "declined" in terminal.screen
    assert cloud.writes() == []


def test_what_was_typed_before_the_question_is_no_answer(simulate: Simulate, desk: Desk) -> None:
    """The right number, typed while the survey goes on, approves nothing: nobody had seen the plan."""
    cloud = simulate(idle_fleet(3), faults={"script": [{"fault": "hang", "kind": "list_all", "hold_s": 1}]})
    desk.write(cloud)
    with on_a_terminal(desk, "run") as terminal:
        terminal.type("yes\n3\n3\n")
        terminal.wait_for(QUESTION)
        terminal.type("no\n")
        assert terminal.ended() == 6
        assert "declined" in terminal.screen
    assert cloud.writes() == []


def test_an_answer_for_two_approves_the_one_that_was_shown(simulate: Simulate, desk: Desk) -> None:
    """Two targets with as many notebooks each: what stood behind the first answer is not taken for the second."""
    cloud = simulate([*idle_fleet(3), *(idle(f"lab-{number}", feature="DEFAULT") for number in range(3))])
    desk.write(cloud, targets=[target(cloud.url, name="one"), target(cloud.url, name="two", features=["DEFAULT"])])
    with on_a_terminal(desk, "run") as terminal:
        terminal.wait_for(QUESTION)
        terminal.type("3\n3\n3\n")
        eventually(lambda: terminal.screen.count(QUESTION) == 2, "the second question")
        terminal.type("no\n")
        assert terminal.ended() == 6
    assert len(cloud.gone()) == len(cloud.accepted()) == 3


def test_ctrl_c_in_mid_sweep_is_answered(simulate: Simulate, desk: Desk) -> None:
    """It says what it does now, finishes what was accepted, and ends with 130; that is no problem of the target."""
    cloud = simulate(idle_fleet(20), timing={"deletion_median_s": 1.0})
    desk.write(cloud, target={"limits": {"delete": "10/s"}})
    desk.run("run", "--dry-run")
    with on_a_terminal(desk, "run", "--yes") as terminal:
        eventually(lambda: len(cloud.accepted()) >= 3, "three accepted DELETEs")
        terminal.type(CTRL_C)
        terminal.wait_for("Stopping")
        assert terminal.ended() == 130
        assert "Traceback" not in terminal.screen
    assert cloud.gone() == set(cloud.accepted())
    assert len(cloud.gone()) < 20
    (status,) = (stood := desk.run("status", "--format", "json")).document
    assert (stood.code, status["problems"], status["last_sweep"]["outcome"]) == (0, [], "interrupted")


@pytest.mark.parametrize("options", [("--yes",), ("--yes", "--format", "json")])
def test_a_terminal_that_vanishes_leaves_no_deletion_unfollowed(
    simulate: Simulate, desk: Desk, options: tuple[str, ...]
) -> None:
    """Its window is closed in mid-sweep: no more is taken, what was accepted is followed to its end, exit 130."""
    cloud = simulate(idle_fleet(20), timing={"deletion_median_s": 1.0})
    desk.write(cloud, target={"limits": {"delete": "10/s"}})
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    with ended_afterwards(start_on(theirs, desk, "run", *options)) as process:

        def accepted() -> bool:
            with suppress(BlockingIOError):
                os.read(ours, 65_536)
            return len(cloud.accepted()) >= 3

        eventually(accepted, "three accepted DELETEs")
        os.close(ours)
        assert process.wait(PATIENCE_S) == 130
    assert cloud.gone() == set(cloud.accepted())
    assert 3 <= len(cloud.gone()) < 20
    [swept] = desk.run("history", "--format", "json").document
    assert swept["outcome"] == "interrupted"
    ends = desk.run("show", swept["run_id"], "--format", "json").document["results"]
    assert {end["id"] for end in ends if end["outcome"] == "deleted"} == cloud.gone()


def test_names_of_other_people_do_nothing_to_the_terminal(simulate: Simulate, desk: Desk) -> None:
    """A name that would set the window's title, clear the screen or paint over the line above is shown harmless."""
    names = {"title": "\x1b]0;owned\x07", "clear": "\x1b[2Jcleared", "eight-bit": "\x9b2Jc1", "up": "\r\nupset\x1b[5A"}
    cloud = simulate([idle(key, name=name) for key, name in names.items()])
    desk.write(cloud)
    with on_a_terminal(desk, "run", "--yes") as terminal:
        assert terminal.ended() == 0
        shown = bytes(terminal.shown)
    assert cloud.gone() == set(names)
    for harm in (b"\x1b]0;", b"\x1b[2J", "\x9b".encode(), b"\x1b[5A", b"\x07"):
        assert harm not in shown


def test_a_mistake_is_told_in_plain_text(desk: Desk) -> None:
    """On a terminal a person reads it: no JSON."""
    desk.config.write_text("targets: []\npolicies: []\nbrake: {}\n", encoding="utf-8")
    with on_a_terminal(desk, "run") as terminal:
        assert terminal.ended() == 2
        screen = terminal.screen
    assert "cannot be used" in screen
    assert "line 3: brake" in screen
    assert '"event"' not in screen
