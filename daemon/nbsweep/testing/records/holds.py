"""The holds in memory."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from nbsweep.core.holdout.model import Hold
from nbsweep.core.model import require_aware


class InMemoryHolds:
    """Holds by the key of their table."""

    def __init__(self) -> None:
        """Begin without records."""
        self._stored: dict[tuple[str, str, datetime], Hold] = {}

    async def latest(self, project: str, notebook_ids: Collection[str] | None = None) -> Mapping[str, Hold]:
        """Return the latest hold of each notebook of a project, or of each of these, by notebook id."""
        await asyncio.sleep(0)
        held = [hold for hold in self._stored.values() if notebook_ids is None or hold.notebook_id in notebook_ids]
        mine = sorted((hold for hold in held if hold.project == project), key=lambda hold: hold.since)
        return {hold.notebook_id: hold for hold in mine}

    async def add(self, holds: Sequence[Hold]) -> None:
        """Store holds; one of the same notebook that begins at the same time is stored once."""
        for hold in holds:
            for moment in (hold.notebook_created_at, hold.since, hold.until):
                require_aware(moment)
        for hold in holds:
            self._stored.setdefault((hold.project, hold.notebook_id, hold.since), hold)
        await asyncio.sleep(0)

    async def since(self, since: datetime, target: str | None = None) -> tuple[Hold, ...]:
        """List the holds that began at or after a moment, of one target if it is given, in the order of their beginnings."""
        await asyncio.sleep(0)
        found = (hold for hold in self._stored.values() if hold.since >= since and target in (None, hold.target))
        return tuple(sorted(found, key=lambda hold: (hold.since, hold.project, hold.notebook_id)))
