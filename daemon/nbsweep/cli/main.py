"""The commands, in the groups of `nbsweep --help`. Their options are in `options`, what they do is in `commands`."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nbsweep import __version__
from nbsweep.cli.examples import example_text
from nbsweep.cli.options import (
    audit,
    backtest,
    exempt,
    fleet,
    journal,
    looking,
    notices,
    notify,
    processes,
    simulation,
    starting,
    sweeping,
)
from nbsweep.cli.options.shared import ConfigOption

GROUPS: Mapping[str, tuple[Callable[..., None] | typer.Typer, ...]] = {
    "Before the first sweep": (starting.init, starting.validate, starting.check, starting.schema),
    "Look, without changing anything": (sweeping.plan, fleet.list_, looking.explain, backtest.backtest),
    "Sweep": (sweeping.run, sweeping.serve, sweeping.worker, sweeping.pause, sweeping.resume, sweeping.sweep),
    "Tell people": (notices.marks, exempt.app, notices.app, notify.app),
    "See what was done": (looking.status, processes.app, looking.history, looking.show, looking.inventory, audit.app),
    "Look after the journal": (journal.app,),
    "Try it without a cloud": (simulation.demo, simulation.simulator),
}


class Commands(TyperGroup):
    """The commands, whose help shows them in groups."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # the signature of the library
        """Write a section for each group."""
        width = max(len(name) for name in self.commands)
        for title in GROUPS:
            found = [
                (name, command) for name, command in self.commands.items() if getattr(command, "rich_help_panel", None) == title
            ]
            rows = [(name.ljust(width), command.get_short_help_str(limit=200)) for name, command in found]
            with formatter.section(title):
                formatter.write_dl(rows)


app = typer.Typer(
    name="nbsweep",
    cls=Commands,
    help="Delete forgotten ModelArts notebooks by policy, as fast as the API quota allows, with an audit trail.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(given: bool) -> None:
    if given:
        typer.echo(f"nbsweep {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: ConfigOption = None,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Read the options that precede the command."""
    del version
    context.obj = config


for group, members in GROUPS.items():
    for member in members:
        if isinstance(member, typer.Typer):
            app.add_typer(member, rich_help_panel=group)
        else:
            name = member.__name__.rstrip("_")
            app.command(name, rich_help_panel=group, epilog=example_text(name))(member)
