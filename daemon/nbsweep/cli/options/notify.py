"""The subcommands of `notify`.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from typing import Annotated, Literal

import typer

from nbsweep.cli.examples import example_text
from nbsweep.cli.options.shared import ConfigOption, ReasonOption, TableOrJson, UntilOption, not_empty
from nbsweep.core.notices.operators import OperatorEvent
from nbsweep.core.reasons.language import Language

app = typer.Typer(
    name="notify", help="Try the channels, and look at what people are told.", rich_markup_mode=None, no_args_is_help=True
)
EVENTS = ", ".join(OperatorEvent)


@app.callback()
def options(context: typer.Context, config: ConfigOption = None) -> None:
    """Try the channels, and look at what people are told."""
    context.obj = config or context.obj


@app.command(epilog=example_text("notify preview"))
def preview(
    context: typer.Context,
    language: Annotated[
        Literal["en", "zh", "both"] | None, typer.Option("--language", help="The language; by default that of `messages`.")
    ] = None,
    form: Annotated[Literal["text", "html", "markdown"], typer.Option("--format", help="The form of the message.")] = "text",
    event: Annotated[
        OperatorEvent | None,
        typer.Option("--event", metavar="EVENT", help=f"The message of this event for operators: {EVENTS}."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Print a sample of the messages, by the configured templates; nothing is sent."""
    from nbsweep.cli.commands.notify import preview_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(load(config or context.obj, journal_only=True), plain_screen())
    run(session, lambda session: preview_command(session, language, form, event))


@app.command("test", epilog=example_text("notify test"))
def try_channel(
    context: typer.Context,
    channel: Annotated[
        str, typer.Argument(metavar="CHANNEL", help="The name of the channel in the configuration.", callback=not_empty)
    ],
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="The address, for a channel that needs one.")] = "",
    language: Annotated[Language, typer.Option("--language", help="The language of the message.")] = Language.ENGLISH,
    output: TableOrJson = "table",
    config: ConfigOption = None,
) -> None:
    """Send a test message by a channel, and show what the other side said. Exit code 3 if it was not accepted."""
    from nbsweep.cli.commands.notify_test import notify_test_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(load(config or context.obj), plain_screen())
    run(session, lambda session: notify_test_command(session, channel, to, language, output))


@app.command(epilog=example_text("notify pause"))
def pause(
    context: typer.Context,
    until: UntilOption = None,
    reason: ReasonOption = "",
    config: ConfigOption = None,
) -> None:
    """Send no messages, by the service or by `run`. Nobody is told of new marks, so that their notebooks are kept."""
    from nbsweep.cli.commands.notify_pause import notify_pause_command
    from nbsweep.cli.commands.pause import moment_of_end, one_line
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    end, why = moment_of_end(until), one_line(reason)
    session = make_session(load(config or context.obj, journal_only=True), plain_screen())
    run(session, lambda session: notify_pause_command(session, end, why))


@app.command(epilog=example_text("notify resume"))
def resume(context: typer.Context, config: ConfigOption = None) -> None:
    """Send messages again."""
    from nbsweep.cli.commands.notify_pause import notify_resume_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    session = make_session(load(config or context.obj, journal_only=True), plain_screen())
    run(session, notify_resume_command)
