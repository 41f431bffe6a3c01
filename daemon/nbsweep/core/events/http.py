"""Events of the calls to the cloud: requests, answers, retries, throttling, and what was found out about the cloud."""

from collections.abc import Mapping
from typing import ClassVar

from nbsweep.core.events.base import Event, Level


class ScopeNarrowed(Event, frozen=True):
    """The notebooks of all users cannot be listed; from now on only the caller's own notebooks are seen."""

    name: ClassVar[str] = "scope.narrowed"
    level: ClassVar[Level] = "warning"
    permission: str
    """The permission that lets the caller list the notebooks of all users; empty if the cloud has no such listing."""
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
    """The answers have shown which variant of the API the cloud speaks; it is kept for the run."""

    name: ClassVar[str] = "dialect.found"
    aspect: str
    """offsets, page-size, listing or sort."""
    value: str
    message: str


class LanesState(Event, frozen=True):
    """The rates of the lanes of a target's account."""

    name: ClassVar[str] = "lanes.state"
    lanes: Mapping[str, Mapping[str, float | str | None]]
    """By the lane's name; see `LaneState` of the ports."""


class HttpRequest(Event, frozen=True):
    """A call is sent. `sent_s` is in seconds of the steady clock, so that rates can be checked from the log."""

    name: ClassVar[str] = "http.request"
    level: ClassVar[Level] = "debug"
    lane: str
    method: str
    path: str
    sent_s: float


class HttpAnswered(Event, frozen=True):
    """A call has ended; `status` is None if there was no answer."""

    name: ClassVar[str] = "http.answered"
    level: ClassVar[Level] = "debug"
    lane: str
    method: str
    status: int | None
    error_code: str
    """The error code in the answer; empty if there is none."""
    duration_s: float


class HttpRetried(Event, frozen=True):
    """A call failed temporarily, and is retried."""

    name: ClassVar[str] = "http.retried"
    level: ClassVar[Level] = "warning"
    lane: str
    method: str
    path: str
    attempt: int
    wait_s: float
    problem: str


class HttpThrottled(Event, frozen=True):
    """The gateway answered 429, with or without its limit; the lane slows down to `calls_per_s`."""

    name: ClassVar[str] = "http.throttled"
    level: ClassVar[Level] = "warning"
    lane: str
    limit: str
    retry_after_s: float | None
    calls_per_s: float
