"""The port `WorkerRecords` on SQLAlchemy Core."""

from datetime import datetime

import msgspec
from sqlalchemy import bindparam, delete, select, update

from nbsweep.adapters.journal.dialects import compiled, upsert
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.fleet.tables import WORKERS
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.transaction import Change
from nbsweep.core.model import microseconds
from nbsweep.core.workers.model import WorkerRecord

_OF_OWNER = WORKERS.c.owner == bindparam("of_owner")


class SqlWorkers:
    """The records of workers, in a table of the journal."""

    def __init__(self, access: Access) -> None:
        """Compile the statements."""
        dialect = access.dialect
        self._access = access
        self._upsert = compiled(dialect, upsert(dialect.name, WORKERS, frozen={"drain"}), WORKERS.columns.keys())
        self._drain = compiled(dialect, update(WORKERS).where(_OF_OWNER), ["drain"])
        self._forget = compiled(dialect, delete(WORKERS).where(WORKERS.c.beat_at < bindparam("of_before")), [])

    async def beat(self, record: WorkerRecord) -> bool:
        """Store the present state of a worker; return whether it shall take no more jobs."""
        owner, document = record.holder.owner, msgspec.json.encode(record).decode()
        row = {"owner": owner, "beat_at": microseconds(record.beat_at), "drain": False, "document": document}
        await self._access.write(Change(self._upsert, [row], dict))
        rows = await self._access.rows(select(WORKERS.c.drain).where(WORKERS.c.owner == owner))
        return any(row["drain"] for row in rows)

    async def all(self) -> tuple[WorkerRecord, ...]:
        """List the records of workers, sorted by their start."""
        rows = await self._access.rows(select(WORKERS.c.document))
        with journal_errors(self._access.address):
            records = [msgspec.json.decode(row["document"], type=WorkerRecord) for row in rows]
        return tuple(sorted(records, key=lambda record: (record.started_at, record.holder.owner)))

    async def drain(self, owner: str) -> bool:
        """Ask a worker to take no more jobs; return False if there is no record of it."""
        rows = await self._access.rows(select(WORKERS.c.owner).where(WORKERS.c.owner == owner))
        await self._access.write(Change(self._drain, [{"of_owner": owner, "drain": True}], dict))
        return bool(rows)

    async def forget(self, before: datetime) -> None:
        """Delete the records of workers whose last beat is older than a moment."""
        await self._access.write(Change(self._forget, [{"of_before": microseconds(before)}], dict))
