"""The records of workers in memory."""

import asyncio
from datetime import datetime

from nbsweep.core.model import require_aware
from nbsweep.core.workers.model import WorkerRecord


class InMemoryWorkers:
    """The `WorkerRecords` port."""

    def __init__(self) -> None:
        """Begin without workers."""
        self._records: dict[str, WorkerRecord] = {}
        self._drained: set[str] = set()

    async def beat(self, record: WorkerRecord) -> bool:
        """Store the present state of a worker."""
        await asyncio.sleep(0)
        require_aware(record.beat_at)
        self._records[record.holder.owner] = record
        return record.holder.owner in self._drained

    async def all(self) -> tuple[WorkerRecord, ...]:
        """List the records of workers."""
        await asyncio.sleep(0)
        return tuple(sorted(self._records.values(), key=lambda record: (record.started_at, record.holder.owner)))

    async def drain(self, owner: str) -> bool:
        """Ask a worker to take no more jobs."""
        await asyncio.sleep(0)
        if owner not in self._records:
            return False
        self._drained.add(owner)
        return True

    async def forget(self, before: datetime) -> None:
        """Delete the records of workers whose last beat is older than a moment."""
        await asyncio.sleep(0)
        gone = {owner for owner, record in self._records.items() if record.beat_at < require_aware(before)}
        self._records = {owner: record for owner, record in self._records.items() if owner not in gone}
        self._drained -= gone
