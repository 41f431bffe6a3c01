"""The commands that only read: the cloud, or the journal.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from typing import Annotated, Literal

import typer

from nbsweep.cli.options.shared import ConfigOption, TableOrJson, Wide


def explain(
    context: typer.Context,
    notebook_id: Annotated[str, typer.Argument(metavar="ID", help="The notebook's id.")],
    target: Annotated[list[str] | None, typer.Option("--target", help="Ask this target alone; may be given again.")] = None,
    output: Annotated[Literal["tree", "json"], typer.Option("--format", help="How it is written to stdout.")] = "tree",
    config: ConfigOption = None,
) -> None:
    """Show what every rule says of one notebook as it is now, and what would have to change. Makes no survey."""
    from nbsweep.cli.commands.explain import explain_command, only_targets
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(only_targets(load(config or context.obj), target or ()), plain_screen())
    run(session, lambda session: explain_command(session, notebook_id, output))


def status(context: typer.Context, output: TableOrJson = "table", config: ConfigOption = None) -> None:
    """Say whether all is well, and how each target stands."""
    from nbsweep.cli.commands.status import status_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(make_session(load(config or context.obj), plain_screen()), lambda session: status_command(session, output))


def history(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many sweeps.")] = 20,
    output: TableOrJson = "table",
    wide: Wide = False,
    config: ConfigOption = None,
) -> None:
    """List the latest sweeps."""
    from nbsweep.cli.commands.history import history_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(load(config or context.obj), plain_screen(wide=wide))
    run(session, lambda session: history_command(session, limit, output))


def show(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, from `nbsweep history`.")],
    output: TableOrJson = "table",
    wide: Wide = False,
    config: ConfigOption = None,
) -> None:
    """Show one run, and what became of each notebook in it."""
    from nbsweep.cli.commands.show import show_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(load(config or context.obj), plain_screen(wide=wide))
    run(session, lambda session: show_command(session, run_id, output))
