"""Events of the calls to the cloud: what is sent, answered, retried and throttled, and what is found out about the cloud."""

from collections.abc import Mapping
from typing import ClassVar

from nbsweep.core.events.base import Event, Level


class ScopeNarrowed(Event, frozen=True):
    """Everybody's notebooks cannot be listed, so that only the caller's own are seen from now on."""

    name: ClassVar[str] = "scope.narrowed"
    level: ClassVar[Level] = "warning"
    permission: str
    """What to grant to the caller, so that everybody's are seen; empty where the cloud has no such listing."""
    message: str


class ConnectionsBounded(Event, frozen=True):
    """This process may open too few files for the connections that the targets' `limits.concurrency` ask for."""

    name: ClassVar[str] = "connections.bounded"
    level: ClassVar[Level] = "warning"
    wanted: int
    allowed: int
    open_files: int
    """The limit of the process."""
    message: str


class DialectFound(Event, frozen=True):
    """The cloud's answers have told how it wants to be asked; it is remembered for the run."""

    name: ClassVar[str] = "dialect.found"
    aspect: str
    """offsets, page-size, listing or sort."""
    value: str
    message: str


class LanesState(Event, frozen=True):
    """How fast the lanes of a target's account may go."""

    name: ClassVar[str] = "lanes.state"
    lanes: Mapping[str, Mapping[str, float | str | None]]
    """By the lane's name; see `LaneState` of the ports."""


class HttpRequest(Event, frozen=True):
    """A call is leaving. `sent_s` is of a steady clock, so that rates can be checked from the log."""

    name: ClassVar[str] = "http.request"
    level: ClassVar[Level] = "debug"
    lane: str
    method: str
    path: str
    sent_s: float


class HttpAnswered(Event, frozen=True):
    """A call that had left is over, whatever came of it; `status` is None where there was no answer."""

    name: ClassVar[str] = "http.answered"
    level: ClassVar[Level] = "debug"
    lane: str
    method: str
    status: int | None
    error_code: str
    """The cloud's own, as in its answer; empty where there is none."""
    duration_s: float


class HttpRetried(Event, frozen=True):
    """A call failed in a way that passes, and is made again."""

    name: ClassVar[str] = "http.retried"
    level: ClassVar[Level] = "warning"
    lane: str
    method: str
    path: str
    attempt: int
    wait_s: float
    problem: str


class HttpThrottled(Event, frozen=True):
    """The gateway said 429, naming its limit or not; the lane slows down to so many calls a second."""

    name: ClassVar[str] = "http.throttled"
    level: ClassVar[Level] = "warning"
    lane: str
    limit: str
    retry_after_s: float | None
    calls_per_s: float
