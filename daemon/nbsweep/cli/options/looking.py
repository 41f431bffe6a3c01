"""The commands that only read: the cloud, or the journal.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from typing import Annotated, Literal

import typer

from nbsweep.cli.options.completion import runs_or_last, target_names
from nbsweep.cli.options.shared import ConfigOption, TableOrJson, Wide, not_empty


def explain(
    context: typer.Context,
    notebook: Annotated[
        str, typer.Argument(metavar="NAME|ID", help="The ID of the notebook, its beginning, or the name.", callback=not_empty)
    ],
    all_targets: Annotated[
        bool, typer.Option("--all-targets", help="Explain the notebook on each target that has it.")
    ] = False,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target", help="Read only this target. May be repeated.", autocompletion=target_names, callback=not_empty
        ),
    ] = None,
    output: Annotated[Literal["tree", "json"], typer.Option("--format", help="The format of the result on stdout.")] = "tree",
    config: ConfigOption = None,
) -> None:
    """Show the result of every rule for one notebook, and what would change the verdict."""
    from nbsweep.cli.commands.explain import ExplainOptions, explain_command, only_targets
    from nbsweep.cli.screen import live_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(only_targets(load(config or context.obj), target or ()), live_screen())
    run(session, lambda session: explain_command(session, ExplainOptions(notebook, output, all_targets)))


def status(context: typer.Context, output: TableOrJson = "table", config: ConfigOption = None) -> None:
    """Show the status of each target, and whether anything needs attention."""
    from nbsweep.cli.commands.status import status_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(
        make_session(load(config or context.obj, journal_only=True), plain_screen()),
        lambda session: status_command(session, output),
    )


def history(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option("--limit", min=1, show_default="20", help="The number of sweeps.")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="AGE", help="Only sweeps, or days of the chart, that are not older, such as 36h or 90d."
        ),
    ] = None,
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw the removals of each day by outcome; of 30 days without --since.")
    ] = False,
    output: TableOrJson = "table",
    wide: Wide = False,
    config: ConfigOption = None,
) -> None:
    """List the latest sweeps, or draw how many notebooks were deleted on each day."""
    from nbsweep.cli.commands.history import history_command, options_of
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    options = options_of(limit, since, output, chart=chart)
    session = make_session(load(config or context.obj, journal_only=True), plain_screen(wide=wide))
    if chart:
        from nbsweep.cli.commands.history_chart import history_chart_command

        run(session, lambda session: history_chart_command(session, options.since))
    else:
        run(session, lambda session: history_command(session, options))


def show(
    context: typer.Context,
    run_id: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="The ID of the run, from `nbsweep history`, its beginning, or `last`.",
            autocompletion=runs_or_last,
            callback=not_empty,
        ),
    ],
    output: TableOrJson = "table",
    wide: Wide = False,
    config: ConfigOption = None,
) -> None:
    """Show one run and the result of each notebook."""
    from nbsweep.cli.commands.show import show_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(load(config or context.obj, journal_only=True), plain_screen(wide=wide))
    run(session, lambda session: show_command(session, run_id, output))


def inventory(
    context: typer.Context,
    notebook: Annotated[
        str | None,
        typer.Argument(
            metavar="[NOTEBOOK]", help="The ID of a notebook, or its beginning: its states over time.", callback=not_empty
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="The fleet as of this time, such as 2026-11-01 or 2026-11-01T09:30Z."),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Only this target.", autocompletion=target_names, callback=not_empty)
    ] = None,
    output: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", help="The format of the result on stdout.")
    ] = "table",
    config: ConfigOption = None,
) -> None:
    """Show the states of a notebook over time, or the fleet as of a moment."""
    from msgspec.structs import replace

    from nbsweep.cli.commands.inventory import inventory_command, options_of
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    options = replace(options_of(notebook, at), target=target, format=output)
    session = make_session(load(config or context.obj, journal_only=True), plain_screen())
    run(session, lambda session: inventory_command(session, options))
