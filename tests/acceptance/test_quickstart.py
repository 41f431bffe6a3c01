"""docs/quickstart.md: every command of the page is run in order, and prints what the page shows."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.quickstart import Page, Shell, Step, masked, read_page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "quickstart.md"
FLOW = ("simulator", "check", "validate", "list", "plan", "explain", "run", "history", "show", "serve", "init")
"""The commands of the page, in the order in which it shows each for the first time."""


@pytest.fixture
def shell() -> Iterator[Shell]:
    """Give an empty folder and an empty home; what runs in the background ends with the test."""
    # The path is as long as the path that the page shows: a longer path changes where lines are broken.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, tempfile.TemporaryDirectory() as home:
        shell = Shell(Path(folder), Path(home))
        try:
            yield shell
        finally:
            shell.end()


def test_every_command_prints_what_the_page_shows(shell: Shell) -> None:
    """A command without an output on the page exits with 0, or with the code in its comment, like all others."""
    page = read_page(PAGE.read_text(encoding="utf-8"))
    assert follow(page, shell) == []


def test_the_page_shows_the_commands_in_this_order() -> None:
    """A newcomer looks before they delete."""
    page = read_page(PAGE.read_text(encoding="utf-8"))
    used = [found[1] for step in page.steps for command in step.commands if (found := re.match(r"nbsweep (\w+)", command.line))]
    assert tuple(dict.fromkeys(name for name in used if name in FLOW)) == FLOW


def follow(page: Page, shell: Shell) -> list[str]:
    """Run every step of a page; return what differs, with both sides."""
    return [found for step in page.steps if (found := difference(step, shell))]


def difference(step: Step, shell: Shell) -> str:
    """Run the commands of one step; return how they differ from the page, or nothing."""
    printed = "".join(shell.run(command, step.output) for command in step.commands)
    wrong = [f"{command.line}: exit code {command.found}" for command in step.commands if command.found != command.code]
    if step.output and masked(printed, shell.folder) != masked(step.output, shell.folder):
        wrong += [f"{step.commands[-1].line} printed:\n{masked(printed, shell.folder)}", f"the page:\n{step.output}"]
    return "\n".join(wrong)
