"""What every command that works on the cloud or the journal shares: settings, log, signals, errors, exit codes."""

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
from typing import TYPE_CHECKING, TextIO

import anyio
import typer

from nbsweep.adapters.telemetry import Listener, Log, Telemetry
from nbsweep.cli.exits import Exit, exit_of_error
from nbsweep.cli.screen import Screen
from nbsweep.cli.text import json_pieces, printable
from nbsweep.core.errors import ConfigurationError, NbsweepError
from nbsweep.engine.orders import Shutdown
from nbsweep.engine.report import leading_error
from nbsweep.loading import find_config, load_settings
from nbsweep.settings import LoggingSettings, Settings

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(slots=True)
class Session:
    """One command at work."""

    settings: Settings
    telemetry: Telemetry
    screen: Screen
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    shutdown: Shutdown = field(default_factory=Shutdown)

    def write_result(self, text: str) -> None:
        """Write a result to stdout as it is.

        Raises:
            NbsweepError: nobody takes it.
        """
        self._write([text])

    def write_json(self, document: object) -> None:
        """Write a result to stdout as JSON, piece by piece.

        Raises:
            NbsweepError: nobody takes it.
        """
        self._write(json_pieces(document))

    def _write(self, pieces: Iterable[str]) -> None:
        try:
            sys.stdout.writelines(pieces)
            sys.stdout.write("\n")
            sys.stdout.flush()
        except OSError as error:
            _leave_stream(sys.stdout)
            message = f"the result could not be written to stdout: {error.strerror or error}"
            raise NbsweepError(message) from error

    def show_result(self, view: "RenderableType") -> None:
        """Write a table, or anything else that is for people, to stdout."""
        from nbsweep.cli.render import plain_text  # is there already, or there would be no view

        if self.screen.out.record:
            self.screen.out.print(view)
        else:
            self.write_result(plain_text(self.screen.out, view).removesuffix("\n"))

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Show progress while something goes on, where there is a terminal to show it on."""
        if self.screen.progress:
            self.screen.progress.start()
        try:
            yield
        finally:
            if self.screen.progress:
                self.screen.progress.stop()

    @contextmanager
    def not_drawing(self) -> Iterator[None]:
        """Leave the terminal alone while somebody is asked."""
        if self.screen.progress:
            self.screen.progress.pause()
        try:
            yield
        finally:
            if self.screen.progress:
                self.screen.progress.start()

    @asynccontextmanager
    async def until_shutdown(self) -> AsyncIterator[None]:
        """Give up on what is inside when a shutdown begins."""

        async def watch(scope: anyio.CancelScope) -> None:
            await self.shutdown.begun.wait()
            scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(watch, group.cancel_scope)
            yield
            group.cancel_scope.cancel()


def make_session(settings: Settings, screen: Screen, listeners: tuple[Listener, ...] = ()) -> Session:
    """Set up what a command works with; while progress is shown, the log keeps to errors unless the configuration says more."""
    telemetry = make_telemetry(settings.logging, screen, listeners)
    return Session(settings, telemetry, screen)


def make_telemetry(settings: LoggingSettings, screen: Screen, listeners: tuple[Listener, ...]) -> Telemetry:
    """Make the log that the configuration asks for."""
    quiet = screen.progress is not None and settings.format == "auto" and settings.level == "info"
    log = Log(
        # Through the console, so that lines appear above what is drawn live.
        partial(screen.err.out, end="") if screen.progress else _write_to_stderr,
        level="error" if quiet else settings.level,
        console=settings.format == "console" or (settings.format == "auto" and screen.on_terminal),
        colors=screen.on_terminal,
    )
    return Telemetry(log, (screen.progress, *listeners) if screen.progress else listeners)


def load(config: Path | None) -> Settings:
    """Find and read the configuration, or end with every mistake in it."""
    environment = dict(os.environ)
    try:
        return load_settings(find_config(config, environment), environment)
    except ConfigurationError as error:
        tell_error(error)
        raise typer.Exit(Exit.USAGE) from error


def run(session: Session, command: Callable[[Session], Awaitable[Exit]]) -> None:
    """Run a command to its exit code."""
    # What has been imported by now stays to the end; nobody needs to look through it again, at the end least of all.
    gc.freeze()
    try:
        code = anyio.run(partial(_run, session, command), backend_options={"use_uvloop": True})
    except (NbsweepError, ExceptionGroup) as error:
        ours = leading_error(error)
        tell_error(ours)
        code = exit_of_error(ours)
    raise typer.Exit(code)


async def _run(session: Session, command: Callable[[Session], Awaitable[Exit]]) -> Exit:
    async with _signals(session):
        return await command(session)


@asynccontextmanager
async def _signals(session: Session) -> AsyncIterator[None]:
    """The first signal begins the shutdown, the second hurries it."""

    async def listen() -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                if session.shutdown.begun.is_set():
                    session.shutdown.hurried.set()
                elif session.screen.on_terminal:
                    session.screen.err.print("Stopping: what was accepted is followed to its end. Once more to leave at once.")
                session.shutdown.begun.set()

    async with anyio.create_task_group() as group:
        group.start_soon(listen, name="signals")
        yield
        group.cancel_scope.cancel()


def tell_error(error: NbsweepError, target: str | None = None) -> None:
    """Say what is wrong: to people on a terminal, otherwise as one JSON line."""
    _write_to_stderr(_error_text(error, target))


def _error_text(error: NbsweepError, target: str | None) -> str:
    if sys.stderr.isatty():
        place = f"{target}: " if target else ""
        return "".join(f"{printable(line)}\n" for line in f"nbsweep: {place}{error}".splitlines())
    line: dict[str, object] = {
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "level": "error",
        "event": "command.failed",
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
    """Write a line of the log; when nobody reads it any more, the program goes on without one."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _leave_stream(sys.stderr)


def _leave_stream(stream: TextIO) -> None:
    """Let what is still in a broken stream go nowhere, so that it does not break the program's end too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
