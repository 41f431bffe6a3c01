"""Events of the service, its HTTP API and its log. `target` is bound where an event is about one."""

from collections.abc import Sequence
from typing import ClassVar

from nbsweep.core.events.base import Event, Level


class ServiceStarted(Event, frozen=True):
    """Everything is open, and the schedule runs."""

    name: ClassVar[str] = "service.started"
    mode: str
    targets: Sequence[str]
    listen: str | None
    """Where the web face answers."""


class ServiceStopping(Event, frozen=True):
    """No more sweeps begin; those that are under way end, up to a limit."""

    name: ClassVar[str] = "service.stopping"
    sweeping: Sequence[str]
    drain_s: float


class ServiceStopped(Event, frozen=True):
    """Everything is closed."""

    name: ClassVar[str] = "service.stopped"


class ServiceReloaded(Event, frozen=True):
    """The configuration was read anew, and is in force."""

    name: ClassVar[str] = "service.reloaded"


class ServiceReloadRefused(Event, frozen=True):
    """The configuration was read anew and cannot be used; the old one stays in force."""

    name: ClassVar[str] = "service.reload_refused"
    level: ClassVar[Level] = "error"
    problem: str


class TargetScheduled(Event, frozen=True):
    """When the schedule of a target comes round next."""

    name: ClassVar[str] = "target.scheduled"
    next_run: str
    """In UTC, as ISO 8601 writes it."""


class TargetSkipped(Event, frozen=True):
    """A sweep was due and does not begin."""

    name: ClassVar[str] = "target.skipped"
    level: ClassVar[Level] = "warning"
    why: str


class TargetMadeUp(Event, frozen=True):
    """A sweep that was due while the service was away begins now, within `schedule.misfire_grace`."""

    name: ClassVar[str] = "target.made_up"
    due: str
    """When it was due, in UTC, as ISO 8601 writes it."""


class TargetBackedOff(Event, frozen=True):
    """A sweep failed; the next one waits, longer each time."""

    name: ClassVar[str] = "target.backed_off"
    level: ClassVar[Level] = "error"
    failures: int
    wait_s: float
    problem: str


class TargetRestored(Event, frozen=True):
    """A sweep succeeded after others had failed."""

    name: ClassVar[str] = "target.restored"
    failures: int


class TargetPaused(Event, frozen=True):
    """Somebody has paused a target."""

    name: ClassVar[str] = "target.paused"


class TargetResumed(Event, frozen=True):
    """Somebody has resumed a target."""

    name: ClassVar[str] = "target.resumed"


class WebUnauthorized(Event, frozen=True):
    """Somebody wanted something for which he showed no token, or a wrong one; it was refused."""

    name: ClassVar[str] = "web.unauthorized"
    level: ClassVar[Level] = "warning"
    peer: str
    """The address that he called from."""
    method: str
    path: str


class WebFailed(Event, frozen=True):
    """A request met a bug; the caller was told no more than that."""

    name: ClassVar[str] = "web.failed"
    level: ClassVar[Level] = "error"
    method: str
    path: str
    problem: str
    place: str
    """Where in the program."""


class LogLinesLost(Event, frozen=True):
    """Lines of the log were lost, because nobody read what was written before them."""

    name: ClassVar[str] = "log.lines_lost"
    level: ClassVar[Level] = "warning"
    lines: int
    """How many, since this was last told."""
