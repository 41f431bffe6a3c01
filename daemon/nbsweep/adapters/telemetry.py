"""Writes events as log lines: JSON for machines, columns for people. Secrets are masked in every line."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from nbsweep.core.events.base import Event
from nbsweep.core.events.service import LogLinesLost

SECRETS = frozenset({"token", "secret", "secret_key", "security_token", "signature", "authorization", "password", "url"})
"""Names of fields whose values are never written."""
FIRST = ("timestamp", "level", "event", "run_id", "target", "notebook_id", "policy")
LEVELS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

Listener = Callable[[Event, Mapping[str, Any]], None]
"""A further receiver of events, such as progress on a terminal or metrics; called with the event and its context."""

_CONTEXT: ContextVar[Mapping[str, str]] = ContextVar("nbsweep_context", default=MappingProxyType({}))


class Lines(Protocol):
    """A writer that may lose lines."""

    @property
    def lost(self) -> int:
        """The number of lines lost since the start."""
        ...

    def take_untold(self) -> int:
        """Return the number of lost lines that were not reported yet; 0 while lines are still lost."""
        ...


@dataclass(frozen=True)
class Log:
    """The output of log lines, and their format."""

    write: Callable[[str], object]
    """Writes a line, including its line end."""
    level: str
    """The lowest level that is written."""
    console: bool
    """Whether to write columns for people instead of JSON."""
    colors: bool = False
    lines: Lines | None = None
    """The writer, if it may lose lines."""


class Telemetry:
    """Writes events to a log, and calls the listeners."""

    def __init__(self, log: Log, listeners: tuple[Listener, ...] = ()) -> None:
        """Store the output and the listeners."""
        self._log = log
        self._logger = make_logger(log.write, level=log.level, console=log.console, colors=log.colors)
        self._least = LEVELS[log.level]
        self._listeners = listeners
        self._lost = log.lines.lost if log.lines else 0

    def emit(self, event: Event) -> None:
        """Write one line if its level is high enough, and call the listeners."""
        if LEVELS[event.level] >= self._least:
            self._write(event)
            if self._log.lines:
                self._count_lost(self._log.lines)
        for listener in self._listeners:
            listener(event, _CONTEXT.get())

    def _count_lost(self, lines: Lines) -> None:
        """Report lost lines to the listeners at once, and to the log as soon as it accepts lines again."""
        newly, self._lost = lines.lost - self._lost, lines.lost
        if newly:
            for listener in self._listeners:
                listener(LogLinesLost(newly), {})
        if untold := lines.take_untold():
            self._write(LogLinesLost(untold))

    def _write(self, event: Event) -> None:
        values = {name: getattr(event, name) for name in event.__struct_fields__}
        # A line that cannot be written, for example without a free file descriptor, must not stop a sweep.
        with suppress(OSError, ImportError):
            self._logger.log(LEVELS[event.level], event.name, **{**_CONTEXT.get(), **values})

    @contextmanager
    def bound(self, **context: str) -> Iterator[None]:
        """Add `context` to every line written inside, in this task and in the tasks that it starts."""
        token = _CONTEXT.set({**_CONTEXT.get(), **context})
        try:
            yield
        finally:
            _CONTEXT.reset(token)


class LineLogger:
    """The output of a logger: passes every line, of any level, to one function."""

    def __init__(self, write: Callable[[str], object]) -> None:
        """Store the function that writes a line, including its line end."""
        self._write = write

    def msg(self, line: str) -> None:
        """Write a line; ignore failures, which must not stop a sweep."""
        with suppress(OSError, ValueError):
            self._write(f"{line}\n")

    debug = info = warning = error = msg


def make_logger(write: Callable[[str], object], *, level: str, console: bool, colors: bool = False) -> FilteringBoundLogger:
    """Build a separate logger; no global configuration is changed."""
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=colors) if console else structlog.processors.JSONRenderer(default=str)
    )
    logger: FilteringBoundLogger = structlog.wrap_logger(
        LineLogger(write),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask_secrets,
            put_first,
            *([make_printable] if console else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )
    return logger


def put_first(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the time, level, event, run and target at the start of a line."""
    first = {name: line.pop(name) for name in FIRST if name in line}
    return {**first, **line}


def make_printable(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace control characters, because users choose the names. JSON escapes them."""
    return {key: _printable(value) if isinstance(value, str) else value for key, value in line.items()}


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def mask_secrets(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask every field whose name is that of a secret."""
    for name in SECRETS & line.keys():
        line[name] = "***"
    return line
