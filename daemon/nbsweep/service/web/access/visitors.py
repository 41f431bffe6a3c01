"""Who asks: the name, the role, and the way by which the service knows it."""

from enum import StrEnum

from aiohttp import web
from msgspec import Struct

from nbsweep.core.actor import Actor, Via
from nbsweep.service.web.access.tokens import Role

ORDER = (Role.VIEWER, Role.APPROVER, Role.ADMIN)
"""Each role may do what those before it may."""


class Needs(StrEnum):
    """What a request needs."""

    NOTHING = "nothing"
    """Anybody may send it: it neither shows nor changes anything about notebooks."""
    READING = "reading"
    """On loopback nothing, elsewhere any role."""
    PERSON = "person"
    """A visitor who is signed in, with any role; the handler checks whose notebook it is."""
    APPROVER = "approver"
    ADMIN = "admin"


class SignedIn(StrEnum):
    """The way by which the service knows a visitor."""

    NOT = "not"
    BEARER = "bearer"
    """By the token in the header of the request."""
    SESSION = "session"
    """By the cookie of a session."""
    PROXY = "proxy"
    """By the headers of a trusted proxy."""


class Visitor(Struct, frozen=True):
    """Who asks."""

    name: str = ""
    """The name of the token or the user of the proxy; empty for a visitor who is not signed in."""
    role: Role | None = None
    """None for a visitor who is not signed in."""
    signed_in: SignedIn = SignedIn.NOT
    known_as: tuple[str, ...] = ()
    """The user and the e-mail address that the proxy shows; personal data, which is neither logged nor stored."""

    def __repr__(self) -> str:
        """Return the visitor for debugging, without addresses."""
        return f"Visitor(name={self.name!r}, role={self.role!r}, signed_in={self.signed_in!r})"

    @property
    def is_signed_in(self) -> bool:
        """Return whether the service knows who it is."""
        return self.role is not None

    def may(self, needs: Needs, *, reading_is_free: bool = False) -> bool:
        """Return whether the visitor may do what needs this."""
        if needs is Needs.NOTHING or (needs is Needs.READING and reading_is_free):
            return True
        if self.role is None:
            return False
        least = {Needs.APPROVER: Role.APPROVER, Needs.ADMIN: Role.ADMIN}.get(needs, Role.VIEWER)
        return ORDER.index(self.role) >= ORDER.index(least)

    def actor(self, via: Via) -> Actor:
        """Return who acts, for the record."""
        return Actor(self.name, via)


NOBODY = Visitor()
VISITOR = web.RequestKey("visitor", Visitor)
"""Who sends a request to the API."""


def actor_of(request: web.Request) -> Actor:
    """Return who acts by a request to the API, for the record of a change."""
    return request[VISITOR].actor(Via.API)
