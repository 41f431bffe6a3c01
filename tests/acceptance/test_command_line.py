"""The command line as a whole: where `--config` stands, what the help shows."""

import pytest
import typer
from typer.core import TyperGroup

import nbsweep
from acceptance.support import Desk
from nbsweep.cli.main import GROUPS, app

WITHOUT_CONFIGURATION = {"schema", "demo", "simulator", "init"}
NEEDED = {
    "explain": ["nb-1"],
    "show": ["last"],
    "run": ["--dry-run"],
    "sweep": ["lab"],
    "journal prune": ["--dry-run"],
    "exempt add": ["nb-1", "--until", "30d", "--reason", "a paper"],
    "exempt revoke": ["e1"],
    "outbox retry": ["--all"],
    "notify test": ["mail"],
    "inventory": ["nb-1"],
    "fleet drain": ["worker-1:7"],
}


def command_paths(group: TyperGroup, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words of every command that reads a configuration."""
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        here = (*path, name)
        does_something = not isinstance(command, TyperGroup) or command.invoke_without_command
        takes_one = any(parameter.name == "config" for parameter in command.params)
        if does_something and takes_one and name not in WITHOUT_CONFIGURATION:
            found.append(here)
        if isinstance(command, TyperGroup):
            found += command_paths(command, here)
    return found


PATHS = command_paths(typer.main.get_group(app))


def test_the_version_has_a_short_option_and_no_command_shows_the_groups(desk: Desk) -> None:
    """What one does with the commands, in the order of a first day."""
    desk.names_config = False
    assert desk.run("-V").out == f"nbsweep {nbsweep.__version__}\n"
    shown = (alone := desk.run()).out + alone.err
    places = [shown.index(f"{title}:") for title in GROUPS]
    assert places == sorted(places)


@pytest.mark.parametrize("option", ["-c", "--config"])
@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_the_configuration_may_be_named_after_every_command(desk: Desk, path: tuple[str, ...], option: str) -> None:
    """It is the one that is read, also where another is named before the command."""
    desk.write("http://127.0.0.1:1")
    ended = desk.run(*path, *NEEDED.get(" ".join(path), []), option, "elsewhere.yaml")
    assert ended.code == 2
    assert "elsewhere.yaml" in ended.err + ended.out


def test_every_command_that_needs_a_configuration_takes_one() -> None:
    """A command that is added without the option is noticed here."""
    names = {path[0] for path in PATHS}
    assert names | WITHOUT_CONFIGURATION == set(typer.main.get_group(app).commands)
