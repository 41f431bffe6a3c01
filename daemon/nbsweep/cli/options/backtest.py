"""The command `backtest`. Only options, no logic; what it needs is imported when it is called."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nbsweep.cli.options.shared import ConfigOption, TargetOption


def backtest(
    context: typer.Context,
    policies: Annotated[
        Path | None,
        typer.Option(
            "--policies",
            metavar="FILE",
            readable=False,
            help="Try the policies, protections and brakes of this file. Default: those of the configuration.",
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare", metavar="current|FILE", help="Show the differences to the policies of the configuration or a file."
        ),
    ] = None,
    since: Annotated[str, typer.Option("--since", metavar="DURATION", help="How far back the replay begins.")] = "90d",
    horizon: Annotated[
        str, typer.Option("--horizon", metavar="DURATION", help="How long after its deletion a return to a notebook counts.")
    ] = "30d",
    thresholds: Annotated[
        str | None,
        typer.Option("--thresholds", metavar="7d,14d,30d", help="What if each idle_over of the policies had these values."),
    ] = None,
    max_regret: Annotated[
        str | None,
        typer.Option("--max-regret", metavar="SHARE", help="Exit with 11 if the rate of regrets is above this, such as 2%."),
    ] = None,
    target: TargetOption = None,
    chart: Annotated[
        bool,
        typer.Option("--chart", help="Draw the rate of regrets for each of --thresholds; without them for 7d, 14d and 30d."),
    ] = False,
    output: Annotated[
        Literal["table", "json", "html"], typer.Option("--format", help="The format of the result on stdout.")
    ] = "table",
    config: ConfigOption = None,
) -> None:
    """Try policies on the recorded past: what they would have deleted, and who would have come back for it."""
    from nbsweep.cli.commands.backtest import Output, backtest_command, options_of
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    file = config or context.obj
    settings = load(file, journal_only=True)
    texts = (since, horizon, thresholds, max_regret)
    options = options_of(settings, (policies, compare, file), texts, target or (), Output(output, chart))
    run(make_session(settings, plain_screen()), lambda session: backtest_command(session, options))
