"""The subcommands of `journal`.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from typing import Annotated

import typer

from nbsweep.cli.examples import example_text
from nbsweep.cli.options.shared import ConfigOption, TableOrJson

app = typer.Typer(name="journal", help="Look after the journal.", rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def options(context: typer.Context, config: ConfigOption = None) -> None:
    """Look after the journal."""
    context.obj = config or context.obj


@app.command(epilog=example_text("journal prune"))
def prune(
    context: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, by month, and delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without a prompt. Required without a terminal.")] = False,
    output: TableOrJson = "table",
    config: ConfigOption = None,
) -> None:
    """Delete what ended before `retention.keep`, as a sweep does once a day, but to the end."""
    from nbsweep.cli.commands.prune import PruneOptions, prune_command, require_consistent
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    options = PruneOptions(dry_run, yes, output)
    require_consistent(options)
    session = make_session(load(config or context.obj, journal_only=True), plain_screen())
    run(session, lambda session: prune_command(session, options))
