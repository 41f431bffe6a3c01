"""What happens to the service, rather than to a sweep; see `events`. `target` is bound where it is about one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from nbsweep.core.events import Event, Level


@dataclass(frozen=True, slots=True)
class ServiceStarted(Event):
    """Everything is open, and the schedule runs."""

    name: ClassVar[str] = "service.started"
    mode: str
    targets: Sequence[str]
    listen: str | None
    """Where the web face answers."""


@dataclass(frozen=True, slots=True)
class ServiceStopping(Event):
    """No more sweeps begin; those that are under way end, up to a limit."""

    name: ClassVar[str] = "service.stopping"
    sweeping: Sequence[str]
    drain_s: float


@dataclass(frozen=True, slots=True)
class ServiceStopped(Event):
    """Everything is closed."""

    name: ClassVar[str] = "service.stopped"


@dataclass(frozen=True, slots=True)
class ServiceReloaded(Event):
    """The configuration was read anew, and is in force."""

    name: ClassVar[str] = "service.reloaded"


@dataclass(frozen=True, slots=True)
class ServiceReloadRefused(Event):
    """The configuration was read anew and cannot be used; the old one stays in force."""

    name: ClassVar[str] = "service.reload_refused"
    level: ClassVar[Level] = "error"
    problem: str


@dataclass(frozen=True, slots=True)
class TargetScheduled(Event):
    """When the schedule of a target comes round next."""

    name: ClassVar[str] = "target.scheduled"
    next_run: str
    """In UTC, as ISO 8601 writes it."""


@dataclass(frozen=True, slots=True)
class TargetSkipped(Event):
    """A sweep was due and does not begin."""

    name: ClassVar[str] = "target.skipped"
    level: ClassVar[Level] = "warning"
    why: str


@dataclass(frozen=True, slots=True)
class TargetBackedOff(Event):
    """A sweep failed; the next one waits, longer each time."""

    name: ClassVar[str] = "target.backed_off"
    level: ClassVar[Level] = "error"
    failures: int
    wait_s: float
    problem: str


@dataclass(frozen=True, slots=True)
class TargetRestored(Event):
    """A sweep succeeded after others had failed."""

    name: ClassVar[str] = "target.restored"
    failures: int


@dataclass(frozen=True, slots=True)
class TargetPaused(Event):
    """Somebody has paused a target."""

    name: ClassVar[str] = "target.paused"


@dataclass(frozen=True, slots=True)
class TargetResumed(Event):
    """Somebody has resumed a target."""

    name: ClassVar[str] = "target.resumed"
