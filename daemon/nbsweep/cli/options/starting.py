"""The commands of the first hour: what is checked before the first sweep.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

import typer

from nbsweep.cli.options.shared import ConfigOption, TableOrJson


def check(context: typer.Context, output: TableOrJson = "table", config: ConfigOption = None) -> None:
    """Try everything that a sweep needs, harmlessly: what works, what does not, and exactly what to grant."""
    from nbsweep.cli.commands.check import check_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(
        make_session(load(config or context.obj), plain_screen()),
        lambda session: check_command(session, output, config or context.obj),
    )


def schema() -> None:
    """Print the configuration's JSON Schema."""
    from nbsweep.cli.commands.schema import schema_command

    schema_command()
