"""The port for the records of workers."""

from datetime import datetime
from typing import Protocol

from nbsweep.core.workers.model import WorkerRecord


class WorkerRecords(Protocol):
    """The workers of a fleet. All methods raise JournalError."""

    async def beat(self, record: WorkerRecord) -> bool:
        """Store the present state of a worker; return whether somebody has asked it to take no more jobs."""
        ...

    async def all(self) -> tuple[WorkerRecord, ...]:
        """List the records of workers, sorted by their start."""
        ...

    async def drain(self, owner: str) -> bool:
        """Ask a worker to take no more jobs and to end; return False if there is no record of it."""
        ...

    async def forget(self, before: datetime) -> None:
        """Delete the records of workers whose last beat is older than a moment."""
        ...
