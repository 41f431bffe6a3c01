"""The port of the audit trail, for reading."""

from collections.abc import Mapping
from typing import Protocol

from nbsweep.core.audit.chain import Head, Link
from nbsweep.core.audit.entries import AuditCoverage, AuditQuery


class AuditTrail(Protocol):
    """The append-only record of what was decided, requested and ended. Every method raises `JournalError` on a failed read."""

    async def heads(self) -> Mapping[str, Head]:
        """Return the recorded head of each chain; a chain without an entry has number 0."""
        ...

    async def chains(self) -> tuple[str, ...]:
        """List the chains that have entries or a recorded head, the legacy chain first, and then the others, sorted by name.

        This reads all entries, so only a verification and an export call it.
        """
        ...

    async def head(self, chain: str) -> Head | None:
        """Return the recorded head of a chain; None if there is none."""
        ...

    async def after(self, chain: str, sequence: int, limit: int) -> tuple[Link, ...]:
        """List up to `limit` entries of a chain after entry `sequence`, in its order; 0 starts with the first entry.

        The entries of a chain are committed in its order, so who reads forward leaves out none.
        """
        ...

    async def latest(self, query: AuditQuery, limit: int) -> tuple[Link, ...]:
        """List up to `limit` of the latest entries of all chains that match the query, the highest position first."""
        ...

    async def coverage(self) -> tuple[AuditCoverage, ...]:
        """Count the removals in the journal whose decision is not on the trail, for each target that has some, sorted."""
        ...
