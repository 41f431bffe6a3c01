"""Events of the service, its HTTP API and its log. `target` is bound where an event is about one."""

from collections.abc import Sequence
from typing import ClassVar

from nbsweep.core.events.base import Event, Level


class ServiceStarted(Event, frozen=True):
    """The service has started, and its schedule runs."""

    name: ClassVar[str] = "service.started"
    mode: str
    targets: Sequence[str]
    listen: str | None
    """The address of the HTTP API."""


class ServiceStopping(Event, frozen=True):
    """The service stops: it begins no more sweeps, and waits for those under way up to a limit."""

    name: ClassVar[str] = "service.stopping"
    sweeping: Sequence[str]
    drain_s: float


class ServiceStopped(Event, frozen=True):
    """The service has stopped."""

    name: ClassVar[str] = "service.stopped"


class ServiceReloaded(Event, frozen=True):
    """The configuration was reloaded and is in effect."""

    name: ClassVar[str] = "service.reloaded"
    changed: Sequence[str]
    """The keys whose values differ from before."""


class ServiceReloadRefused(Event, frozen=True):
    """The configuration was reloaded and is invalid; the old configuration stays in effect."""

    name: ClassVar[str] = "service.reload_refused"
    level: ClassVar[Level] = "error"
    problem: str


class ServiceDoubt(Event, frozen=True):
    """A rule or a target of the configuration is probably not meant as it is written."""

    name: ClassVar[str] = "service.doubt"
    level: ClassVar[Level] = "warning"
    kind: str
    place: str
    rule: str
    """The name of the policy, protection or target."""
    problem: str


class SweepRequested(Event, frozen=True):
    """A sweep was requested through the journal."""

    name: ClassVar[str] = "target.requested"
    by: str
    answer: str
    """accepted, busy or paused."""


class TargetScheduled(Event, frozen=True):
    """The next due time of a target's schedule."""

    name: ClassVar[str] = "target.scheduled"
    next_run: str
    """In UTC, as ISO 8601 writes it."""


class TargetWaiting(Event, frozen=True):
    """A sweep waits for the turn of its account, because `service.accounts_at_once` other accounts are being swept."""

    name: ClassVar[str] = "target.waiting"
    accounts_ahead: int
    """The number of accounts that have waited longer."""


class TargetSkipped(Event, frozen=True):
    """A sweep was due, and does not begin."""

    name: ClassVar[str] = "target.skipped"
    level: ClassVar[Level] = "warning"
    why: str


class TargetMadeUp(Event, frozen=True):
    """A sweep that was due while the service was down begins now, within `schedule.misfire_grace`."""

    name: ClassVar[str] = "target.made_up"
    due: str
    """When it was due, in UTC, as ISO 8601 writes it."""


class TargetBackedOff(Event, frozen=True):
    """A sweep failed; the next one waits longer after each failure."""

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
    """A target was paused."""

    name: ClassVar[str] = "target.paused"
    pause: str
    """Who paused it, when, until when and why."""


class TargetResumed(Event, frozen=True):
    """A target was resumed."""

    name: ClassVar[str] = "target.resumed"


class WebUnauthorized(Event, frozen=True):
    """A request was refused because it had no token or a wrong one."""

    name: ClassVar[str] = "web.unauthorized"
    level: ClassVar[Level] = "warning"
    peer: str
    """The address of the caller."""
    method: str
    path: str


class WebFailed(Event, frozen=True):
    """A request failed because of a bug; the response contains no details."""

    name: ClassVar[str] = "web.failed"
    level: ClassVar[Level] = "error"
    method: str
    path: str
    problem: str
    place: str
    """The place in the program."""


class LogLinesLost(Event, frozen=True):
    """Log lines were dropped, because earlier lines were not read in time."""

    name: ClassVar[str] = "log.lines_lost"
    level: ClassVar[Level] = "warning"
    lines: int
    """The number of lines dropped since the last such event."""
