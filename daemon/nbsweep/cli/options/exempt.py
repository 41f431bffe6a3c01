"""The subcommands of `exempt`.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from typing import Annotated

import typer

from nbsweep.cli.examples import example_text
from nbsweep.cli.options.completion import target_names
from nbsweep.cli.options.shared import ConfigOption, TableOrJson, Wide, not_empty

app = typer.Typer(
    name="exempt",
    help="Keep notebooks from the policies, until an end: grant, list and revoke exemptions.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.callback()
def options(context: typer.Context, config: ConfigOption = None) -> None:
    """Keep notebooks from the policies, until an end: grant, list and revoke exemptions."""
    context.obj = config or context.obj


@app.command(epilog=example_text("exempt add"))
def add(
    context: typer.Context,
    *,
    notebook: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|ID]", help="The ID of the notebook, its beginning, or the name.", callback=not_empty),
    ] = None,
    until: Annotated[
        str, typer.Option("--until", metavar="DATE|DURATION", help="The end: 2026-12-31 (that day included) or 30d.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record; owners read it too.")],
    owner: Annotated[
        str | None,
        typer.Option("--owner", metavar="OWNER", help="All notebooks of this owner, by name or ID.", callback=not_empty),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="GLOB", help="All notebooks whose names match, such as 'exp-*'.", callback=not_empty),
    ] = None,
    ticket: Annotated[
        str, typer.Option("--ticket", metavar="TEXT", help="The reference of the request in another system.")
    ] = "",
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="NAME",
            help="Only on this target; without it, on all.",
            autocompletion=target_names,
            callback=not_empty,
        ),
    ] = None,
    id_only: Annotated[
        bool, typer.Option("--id-only", help="Keep any notebook with this ID, without asking the cloud when it was created.")
    ] = False,
    output: TableOrJson = "table",
    config: ConfigOption = None,
) -> None:
    """Grant an exemption, which ends by itself. Exit code 3 if a DELETE was requested already, so that it is too late."""
    from nbsweep.cli.choice import require_known
    from nbsweep.cli.commands.exempt import AddOptions, add_command
    from nbsweep.cli.screen import live_screen
    from nbsweep.cli.session import load, make_session, run

    options = AddOptions(notebook, until, reason, owner, name, ticket, target or "", id_only, output, config or context.obj)
    settings = load(config or context.obj, journal_only=True)
    require_known("--target", "target", [target] if target else [], (each.name for each in settings.targets))
    session = make_session(settings, live_screen())
    run(session, lambda session: add_command(session, options))


@app.command("list", epilog=example_text("exempt list"))
def list_(
    context: typer.Context,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that have ended or were revoked.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The number of exemptions, with --all.")] = 1000,
    output: TableOrJson = "table",
    wide: Wide = False,
    config: ConfigOption = None,
) -> None:
    """List the exemptions that are in force, and how many each owner has."""
    from nbsweep.cli.commands.exempt import list_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(load(config or context.obj, journal_only=True), plain_screen(wide=wide))
    run(session, lambda session: list_command(session, limit if every else None, output, wide=wide))


@app.command(epilog=example_text("exempt revoke"))
def revoke(
    context: typer.Context,
    exemption: Annotated[
        str, typer.Argument(metavar="EXEMPTION", help="The ID of the exemption, from `exempt list`.", callback=not_empty)
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")] = "",
    config: ConfigOption = None,
) -> None:
    """Revoke an exemption: the policies decide again. It stays on record."""
    from nbsweep.cli.commands.exempt import revoke_command
    from nbsweep.cli.screen import live_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(load(config or context.obj, journal_only=True), live_screen())
    run(session, lambda session: revoke_command(session, exemption, reason))
