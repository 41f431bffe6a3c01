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
from nbsweep.cli.starter_notices import Announcing
from nbsweep.core.errors import ConfigurationError
from nbsweep.core.notices.addresses import is_domain
from nbsweep.loading.file import find_config, read_settings
from nbsweep.settings.fields.units import parse_length
from nbsweep.settings.messages import suggestion
from nbsweep.settings.regions import REGIONS

NO_GRACE = "no"
"""The answer that nothing is announced."""
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
    grace: str | None = None
    mail_host: str | None = None
    mail_from: str | None = None
    owners_domain: str | None = None


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
        announcing=_announcing_of_options(given),
    )


def _announcing_of_options(given: Given) -> Announcing | None:
    others = {"--mail-host": given.mail_host, "--owners-domain": given.owners_domain}
    if given.grace is None:
        if unused := [option for option, value in (others | {"--mail-from": given.mail_from}).items() if value is not None]:
            raise typer.BadParameter(f"goes with --grace, which says how long before a deletion owners are told: {unused[0]}")
        return None
    if missing := [option for option, value in others.items() if value is None]:
        raise typer.BadParameter(f"needs {' and '.join(missing)} too, by which owners are told", param_hint="--grace")
    host, domain = given.mail_host or "", given.owners_domain or ""
    return Announcing(given.grace, host, given.mail_from or f"nbsweep@{domain}", domain)


def _asked(given: Given) -> Starter:
    """Ask for what the options leave open."""
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
        announcing=_ask_announcing(given),
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


def _ask_announcing(given: Given) -> Announcing | None:
    grace = given.grace
    if grace is None:
        question = "How long before a deletion are owners told, such as 7d (no: delete unannounced)"
        grace = _ask(question, NO_GRACE, _grace)
    if grace == NO_GRACE:
        return None
    domain = given.owners_domain or _ask("Mail domain of the owners, such as example.com", "", _domain)
    host = given.mail_host or _ask("Mail server", f"mail.{domain}", str.strip)
    sender = given.mail_from or _ask("Sender of the mails", f"nbsweep@{domain}", str.strip)
    return Announcing(grace, host, sender, domain)


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


def _grace(text: str) -> str:
    if text.strip() != NO_GRACE:
        try:
            parse_length(text.strip())
        except ValueError as error:
            raise typer.BadParameter(f"it {error}; or {NO_GRACE}") from error
    return text.strip()


def _domain(text: str) -> str:
    if not is_domain(text.strip()):
        raise typer.BadParameter("it must be a mail domain, such as example.com")
    return text.strip()


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
    told = ("notify test mail --to ADDRESS", "notify preview") if starter.announcing else ()
    steps += [f"nbsweep{option} {command}" for command in ("validate", "check", *told, "plan")]
    return f"Wrote {path}: a dry run, which deletes nothing. Next:\n" + "".join(f"  {step}\n" for step in steps)
