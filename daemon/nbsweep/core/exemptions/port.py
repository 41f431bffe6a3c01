"""The port for exemptions, a part of the journal."""

from datetime import datetime
from typing import Protocol

from nbsweep.core.exemptions.model import Exemption


class ExemptionRecords(Protocol):
    """The exemptions, those that have ended included. All methods raise JournalError; nothing may be deleted then."""

    async def version(self) -> int:
        """Return a number that grows with each grant and each revocation.

        It has to be read before the exemptions, so that `Journal.write` notices a grant between both reads.
        """
        ...

    async def grant(self, exemption: Exemption) -> None:
        """Record a new exemption, with its entry in the audit trail, in one transaction.

        Raises:
            ExemptionExists: there is one with this id. Nothing was stored.
        """
        ...

    async def revoke(self, exemption_id: str, at: datetime, by: str, reason: str = "") -> Exemption | None:
        """Revoke an exemption, with its entry in the audit trail; return it as it is then, or None if there is none.

        An exemption that was revoked already stays as it is.
        """
        ...

    async def find(self, exemption_id: str) -> Exemption | None:
        """Return an exemption by its id, also one that has ended or was revoked; None if there is none."""
        ...

    async def in_force(self, now: datetime) -> tuple[Exemption, ...]:
        """List the exemptions that are in force at a moment, the oldest first."""
        ...

    async def between(self, since: datetime, until: datetime) -> tuple[Exemption, ...]:
        """List the exemptions granted until `until` that end after `since`, those that were revoked included, oldest first."""
        ...

    async def all(self, limit: int) -> tuple[Exemption, ...]:
        """List the latest exemptions, also those that have ended or were revoked, the newest first."""
        ...
