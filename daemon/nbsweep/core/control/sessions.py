"""The sessions of people who are signed in to the pages, and their port."""

from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Protocol

from msgspec import Struct

LASTS = timedelta(hours=12)


class Session(Struct, frozen=True):
    """A session. The journal knows neither its cookie nor its token."""

    id: str
    """SHA-256 of the cookie."""
    token: str
    """The token that began it, as a digest whose key is the cookie, so that nobody can guess it from the journal."""
    began_at: datetime
    ends_at: datetime


def session_id(cookie: str) -> str:
    """Return the id of the session of a cookie."""
    return sha256(cookie.encode("utf-8", "replace")).hexdigest()


def begin_session(cookie: str, token: bytes, now: datetime) -> Session:
    """Return a new session for a cookie, bound to the token that began it."""
    return Session(session_id(cookie), _bound(cookie, token), now, now + LASTS)


def is_bound_to(session: Session, cookie: str, token: bytes) -> bool:
    """Return whether a token began a session."""
    return compare_digest(session.token, _bound(cookie, token))


def _bound(cookie: str, token: bytes) -> str:
    return digest(cookie.encode("utf-8", "replace"), token, "sha256").hex()


class SessionRecords(Protocol):
    """The part of the journal that keeps sessions. All methods raise JournalError."""

    async def begin(self, session: Session) -> None:
        """Record a new session."""
        ...

    async def find(self, session_id: str, now: datetime) -> Session | None:
        """Return a session that has not ended; None if there is none."""
        ...

    async def end(self, session_id: str) -> None:
        """Remove a session, if there is one."""
        ...

    async def forget(self, now: datetime) -> None:
        """Remove the sessions that have ended."""
        ...
