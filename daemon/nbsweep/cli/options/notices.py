"""The commands on marks and messages.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from enum import StrEnum
from typing import Annotated

import typer

from nbsweep.cli.examples import example_text
from nbsweep.cli.options.completion import target_names
from nbsweep.cli.options.shared import ConfigOption, TableOrJson, Wide, not_empty

MarkStateOption = StrEnum("MarkStateOption", ["marked", "told", "due", "held-out", "exempt", "removed", "cleared"])
MessageStateOption = StrEnum("MessageStateOption", ["pending", "leased", "sent", "failed"])

app = typer.Typer(name="outbox", rich_markup_mode=None)


def marks(
    context: typer.Context,
    *,
    state: Annotated[
        list[MarkStateOption] | None,
        typer.Option("--state", help="Only marks in this state; without it, all open marks. May be repeated."),
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Only the notebooks of this owner, by name or ID.", callback=not_empty)
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Only this target.", autocompletion=target_names, callback=not_empty)
    ] = None,
    untold: Annotated[bool, typer.Option("--untold", help="Only those whose owner could not be told.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The number of marks.")] = 1000,
    output: TableOrJson = "table",
    wide: Wide = False,
    config: ConfigOption = None,
) -> None:
    """List the notebooks whose deletion is announced: who was told, and when it is due."""
    from nbsweep.cli.commands.marks import MarksOptions, marks_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run
    from nbsweep.core.marks.shown import ShownState

    states = tuple(ShownState(each) for each in state or ())
    options = MarksOptions(output, states, owner, target, untold, limit, wide)
    session = make_session(load(config or context.obj, journal_only=True), plain_screen(wide=wide))
    run(session, lambda session: marks_command(session, options))


@app.callback(invoke_without_command=True, epilog=example_text("outbox"))
def outbox(
    context: typer.Context,
    *,
    state: Annotated[
        list[MessageStateOption] | None,
        typer.Option("--state", help="Only messages in this state. May be repeated."),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only messages that have failed.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The number of messages.")] = 50,
    output: TableOrJson = "table",
    config: ConfigOption = None,
) -> None:
    """List the messages to owners and operators: sent, waiting and failed."""
    if context.invoked_subcommand is not None:
        context.obj = config or context.obj
        return
    from nbsweep.cli.commands.outbox import outbox_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run
    from nbsweep.core.notices.outbox import MessageState

    states = [MessageState(each.upper()) for each in (*(state or ()), *(["failed"] if failed else ()))]
    session = make_session(load(config or context.obj, journal_only=True), plain_screen())
    run(session, lambda session: outbox_command(session, states, limit, output))


@app.command(epilog=example_text("outbox retry"))
def retry(
    context: typer.Context,
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="MESSAGE", help="The key of a failed message, or its beginning.", callback=not_empty),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All messages that have failed.")] = False,
    config: ConfigOption = None,
) -> None:
    """Send failed messages again: the service does it within seconds, or else the next run."""
    from nbsweep.cli.commands.outbox import retry_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    if not keys and not every:
        raise typer.BadParameter("name a message, or use --all")
    session = make_session(load(config or context.obj, journal_only=True), plain_screen())
    run(session, lambda session: retry_command(session, keys or (), every=every))
