"""What happens at the web face; see `events`. What callers send is told of only as far as it says where they wanted to go."""

from typing import ClassVar

from nbsweep.core.events import Event, Level


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
