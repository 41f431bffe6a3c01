"""`init`: a first configuration, from answers or options; and the files that the package contains."""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TypeVar

import typer
from msgspec import Struct

from nbsweep.cli.exits import Exit
from nbsweep.cli.starter import (
    CREDENTIALS,
    RULES,
    USUAL_REGION,
    USUAL_RULES,
    VARIABLES,
    Credentials,
    Rule,
    Starter,
    starter_text,
)
from nbsweep.core.errors import ConfigurationError
from nbsweep.loading.file import find_config, read_settings
from nbsweep.settings.messages import suggestion
from nbsweep.settings.regions import REGIONS

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)


class Given(Struct, frozen=True):
    """The values of the options; None or an empty tuple for a value that is asked for, or taken from the defaults."""

    name: str
    region: str | None
    endpoint: str | None
    project_id: str | None
    credentials: Credentials | None
    rules: tuple[Rule, ...]


def print_packaged(names: Sequence[str]) -> None:
    """Write a file of the package to stdout."""
    if len(names) > 1:
        raise typer.BadParameter("each of them prints a whole file; give one at a time", param_hint="--sample, --schema, ...")
    sys.stdout.write(resources.files("nbsweep").joinpath("data", names[0]).read_text(encoding="utf-8"))


def init_command(given: Given, config: Path | None, *, ask: bool) -> None:
    """Write a configuration from the options, the answers and the defaults."""
    path = find_config(config or Path(os.environ.get("NBSWEEP_CONFIG") or "nbsweep.yaml"), os.environ)
    if os.path.lexists(path):
        raise _unusable(path, "it exists, and init overwrites nothing; name another file with --config")
    if ask and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise typer.BadParameter("there is no terminal to ask on; give --yes to take the defaults", param_hint="--yes")
    starter = _asked(given) if ask else _by_default(given)
    text = starter_text(starter)
    _refuse_mistakes(path, text, starter)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise _unusable(path, error.strerror or "unknown reason") from error
    sys.stdout.write(_next_steps(path, starter))


def _unusable(path: Path, reason: str) -> typer.BadParameter:
    return typer.BadParameter(f"{path} is not written: {reason}", param_hint="--config")


def _by_default(given: Given) -> Starter:
    return Starter(
        name=given.name,
        region=given.region or (None if given.endpoint else USUAL_REGION),
        endpoint=given.endpoint,
        project_id=given.project_id,
        credentials=given.credentials or Credentials.STANDARD,
        rules=given.rules or USUAL_RULES,
    )


def _asked(given: Given) -> Starter:
    """Ask for what the options leave open. The question about announcing belongs here once policies can announce."""
    region = given.region
    if region is None and given.endpoint is None:
        region = _ask("Region", USUAL_REGION, _known_region)
    project_id = given.project_id
    if project_id is None:
        project_id = _ask("Project id (leave it empty to have it looked up by the region)", "", _project_id)
    return Starter(
        name=given.name,
        region=region,
        endpoint=given.endpoint,
        project_id=project_id or None,
        credentials=given.credentials or _ask_credentials(),
        rules=given.rules or _ask_rules(),
    )


def _ask(question: str, default: str, check: Callable[[str], T]) -> T:
    try:
        answer: T = typer.prompt(question, default=default, show_default=bool(default), value_proc=check, err=True)
    except typer.Abort:
        sys.stderr.write("\nInterrupted: nothing is written.\n")
        raise typer.Exit(Exit.INTERRUPTED) from None
    return answer


def _ask_credentials() -> Credentials:
    _list("Where are the credentials?", CREDENTIALS)
    return _ask("Credentials", Credentials.STANDARD.value, lambda text: _one_of(text, CREDENTIALS))


def _ask_rules() -> tuple[Rule, ...]:
    _list("Which notebooks may be deleted? Name one or more.", RULES)

    def check(text: str) -> tuple[Rule, ...]:
        return tuple(_one_of(word, RULES) for word in re.split(r"[\s,]+", text.strip()) if word)

    return _ask("Rules", " ".join(USUAL_RULES), check)


def _list(title: str, choices: Mapping[Choice, str]) -> None:
    width = max(map(len, choices))
    lines = "".join(f"  {number}  {name:<{width}}  {text}\n" for number, (name, text) in enumerate(choices.items(), 1))
    typer.echo(f"\n{title}\n{lines}", err=True, nl=False)


def _one_of(text: str, choices: Mapping[Choice, str]) -> Choice:
    """Return the choice of that name or number."""
    found = {str(number): name for number, name in enumerate(choices, 1)} | {str(name): name for name in choices}
    if text.strip() not in found:
        raise typer.BadParameter(
            f"{text.strip()} is none of the choices. {suggestion(text.strip(), [str(name) for name in choices])}"
        )
    return found[text.strip()]


def _known_region(text: str) -> str:
    region = text.strip()
    if region not in REGIONS:
        raise typer.BadParameter(f"{region} is no region with a known endpoint. {suggestion(region, sorted(REGIONS))}")
    return region


def _project_id(text: str) -> str:
    if text and not re.fullmatch("[0-9a-f]{32}", text.strip()):
        raise typer.BadParameter("it has 32 hexadecimal digits; the console shows it under My Credentials, API Credentials")
    return text.strip()


def _refuse_mistakes(path: Path, text: str, starter: Starter) -> None:
    """Raise if the configuration would have a mistake, such as an unknown region; the variables that it names count as set."""
    try:
        read_settings(str(path), text, dict(os.environ) | dict.fromkeys(VARIABLES[starter.credentials], "x"))
    except ConfigurationError as error:
        problems = "; ".join(f"{mistake.path} {mistake.problem}" for mistake in error.mistakes)
        raise typer.BadParameter(f"{path} is not written, because it would have mistakes: {problems}") from error


def _next_steps(path: Path, starter: Starter) -> str:
    missing = [name for name in VARIABLES[starter.credentials] if not os.environ.get(name)]
    option = "" if path == Path("nbsweep.yaml") or str(path) == os.environ.get("NBSWEEP_CONFIG") else f" --config {path}"
    steps = [f"export {' '.join(f'{name}=...' for name in missing)}"] if missing else []
    steps += [f"nbsweep{option} {command}" for command in ("validate", "check", "plan")]
    return f"Wrote {path}: a dry run, which deletes nothing. Next:\n" + "".join(f"  {step}\n" for step in steps)
