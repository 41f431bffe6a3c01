"""docs/quickstart.md and README.md: every command is run in order, and prints what the page shows; the short version agrees."""

import difflib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from acceptance.quickstart import Page, Shell, Step, masked, read_page
from acceptance.support import Desk
from nbsweep.cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "quickstart.md"
README = (ROOT / "README.md").read_text(encoding="utf-8")
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
    if differences := follow(page, shell):
        pytest.fail("\n".join(differences))


def test_the_page_shows_the_commands_in_this_order() -> None:
    """A newcomer looks before they delete."""
    page = read_page(PAGE.read_text(encoding="utf-8"))
    used = [found[1] for step in page.steps for command in step.commands if (found := re.match(r"nbsweep (\w+)", command.line))]
    assert tuple(dict.fromkeys(name for name in used if name in FLOW)) == FLOW


def test_the_configuration_of_the_readme_has_no_mistake_and_no_doubt(desk: Desk) -> None:
    """As it is, with the two variables that it names."""
    (example,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", README)
    desk.config.write_text(example, encoding="utf-8")
    desk.environment |= {"AK": "an-access-key", "SK": "a-secret-key"}
    ended = desk.run("validate")
    assert (ended.code, ended.out) == (0, f"{desk.config}: no mistakes, no doubts.\n")


def test_the_commands_of_the_readme_are_those_of_the_quickstart() -> None:
    """In the same order, and each of their options exists."""
    commands = typer.main.get_group(app).commands
    (block,) = re.findall(r"(?ms)^```sh\n(nbsweep .*?)^```$", README)
    lines = [line.partition("#")[0].split()[1:] for line in block.splitlines()]
    for name, *words in lines:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known
    names = dict.fromkeys(name for name, *_ in lines)
    assert tuple(names) == tuple(name for name in FLOW if name in names)


def follow(page: Page, shell: Shell) -> list[str]:
    """Run every step of a page; return what differs, with both sides."""
    return [found for step in page.steps if (found := difference(step, shell))]


def difference(step: Step, shell: Shell) -> str:
    """Run the commands of one step; return how they differ from the page, or nothing."""
    printed = "".join(shell.run(command, step.output) for command in step.commands)
    wrong = [f"{command.line}: exit code {command.found}" for command in step.commands if command.found != command.code]
    if step.output:
        shown, found = masked(step.output, shell.folder).splitlines(), masked(printed, shell.folder).splitlines()
        wrong += difflib.unified_diff(shown, found, "the page", step.commands[-1].line, lineterm="")
    return "\n".join(wrong)
