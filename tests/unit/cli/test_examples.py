"""Each command has an example in its help, and each example can be run as it stands."""

import shlex

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from nbsweep.cli.examples import EXAMPLES
from nbsweep.cli.main import app

ROOT = typer.main.get_group(app)
AFTER_THE_COMMAND = {"|", ">"}


def commands(group: TyperGroup = ROOT, path: str = "") -> dict[str, TyperCommand]:
    """Return all commands with their full names; a group that does something without a subcommand is one too."""
    found: dict[str, TyperCommand] = {}
    for name, command in group.commands.items():
        full = f"{path} {name}".strip()
        found[full] = command  # type: ignore[assignment]  # typer makes no others
        if isinstance(command, TyperGroup):
            found |= commands(command, full)
            if not command.invoke_without_command:
                del found[full]
    return found


def test_every_command_has_an_example_and_every_example_a_command() -> None:
    """A command that is added needs one."""
    assert EXAMPLES.keys() == commands().keys()
    assert [name for name, command in commands().items() if EXAMPLES[name][0] not in (command.epilog or "")] == []


@pytest.mark.parametrize(("name", "example"), [(name, example) for name in EXAMPLES for example in EXAMPLES[name]])
def test_an_example_is_taken_by_its_command(name: str, example: str) -> None:
    """Its options exist, and their values are of the right kind."""
    words = shlex.split(example)
    cut = next((place for place, word in enumerate(words) if word in AFTER_THE_COMMAND), len(words))
    program, *rest = words[:cut]
    path = name.split()
    assert (program, rest[: len(path)]) == ("nbsweep", path)
    context = commands()[name].make_context(path[-1], rest[len(path) :], obj=None)
    assert context.args == []
