"""An empty text where a command wants a name, as that of a variable of the shell that is not set."""

from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.testing import CliRunner

from nbsweep.cli.main import app

NAMES = frozenset({"--target", "--policy", "--exclude", "--owner", "--name", "--notebook", "--run"})
"""Options that name something; others, such as --reason, may be empty."""
ROOT = typer.main.get_group(app)


def commands(group: TyperGroup = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Yield all commands below a group, each with the words that call it."""
    for name, command in group.commands.items():
        yield (*path, name), command  # type: ignore[misc]  # typer makes no others
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))


def naming() -> Iterator[tuple[tuple[str, ...], TyperArgument | TyperOption]]:
    """Yield each command with each argument and option of it that names something."""
    for path, command in commands():
        for parameter in command.params:
            if isinstance(parameter, TyperArgument) or (isinstance(parameter, TyperOption) and NAMES & set(parameter.opts)):
                yield path, parameter


CASES = [pytest.param(*case, id=" ".join((*case[0], str(case[1].name)))) for case in naming()]


@pytest.mark.parametrize(("path", "parameter"), CASES)
@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_name_is_wrong_usage_that_names_the_argument(
    path: tuple[str, ...], parameter: TyperArgument | TyperOption, text: str
) -> None:
    """It does not stand for everything, and is not looked for: exit code 2."""
    is_argument = isinstance(parameter, TyperArgument)
    ended = CliRunner().invoke(app, [*path, text] if is_argument else [*path, parameter.opts[0], text])
    assert ended.exit_code == 2, ended.output
    assert (str(parameter.metavar).strip("[]") if is_argument else parameter.opts[0]) in ended.stderr
    assert "must not be empty" in ended.stderr


def test_all_arguments_of_commands_are_tried() -> None:
    """So that the test above is about something."""
    found = {" ".join(path) for path, parameter in naming() if isinstance(parameter, TyperArgument)}
    assert found == {
        "explain",
        "exempt add",
        "exempt revoke",
        "fleet drain",
        "inventory",
        "notify test",
        "outbox retry",
        "pause",
        "resume",
        "show",
        "sweep",
    }
