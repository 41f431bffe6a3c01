"""The command `list`.

Only options, no logic. What the command needs is imported when it is called, so that `--help` is shown at once.
"""

from enum import StrEnum
from typing import Annotated, Literal

import typer

from nbsweep.cli.options.shared import ConfigOption, ExcludeOption, PolicyOption, TargetOption, Wide, not_empty

OpenMarkOption = StrEnum("OpenMarkOption", ["marked", "told", "due", "held-out", "exempt"])
Sort = Literal["idle", "size", "name", "owner", "status", "policy", "verdict", "created", "goes"]


def list_(
    context: typer.Context,
    output: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", help="The format of the result on stdout.")
    ] = "table",
    owner: Annotated[
        list[str] | None,
        typer.Option("--owner", metavar="GLOB", help="Only notebooks of this owner. May be repeated.", callback=not_empty),
    ] = None,
    status: Annotated[
        list[str] | None, typer.Option("--status", metavar="STATUS", help="Only notebooks in this status. May be repeated.")
    ] = None,
    state: Annotated[
        list[OpenMarkOption] | None,
        typer.Option("--state", help="Only notebooks whose mark is in this state. May be repeated."),
    ] = None,
    verdict: Annotated[Literal["keep", "delete"] | None, typer.Option("--verdict", help="Only this verdict.")] = None,
    within: Annotated[
        str | None,
        typer.Option(
            "--within", metavar="TIME", help="Only notebooks to delete within this time if nothing changes, such as 7d."
        ),
    ] = None,
    sort: Annotated[Sort | None, typer.Option("--sort", help="The order; the longest idle first unless given.")] = None,
    wide: Wide = False,
    target: TargetOption = None,
    policy: PolicyOption = None,
    exclude: ExcludeOption = None,
    config: ConfigOption = None,
) -> None:
    """List every notebook with its verdict, and why. Changes nothing."""
    from nbsweep.cli.choice import choose
    from nbsweep.cli.commands.list import ListOptions, filters_of, list_command
    from nbsweep.cli.screen import live_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(load(config or context.obj), live_screen(wide=wide))
    choice = choose(session.settings, target, policy, exclude)
    filters = filters_of(owner, status, state, verdict, within, choice)
    run(session, lambda session: list_command(session, ListOptions(output, sort, filters, choice)))
