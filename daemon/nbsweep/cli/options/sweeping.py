"""The commands that sweep, and those that pause and resume: `plan`, `run`, `serve`, `worker`, `pause`, `resume` and `sweep`.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nbsweep.cli.options.shared import (
    ConfigOption,
    ExcludeOption,
    PolicyOption,
    ReasonOption,
    TableOrJson,
    TargetOption,
    UntilOption,
    Wide,
    not_empty,
)


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
    enforce: Annotated[bool, typer.Option("--enforce", help="Override `mode: dry-run` for this run.")] = False,
    ignore_pause: Annotated[bool, typer.Option("--ignore-pause", help="Sweep targets that are paused, too.")] = False,
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
    from nbsweep.cli.commands.run import RunOptions, require_consent, require_consistent, run_command
    from nbsweep.cli.screen import live_screen
    from nbsweep.cli.session import load, make_session, run

    given = RunOptions(output, dry_run, yes, enforce, ignore_pause, plan)
    require_consistent(given)
    settings = load(config or context.obj)
    require_consent(given, settings)
    from msgspec.structs import replace

    chosen = replace(given, choice=choose(settings, target, policy, exclude))
    run(make_session(settings, live_screen(wide=wide)), lambda session: run_command(session, chosen))


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


def worker(
    context: typer.Context,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="ADDRESS:PORT",
            help="Serve the health (/healthz, /readyz) and the metrics (/metrics) of this worker. Default: nothing.",
            callback=not_empty,
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Carry out the sweeps of a fleet, which `serve` starts; any number of workers may run."""
    from nbsweep.cli.commands.worker import make_probes, make_worker_session, worker_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, run

    probes = make_probes(listen)
    session = make_worker_session(load(config or context.obj), plain_screen(), probes)
    run(session, lambda session: worker_command(session, probes))


Targets = Annotated[
    list[str] | None, typer.Argument(metavar="TARGET", help="The targets; without any, all.", callback=not_empty)
]


def pause(
    context: typer.Context,
    targets: Targets = None,
    until: UntilOption = None,
    reason: ReasonOption = "",
    config: ConfigOption = None,
) -> None:
    """Start no more sweeps of targets, by the service or by `run`. A sweep in progress continues."""
    from nbsweep.cli.choice import named_targets
    from nbsweep.cli.commands.pause import moment_of_end, one_line, pause_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    end, why = moment_of_end(until), one_line(reason)
    settings = load(config or context.obj, journal_only=True)
    named = named_targets(settings, targets or ())
    run(make_session(settings, plain_screen()), lambda session: pause_command(session, named, end, why))


def resume(context: typer.Context, targets: Targets = None, config: ConfigOption = None) -> None:
    """End the pause of targets."""
    from nbsweep.cli.choice import named_targets
    from nbsweep.cli.commands.resume import resume_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    settings = load(config or context.obj, journal_only=True)
    named = named_targets(settings, targets or ())
    run(make_session(settings, plain_screen()), lambda session: resume_command(session, named))


def sweep(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The target.", callback=not_empty)],
    config: ConfigOption = None,
) -> None:
    """Ask the running service for a sweep of a target, as soon as possible. Works through the journal."""
    from nbsweep.cli.choice import named_targets
    from nbsweep.cli.commands.sweep import sweep_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    settings = load(config or context.obj, journal_only=True)
    named_targets(settings, [target])
    run(make_session(settings, plain_screen()), lambda session: sweep_command(session, target))
