"""Options that several commands have."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from nbsweep.cli.options.completion import policy_names, target_names


def not_empty(context: typer.Context, value: str | Sequence[str] | None) -> str | Sequence[str] | None:
    """Refuse an empty text where something has to be named, as that of a variable of the shell that is not set."""
    texts = [value] if isinstance(value, str) else value or ()
    if any(not text.strip() for text in texts) and not context.resilient_parsing:
        raise typer.BadParameter("must not be empty")
    return value


TargetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="NAME",
        help="Only this target. May be repeated.",
        autocompletion=target_names,
        callback=not_empty,
    ),
]
PolicyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        metavar="NAME",
        help="Only what this policy decides. May be repeated.",
        autocompletion=policy_names,
        callback=not_empty,
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="ID|NAME", help="Leave this notebook out. May be repeated.", callback=not_empty),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", help="When the pause ends: a duration such as 8h, or a time such as 2026-12-01T08:00."),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; shown wherever the pause is.")]
TableOrJson = Annotated[Literal["table", "json"], typer.Option("--format", help="The format of the result on stdout.")]
Wide = Annotated[bool, typer.Option("--wide", help="Show every column and the full text, wider than the terminal.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        readable=False,
        help="The configuration file. Default: $NBSWEEP_CONFIG, ./nbsweep.yaml, or /etc/nbsweep/nbsweep.yaml.",
    ),
]
"""May be given before or after the command; the option after the command takes precedence."""
