"""The exemptions in memory."""

import asyncio
from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.audit.exemptions import entry_of_grant, entry_of_revocation
from nbsweep.core.errors import ExemptionExists
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.model import require_aware
from nbsweep.testing.records.trail import InMemoryTrail


class InMemoryExemptions:
    """The `ExemptionRecords` port."""

    def __init__(self, trail: InMemoryTrail) -> None:
        """Begin without exemptions; `trail` gets their entries."""
        self._trail = trail
        self._exemptions: dict[str, Exemption] = {}
        self._forgotten = 0

    async def version(self) -> int:
        """Return a number that grows with each grant and each revocation."""
        await asyncio.sleep(0)
        return self.version_now()

    def version_now(self) -> int:
        """Return the version without waiting, for a write that checks it."""
        return self._forgotten + sum(map(_weight, self._exemptions.values()))

    def old(self, before: datetime) -> list[Exemption]:
        """Return those that ended or were revoked before a moment."""
        return [one for one in self._exemptions.values() if min(one.until, one.revoked_at or one.until) < before]

    def forget(self, before: datetime) -> int:
        """Delete those that ended or were revoked before a moment, and return their number; the version stays."""
        old = self.old(before)
        for exemption in old:
            self._forgotten += _weight(exemption)
            del self._exemptions[exemption.id]
        return len(old)

    async def grant(self, exemption: Exemption) -> None:
        """Record a new exemption, with its entry in the audit trail."""
        if exemption.id in self._exemptions:
            raise ExemptionExists(f"There is an exemption {exemption.id} already.")
        for moment in (exemption.until, exemption.selector.notebook_created_at, exemption.revoked_at):
            require_aware(moment or exemption.granted_at)
        self._trail.extend([entry_of_grant(exemption, 0)])
        self._exemptions[exemption.id] = exemption
        await asyncio.sleep(0)

    async def revoke(self, exemption_id: str, at: datetime, by: str, reason: str = "") -> Exemption | None:
        """Revoke an exemption, with its entry in the audit trail."""
        await asyncio.sleep(0)
        found = self._exemptions.get(exemption_id)
        if found is None or found.revoked_at is not None:
            return found
        revoked = replace(found, revoked_at=require_aware(at), revoked_by=by, revoked_reason=reason)
        self._trail.extend([entry_of_revocation(revoked, 0)])
        self._exemptions[exemption_id] = revoked
        return revoked

    async def find(self, exemption_id: str) -> Exemption | None:
        """Return an exemption by its id, also one that has ended or was revoked."""
        await asyncio.sleep(0)
        return self._exemptions.get(exemption_id)

    async def in_force(self, now: datetime) -> tuple[Exemption, ...]:
        """List the exemptions that are in force at a moment, the oldest first."""
        await asyncio.sleep(0)
        return tuple(sorted((one for one in self._exemptions.values() if one.in_force(now)), key=_age))

    async def between(self, since: datetime, until: datetime) -> tuple[Exemption, ...]:
        """List the exemptions granted until `until` that end after `since`, the oldest first."""
        await asyncio.sleep(0)
        found = (one for one in self._exemptions.values() if one.until > since and one.granted_at <= until)
        return tuple(sorted(found, key=_age))

    async def all(self, limit: int) -> tuple[Exemption, ...]:
        """List the latest exemptions, the newest first."""
        await asyncio.sleep(0)
        return tuple(sorted(self._exemptions.values(), key=_age, reverse=True)[:limit])


def _age(exemption: Exemption) -> tuple[datetime, str]:
    return exemption.granted_at, exemption.id


def _weight(exemption: Exemption) -> int:
    return 1 + (exemption.revoked_at is not None)
