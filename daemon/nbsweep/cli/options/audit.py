"""The command `audit` and its subcommands.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nbsweep.cli.examples import example_text
from nbsweep.cli.options.completion import policy_names, run_ids, target_names
from nbsweep.cli.options.shared import ConfigOption, TableOrJson, Wide, not_empty
from nbsweep.core.audit.steps import AuditStep

app = typer.Typer(name="audit", rich_markup_mode=None)
WHATS = ", ".join(AuditStep)


@app.callback(invoke_without_command=True, epilog=example_text("audit"))
def audit(
    context: typer.Context,
    *,
    target: Annotated[
        str | None,
        typer.Option("--target", help="Only entries of this target.", autocompletion=target_names, callback=not_empty),
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Only entries of this run.", autocompletion=run_ids, callback=not_empty)
    ] = None,
    notebook: Annotated[
        str | None, typer.Option("--notebook", metavar="NAME|ID", help="Only entries of this notebook.", callback=not_empty)
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option("--policy", help="Only entries of this policy.", autocompletion=policy_names, callback=not_empty),
    ] = None,
    what: Annotated[
        AuditStep | None, typer.Option("--what", metavar="WHAT", help=f"Only entries of this step: {WHATS}.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="AGE", help="Only entries that are not older, such as 36h or 7d.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The number of entries.")] = 50,
    output: TableOrJson = "table",
    wide: Wide = False,
    config: ConfigOption = None,
) -> None:
    """Show the audit trail, the newest entry first: each decision, request and end of a removal."""
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        context.obj = config or context.obj
        return
    from nbsweep.cli.commands.audit import AuditOptions, audit_command, query_of
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session
    from nbsweep.cli.session import run as run_session

    query = query_of(target=target, run_id=run, notebook_id=notebook, policy=policy, what=what, since=since)
    session = make_session(load(config or context.obj, journal_only=True), plain_screen(wide=wide))
    run_session(session, lambda session: audit_command(session, AuditOptions(query, limit, output)))


@app.command(epilog=example_text("audit verify"))
def verify(
    context: typer.Context,
    head: Annotated[
        list[str] | None,
        typer.Option(
            "--head",
            metavar="HEAD",
            help="A head that was noted earlier, of one chain or of all; the trail must contain it. Several are allowed.",
        ),
    ] = None,
    output: TableOrJson = "table",
    config: ConfigOption = None,
) -> None:
    """Verify the chains of all targets. Exit code 1 if one is broken; the output then names its first broken entry."""
    from nbsweep.cli.commands.audit import heads_of, verify_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    noted = heads_of(head or ())
    run(
        make_session(load(config or context.obj, journal_only=True), plain_screen()),
        lambda session: verify_command(session, noted, output),
    )


@app.command(epilog=example_text("audit export"))
def export(
    context: typer.Context,
    output: Annotated[Literal["jsonl"], typer.Option("--format", help="JSON, one entry per line.")] = "jsonl",
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file instead of stdout.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write the whole trail, chain by chain, the oldest entry first, for storage and verification elsewhere."""
    from nbsweep.cli.commands.audit import export_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    del output
    run(
        make_session(load(config or context.obj, journal_only=True), plain_screen()),
        lambda session: export_command(session, out),
    )


def _refuse_options(context: typer.Context) -> None:
    """Reject filters for `audit export`: a part of the trail would not be a valid chain."""
    sources = {name: context.get_parameter_source(name) for name in context.params if name != "config"}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        message = f"filters apply to `audit` alone; `{context.invoked_subcommand}` always covers the whole trail"
        raise typer.BadParameter(message, param_hint=", ".join(given))
