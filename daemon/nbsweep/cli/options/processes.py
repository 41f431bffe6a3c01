"""The command `fleet` and its subcommands.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from typing import Annotated

import typer

from nbsweep.cli.examples import example_text
from nbsweep.cli.options.shared import ConfigOption, TableOrJson, Wide, not_empty

app = typer.Typer(name="fleet", rich_markup_mode=None)


@app.callback(invoke_without_command=True, epilog=example_text("fleet"))
def fleet(context: typer.Context, *, output: TableOrJson = "table", wide: Wide = False, config: ConfigOption = None) -> None:
    """Show the workers of a fleet, who leads it, who holds which account, and what is due."""
    if context.invoked_subcommand is not None:
        if output != "table" or wide:
            raise typer.BadParameter(f"give options of `fleet {context.invoked_subcommand}` after its name")
        context.obj = config or context.obj
        return
    status(context, output, wide, config)


@app.command(epilog=example_text("fleet status"))
def status(context: typer.Context, output: TableOrJson = "table", wide: Wide = False, config: ConfigOption = None) -> None:
    """Show the fleet, as `fleet` alone does. Exit code 1 if something needs attention."""
    from nbsweep.cli.commands.fleet import fleet_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(
        make_session(load(config or context.obj, journal_only=True), plain_screen(wide=wide)),
        lambda session: fleet_command(session, output),
    )


@app.command(epilog=example_text("fleet drain"))
def drain(
    context: typer.Context,
    worker: Annotated[
        str,
        typer.Argument(
            metavar="HOST:PID",
            help="The worker, as `fleet` shows it; the host is enough if it has one worker.",
            callback=not_empty,
        ),
    ],
    config: ConfigOption = None,
) -> None:
    """Ask a worker to take no more accounts, to follow its accepted deletions to their end, and to end."""
    from nbsweep.cli.commands.fleet import drain_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(
        make_session(load(config or context.obj, journal_only=True), plain_screen()),
        lambda session: drain_command(session, worker),
    )
