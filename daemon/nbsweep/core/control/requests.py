"""Pauses of targets, and requests for a sweep."""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.facts import format_moment

ACCEPTED = "accepted"
"""The answer to a request for a sweep that is carried out."""


class Pause(Struct, frozen=True):
    """A decision to start no more sweeps of a target."""

    target: str
    since: datetime
    by: str = ""
    """The user, or the interface, that paused the target; empty if it is not on record."""
    reason: str = ""
    until: datetime | None = None
    """When the pause ends by itself; None if it lasts until the target is resumed."""

    def in_force(self, now: datetime) -> bool:
        """Return whether the pause has not ended by itself."""
        return self.until is None or now < self.until

    def __str__(self) -> str:
        """Describe the pause: the user, the start, the end and the reason."""
        by = f" by {self.by}" if self.by else ""
        until = f", until {format_moment(self.until)}" if self.until else ""
        reason = f": {self.reason}" if self.reason else ""
        return f"paused{by} since {format_moment(self.since)}{until}{reason}"


class Resumption(Struct, frozen=True):
    """A decision to end the pause of a target."""

    target: str
    at: datetime
    by: str
    """The user, or the interface, that resumed the target."""


class SweepRequest(Struct, frozen=True):
    """A request for a sweep, which a running service fulfils."""

    target: str
    asked_at: datetime
    by: str
