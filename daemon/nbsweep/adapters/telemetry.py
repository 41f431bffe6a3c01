"""Events become log lines: JSON for machines, columns for people. Secrets are masked on the way, whatever put them there."""

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from dataclasses import fields
from typing import Any

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from nbsweep.core.events import Event

SECRETS = frozenset({"token", "secret", "secret_key", "security_token", "signature", "authorization", "password", "url"})
"""Names of fields that are never written, should one ever get into an event."""
FIRST = ("timestamp", "level", "event", "run_id", "target", "notebook_id", "policy")
LEVELS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

Listener = Callable[[Event, Mapping[str, Any]], None]
"""Somebody else who wants to hear: progress on a terminal, metrics. Gets the event and what is bound around it."""


class Telemetry:
    """Writes events to a log, and tells the listeners."""

    def __init__(self, logger: FilteringBoundLogger, listeners: tuple[Listener, ...] = ()) -> None:
        """Take where to write, and who else listens."""
        self.logger = logger
        self._listeners = listeners

    def emit(self, event: Event) -> None:
        """Write one line, and tell the listeners."""
        values = {field.name: getattr(event, field.name) for field in fields(event)}
        self.logger.log(LEVELS[event.level], event.name, **values)
        if self._listeners:
            context = structlog.contextvars.get_contextvars()
            for listener in self._listeners:
                listener(event, context)

    def bound(self, **context: str) -> AbstractContextManager[None]:
        """Put `context` on every line written inside, in this task and those it starts."""
        return structlog.contextvars.bound_contextvars(**context)


class LineLogger:
    """The far end of a logger: every line goes to one function, whatever its level."""

    def __init__(self, write: Callable[[str], object]) -> None:
        """Take what writes a line, its end included."""
        self._write = write

    def msg(self, line: str) -> None:
        """Write a line; one that nobody can take is no reason to leave deletions alone."""
        with suppress(OSError, ValueError):
            self._write(f"{line}\n")

    debug = info = warning = error = msg


def make_logger(write: Callable[[str], object], *, level: str, console: bool, colors: bool = False) -> FilteringBoundLogger:
    """Make a logger of its own; nothing global is configured."""
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=colors) if console else structlog.processors.JSONRenderer(default=str)
    )
    logger: FilteringBoundLogger = structlog.wrap_logger(
        LineLogger(write),
        processors=[
            structlog.contextvars.merge_contextvars,
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
    """Begin every line with when, how grave, what, and in which run and target."""
    first = {name: line.pop(name) for name in FIRST if name in line}
    return {**first, **line}


def make_printable(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what would act on a terminal rather than be seen: names come from other people. JSON escapes it by itself."""
    return {key: _printable(value) if isinstance(value, str) else value for key, value in line.items()}


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def mask_secrets(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask every field whose name says that it is a secret."""
    for name in SECRETS & line.keys():
        line[name] = "***"
    return line
