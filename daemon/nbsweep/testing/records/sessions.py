"""The sessions in memory."""

import asyncio
from datetime import datetime

from nbsweep.core.control.sessions import Session
from nbsweep.core.model import require_aware


class InMemorySessions:
    """The `SessionRecords` port."""

    def __init__(self) -> None:
        """Begin without sessions."""
        self._sessions: dict[str, Session] = {}

    async def begin(self, session: Session) -> None:
        """Record a new session."""
        require_aware(session.began_at)
        require_aware(session.ends_at)
        self._sessions[session.id] = session
        await asyncio.sleep(0)

    async def find(self, session_id: str, now: datetime) -> Session | None:
        """Return a session that has not ended."""
        await asyncio.sleep(0)
        found = self._sessions.get(session_id)
        return found if found and now < found.ends_at else None

    async def end(self, session_id: str) -> None:
        """Remove a session."""
        self._sessions.pop(session_id, None)
        await asyncio.sleep(0)

    async def forget(self, now: datetime) -> None:
        """Remove the sessions that have ended."""
        self._sessions = {key: one for key, one in self._sessions.items() if now < one.ends_at}
        await asyncio.sleep(0)
