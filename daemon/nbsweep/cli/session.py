"""The parts that all commands on the cloud or the journal share: settings, log, signals, errors, exit codes."""

import gc
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
import stamina
import typer
from rich.console import RenderableType

from nbsweep.adapters.telemetry import Listener, Log, Telemetry
from nbsweep.cli.exits import Exit, exit_of_error
from nbsweep.cli.screen import Screen
from nbsweep.cli.streams import lost_result, stderr_writer
from nbsweep.cli.text import ascii_html, ascii_json, is_utf8, json_pieces, printable
from nbsweep.cli.views.results import text_pieces
from nbsweep.core.errors import ConfigurationError, NbsweepError
from nbsweep.engine.report import leading_error
from nbsweep.engine.shutdown import Shutdown
from nbsweep.loading.file import find_config, load_settings
from nbsweep.settings import LoggingSettings, Settings

ReadFormat = Literal["table", "json"]
"""Output format of the commands that only read."""

COLLECT_AFTER = (10_000, 20, 10)
"""Thresholds of the garbage collector after all imports. A sweep leaves hundreds of objects in reference cycles."""


class ResultLost(NbsweepError):
    """The result could not be written to stdout."""


@dataclass(slots=True)
class Session:
    """The state of one running command."""

    settings: Settings
    telemetry: Telemetry
    screen: Screen
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    shutdown: Shutdown = field(default_factory=Shutdown)

    def write_result(self, text: str) -> None:
        """Write a result to stdout as it is.

        Raises:
            ResultLost: stdout does not take it.
        """
        self._write([text])

    def write_json(self, document: object) -> None:
        """Write a result to stdout as JSON, piece by piece; it is UTF-8 whatever the encoding of stdout is.

        Raises:
            ResultLost: stdout does not take it.
        """
        pieces = json_pieces(document)
        self._write(pieces if is_utf8(sys.stdout.encoding) else map(ascii_json, pieces))

    def write_html(self, page: str) -> None:
        """Write a page to stdout, with references in place of letters that the encoding of stdout lacks.

        Raises:
            ResultLost: stdout does not take it.
        """
        self._write([page if is_utf8(sys.stdout.encoding) else ascii_html(page)])

    def write_pieces(self, pieces: Iterable[str]) -> None:
        """Write a result to stdout piece by piece, the line ends included.

        Raises:
            ResultLost: stdout does not take it.
        """
        self._write(pieces, end="")

    def _write(self, pieces: Iterable[str], end: str = "\n") -> None:
        try:
            sys.stdout.writelines(pieces)
            sys.stdout.write(end)
            sys.stdout.flush()
        except OSError as error:
            raise ResultLost(lost_result(error)) from error

    def show_result(self, view: RenderableType) -> None:
        """Write a table or another view for people to stdout."""
        if self.screen.out.record:
            self.screen.out.print(view)
        else:
            self.write_pieces(text_pieces(self.screen.out, view))

    @contextmanager
    def drawing(self, *, stays: bool = True) -> Iterator[None]:
        """Show progress inside the context if stderr is a terminal; `stays` says whether its last state stays on the screen."""
        if self.screen.progress:
            self.screen.progress.start()
        try:
            yield
        finally:
            if self.screen.progress and stays:
                self.screen.progress.stop()
            elif self.screen.progress:
                self.screen.progress.pause()

    @contextmanager
    def pause_progress(self) -> Iterator[None]:
        """Pause the progress display while a prompt is open."""
        if self.screen.progress:
            self.screen.progress.pause()
        try:
            yield
        finally:
            if self.screen.progress:
                self.screen.progress.start()

    @asynccontextmanager
    async def until_shutdown(self) -> AsyncIterator[None]:
        """Cancel the body when a shutdown begins."""

        async def watch(scope: anyio.CancelScope) -> None:
            await self.shutdown.begun.wait()
            scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(watch, group.cancel_scope)
            yield
            group.cancel_scope.cancel()


def make_session(settings: Settings, screen: Screen, listeners: tuple[Listener, ...] = ()) -> Session:
    """Build the session of a command. While progress is shown, only errors are logged unless the configuration says more."""
    telemetry = make_telemetry(settings.logging, screen, listeners)
    return Session(settings, telemetry, screen)


