"""The port of the audit trail, for reading."""

from typing import Protocol

from nbsweep.core.audit.chain import Head, Link
from nbsweep.core.audit.entries import AuditCoverage, AuditQuery


class AuditTrail(Protocol):
    """The append-only record of what was decided, requested and ended. Every method raises `JournalError` on a failed read."""

    async def head(self) -> Head:
        """Return the last entry's number and digest."""

    async def after(self, sequence: int, limit: int) -> tuple[Link, ...]:
        """List up to `limit` entries after entry `sequence`, in the order of the chain; 0 starts with the first entry."""

    async def latest(self, query: AuditQuery, limit: int) -> tuple[Link, ...]:
        """List up to `limit` of the latest entries that match the query, the newest first."""

    async def coverage(self) -> AuditCoverage:
        """Return the number of removals in the journal whose decision is not on the trail."""
