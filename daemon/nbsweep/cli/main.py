"""Commands and options, and no logic. What a command needs is imported when it is called, so that `--help` is there at once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nbsweep import __version__
from nbsweep.cli import audit_options

app = typer.Typer(
    name="nbsweep",
    help="Cleans up forgotten ModelArts notebook instances: by policy, at the speed of the quota, provably.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

TableOrJson = Annotated[Literal["table", "json"], typer.Option("--format", help="How the result is written to stdout.")]

app.add_typer(audit_options.app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nbsweep {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            readable=False,
            help="The configuration file; else $NBSWEEP_CONFIG, ./nbsweep.yaml, /etc/nbsweep/.",
        ),
    ] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Take the options that come before the command."""
    del version
    context.obj = config


@app.command()
def plan(
    context: typer.Context,
    output: Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="How it is written to stdout.")] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="Save the plan in this file, for `run --plan`.")] = None,
    valid_for: Annotated[
        str | None, typer.Option("--valid-for", help="How long what --out saves may be carried out, such as 12h.")
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 10 when there is something to delete.")
    ] = False,
) -> None:
    """Survey, and show what would go, and why. Changes nothing."""
    from nbsweep.cli.commands.plan import PlanOptions, Saving, plan_command
    from nbsweep.cli.screen import live_screen
    from nbsweep.cli.session import load, make_session, run

    saving = Saving.of(out, valid_for)
    session = make_session(load(context.obj), live_screen())
    run(session, lambda session: plan_command(session, PlanOptions(output, saving, detailed_exitcode)))


@app.command()
def run(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Everything up to the first change, and no further.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking; needed where there is no terminal.")] = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Delete no more than this saved plan, from `plan --out`, permits.")
    ] = None,
    output: TableOrJson = "table",
) -> None:
    """Sweep: finish what an earlier run left, survey, delete what may go, and follow each deletion to its end."""
    from nbsweep.cli.commands.run import RunOptions, require_consent, run_command
    from nbsweep.cli.screen import live_screen
    from nbsweep.cli.session import load, make_session, run

    require_consent(dry_run=dry_run, yes=yes)
    session = make_session(load(context.obj), live_screen())
    run(session, lambda session: run_command(session, RunOptions(output, dry_run, yes, plan)))


@app.command()
def serve(
    context: typer.Context,
    reload: Annotated[
        bool,
        typer.Option("--reload", help="Have the service that systemd runs read its configuration; wait for its answer."),
    ] = False,
) -> None:
    """Run as a service: sweep by the schedule, until told to stop."""
    import os

    from nbsweep.cli.commands.serve import reload_command, serve_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    if reload:
        raise typer.Exit(reload_command(os.environ))
    run(make_session(load(context.obj), plain_screen()), lambda session: serve_command(session, context.obj))


@app.command()
def check(context: typer.Context, output: TableOrJson = "table") -> None:
    """Try everything that a sweep needs, harmlessly: what works, what does not, and exactly what to grant."""
    from nbsweep.cli.commands.check import check_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(make_session(load(context.obj), plain_screen()), lambda session: check_command(session, output, context.obj))


@app.command()
def status(context: typer.Context, output: TableOrJson = "table") -> None:
    """Say whether all is well, and how each target stands."""
    from nbsweep.cli.commands.status import status_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(make_session(load(context.obj), plain_screen()), lambda session: status_command(session, output))


@app.command()
def history(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many sweeps.")] = 20,
    output: TableOrJson = "table",
) -> None:
    """List the latest sweeps."""
    from nbsweep.cli.commands.history import history_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(make_session(load(context.obj), plain_screen()), lambda session: history_command(session, limit, output))


@app.command()
def show(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, from `nbsweep history`.")],
    output: TableOrJson = "table",
) -> None:
    """Show one run, and what became of each notebook in it."""
    from nbsweep.cli.commands.show import show_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(make_session(load(context.obj), plain_screen()), lambda session: show_command(session, run_id, output))


@app.command()
def explain(
    context: typer.Context,
    notebook_id: Annotated[str, typer.Argument(metavar="ID", help="The notebook's id.")],
    target: Annotated[list[str] | None, typer.Option("--target", help="Ask this target alone; may be given again.")] = None,
    output: Annotated[Literal["tree", "json"], typer.Option("--format", help="How it is written to stdout.")] = "tree",
) -> None:
    """Show what every rule says of one notebook as it is now, and what would have to change. Makes no survey."""
    from nbsweep.cli.commands.explain import explain_command, only_targets
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(only_targets(load(context.obj), target or ()), plain_screen())
    run(session, lambda session: explain_command(session, notebook_id, output))


@app.command()
def schema() -> None:
    """Print the configuration's JSON Schema."""
    from nbsweep.cli.commands.schema import schema_command

    schema_command()


@app.command()
def simulator(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 takes a free one.")] = 0,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed gives the same fleet and the same faults.")] = None,
    notebooks: Annotated[int | None, typer.Option("--notebooks", min=0, help="How many notebooks there are.")] = None,
    options: Annotated[Path | None, typer.Option("--options", help="A JSON file of SimulatorOptions, or - for stdin.")] = None,
) -> None:
    """Run the simulated cloud on its own. Prints one JSON line with its address and keys when it is ready."""
    from nbsweep.cli.commands.simulator import simulator_command

    simulator_command(port, options, seed=seed, notebooks=notebooks)


@app.command()
def demo(
    notebooks: Annotated[int, typer.Option("--notebooks", min=1, help="How many notebooks the simulated fleet has.")] = 400,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same fleet and the same faults.")] = 7,
    svg: Annotated[Path | None, typer.Option("--svg", help="Save the screen as a picture in this file.")] = None,
) -> None:
    """Run a simulated cloud and a whole sweep against it, to look at. Needs nothing but this package."""
    from nbsweep.cli.commands.demo import demo_command

    demo_command(notebooks, seed, svg)