def make_telemetry(settings: LoggingSettings, screen: Screen, listeners: tuple[Listener, ...]) -> Telemetry:
    """Build the log of the configuration."""
    # The event `http.retried` reports each retry. By default stamina would print it to stdout as well.
    stamina.instrumentation.set_on_retry_hooks([])
    quiet = screen.progress is not None and settings.format == "auto" and settings.level == "info"
    log = Log(
        # Through the console, so that lines appear above the progress display.
        partial(screen.err.out, end="") if screen.progress else _write_to_stderr,
        level="error" if quiet else settings.level,
        console=settings.format == "console" or (settings.format == "auto" and screen.on_terminal),
        colors=screen.on_terminal,
        lines=stderr_writer(),
    )
    return Telemetry(log, (screen.progress, *listeners) if screen.progress else listeners)


def load(config: Path | None, *, journal_only: bool = False) -> Settings:
    """Find and read the configuration, or end with every mistake in it; a command on the journal needs no credentials."""
    environment = dict(os.environ)
    try:
        settings = load_settings(find_config(config, environment), environment, needs_credentials=not journal_only)
        if not journal_only:
            check_templates(settings)
    except ConfigurationError as error:
        report_error(error)
        raise typer.Exit(Exit.USAGE) from error
    return settings


def check_templates(settings: Settings) -> None:
    """Try the templates of the user's own, if there are any.

    Raises:
        ConfigurationError: one of them cannot be used; holds every mistake that was found.
    """
    if settings.messages.templates is not None:
        # Jinja2 takes time and memory, and most configurations have no templates.
        from nbsweep.bootstrap.people.messages import make_renderer  # noqa: PLC0415

        make_renderer(settings)


def run(session: Session, command: Callable[[Session], Awaitable[Exit]]) -> None:
    """Run a command to its exit code."""
    # Modules are never freed: garbage collections need not scan them.
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    try:
        code = anyio.run(partial(_run, session, command), backend_options={"use_uvloop": True})
    except (NbsweepError, ExceptionGroup) as error:
        ours = leading_error(error)
        report_error(ours)
        code = exit_of_error(ours)
    raise typer.Exit(code)


async def _run(session: Session, command: Callable[[Session], Awaitable[Exit]]) -> Exit:
    async with _signals(session):
        return await command(session)


@asynccontextmanager
async def _signals(session: Session) -> AsyncIterator[None]:
    """Begin the shutdown at the first signal, and hurry it at the second."""
    for meaningless in (signal.SIGUSR1, signal.SIGUSR2):
        # By default these signals end the process.
        signal.signal(meaningless, signal.SIG_IGN)

    async def listen() -> None:
        with anyio.open_signal_receiver(*_stop_signals()) as signals:
            async for number in signals:
                if not session.shutdown.begun.is_set():
                    _report_stopping(session)
                    session.shutdown.begun.set()
                elif number is not signal.SIGHUP:
                    # A lost terminal session can send several hangups: one from the shell, and one from the system.
                    session.shutdown.hurried.set()

    async with anyio.create_task_group() as group:
        group.start_soon(listen, name="signals")
        yield
        group.cancel_scope.cancel()


def _stop_signals() -> list[signal.Signals]:
    """Return the signals that stop a command. SIGHUP is left out under nohup, and for `serve`, which reloads on it."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([] if ignored else [signal.SIGHUP])]


def _report_stopping(session: Session) -> None:
    if session.screen.on_terminal:
        session.screen.err.print("Stopping: accepted deletions are followed to their end. Interrupt again to exit now.")


def report_error(error: NbsweepError, target: str | None = None, event: str = "command.failed") -> None:
    """Write an error to stderr: as a sentence on a terminal, otherwise as one JSON line with this event."""
    _write_to_stderr(_error_text(error, target, event))


def _error_text(error: NbsweepError, target: str | None, event: str) -> str:
    if sys.stderr.isatty():
        place = f"{target}: " if target else ""
        return "".join(f"{printable(line)}\n" for line in f"nbsweep: {place}{error}".splitlines())
    line: dict[str, object] = {
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "level": "error",
        "event": event,
        "error": str(error),
    }
    if target:
        line["target"] = target
    if isinstance(error, ConfigurationError):
        line["error"] = f"{error.source} cannot be used"
        line["mistakes"] = [
            {"path": mistake.path, "line": mistake.line, "problem": mistake.problem} for mistake in error.mistakes
        ]
    return f"{json.dumps(line)}\n"


def _write_to_stderr(text: str) -> None:
    """Write a log line to stderr, which may lose it."""
    sys.stderr.write(text)
    sys.stderr.flush()
