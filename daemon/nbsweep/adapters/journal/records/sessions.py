"""The port `SessionRecords` on SQLAlchemy Core."""

from datetime import datetime

import msgspec
from msgspec.structs import asdict
from sqlalchemy import RowMapping, bindparam, delete, insert, select

from nbsweep.adapters.journal.dialects import compiled
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.tables import SESSIONS
from nbsweep.adapters.journal.transaction import Change
from nbsweep.core.control.sessions import Session
from nbsweep.core.model import microseconds


class SqlSessions:
    """The sessions, in a table of the journal."""

    def __init__(self, access: Access) -> None:
        """Compile the statements."""
        dialect = access.dialect
        self._access = access
        self._insert = compiled(dialect, insert(SESSIONS), SESSIONS.columns.keys())
        self._delete = compiled(dialect, delete(SESSIONS).where(SESSIONS.c.id == bindparam("of_id")), [])
        self._forget = compiled(dialect, delete(SESSIONS).where(SESSIONS.c.ends_at <= bindparam("of_now")), [])

    async def begin(self, session: Session) -> None:
        """Record a new session."""
        moments = {"began_at": microseconds(session.began_at), "ends_at": microseconds(session.ends_at)}
        await self._access.write(Change(self._insert, [{**asdict(session), **moments}], dict))

    async def find(self, session_id: str, now: datetime) -> Session | None:
        """Return a session that has not ended; None if there is none."""
        rows = await self._access.rows(select(SESSIONS).where(SESSIONS.c.id == session_id, SESSIONS.c.ends_at > now))
        with journal_errors(self._access.address):
            return next((_session_of(row) for row in rows), None)

    async def end(self, session_id: str) -> None:
        """Remove a session, if there is one."""
        await self._access.write(Change(self._delete, [{"of_id": session_id}], dict))

    async def forget(self, now: datetime) -> None:
        """Remove the sessions that have ended."""
        await self._access.write(Change(self._forget, [{"of_now": microseconds(now)}], dict))


def _session_of(row: RowMapping) -> Session:
    """Convert a row to a session.

    Raises:
        msgspec.ValidationError: it holds something that a session cannot have.
    """
    return msgspec.convert({name: row[name] for name in Session.__struct_fields__}, Session)
