"""The commands that sweep: `plan`, `run` and `serve`.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nbsweep.cli.options.shared import ConfigOption, ExcludeOption, PolicyOption, TableOrJson, TargetOption, Wide


def plan(
    context: typer.Context,
    output: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", help="The format of the result on stdout.")
    ] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="Save the plan in this file, for `run --plan`.")] = None,
    valid_for: Annotated[str | None, typer.Option("--valid-for", help="How long the saved plan is valid, such as 12h.")] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with code 10 if there is something to delete.")
    ] = False,
    target: TargetOption = None,
    policy: PolicyOption = None,
    exclude: ExcludeOption = None,
    wide: Wide = False,
    config: ConfigOption = None,
) -> None:
    """Show which notebooks a sweep would delete, and why. Changes nothing."""
    from nbsweep.cli.choice import choose
    from nbsweep.cli.commands.plan import PlanOptions, Saving, plan_command
    from nbsweep.cli.screen import live_screen
    from nbsweep.cli.session import load, make_session, run

    saving = Saving.of(out, valid_for)
    session = make_session(load(config or context.obj), live_screen(wide=wide))
    choice = choose(session.settings, target, policy, exclude)
    run(session, lambda session: plan_command(session, PlanOptions(output, saving, detailed_exitcode, choice)))


def run(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Stop before the first change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without a prompt. Required without a terminal.")] = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Delete only notebooks of this saved plan, which `plan --out` wrote.")
    ] = None,
    output: TableOrJson = "table",
    target: TargetOption = None,
    policy: PolicyOption = None,
    exclude: ExcludeOption = None,
    wide: Wide = False,
    config: ConfigOption = None,
) -> None:
    """Delete notebooks: finish the removals of earlier runs, make a plan, carry it out, and follow each deletion to its end."""
    from nbsweep.cli.choice import choose
    from nbsweep.cli.commands.run import RunOptions, require_consent, run_command
    from nbsweep.cli.screen import live_screen
    from nbsweep.cli.session import load, make_session, run

    require_consent(dry_run=dry_run, yes=yes)
    session = make_session(load(config or context.obj), live_screen(wide=wide))
    choice = choose(session.settings, target, policy, exclude)
    run(session, lambda session: run_command(session, RunOptions(output, dry_run, yes, plan, choice)))


def serve(
    context: typer.Context,
    reload: Annotated[
        bool,
        typer.Option("--reload", help="Make the systemd service read its configuration again, and wait for its answer."),
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Run as a service that sweeps on the schedule."""
    import os

    from nbsweep.cli.commands.serve import reload_command, serve_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    if reload:
        raise typer.Exit(reload_command(os.environ))
    run(
        make_session(load(config or context.obj), plain_screen()), lambda session: serve_command(session, config or context.obj)
    )
