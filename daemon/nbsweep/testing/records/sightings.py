"""Sightings of notebooks in memory."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from nbsweep.core.identity import UNKNOWN
from nbsweep.core.model import require_aware


class InMemorySightings:
    """The sightings of a journal in memory."""

    def __init__(self) -> None:
        """Begin without sightings."""
        self._last_active: dict[str, dict[str, datetime]] = {}

    async def note(self, project: str, notebook_ids: Iterable[str], seen_at: datetime) -> None:
        """Write when these notebooks were seen in use; only the latest time is kept."""
        moment = require_aware(seen_at)
        known = self._last_active.setdefault(project, {})
        known.update({notebook_id: max(known.get(notebook_id, moment), moment) for notebook_id in notebook_ids})
        await asyncio.sleep(0)

    async def latest(self, project: str, notebook_ids: Collection[str] | None = None) -> Mapping[str, datetime]:
        """Return when each notebook of a project, or each of these, was last seen in use."""
        await asyncio.sleep(0)
        mine, older = self._last_active.get(project, {}), self._last_active.get(UNKNOWN, {})
        found = mine | {key: max(moment, mine.get(key, moment)) for key, moment in older.items()}
        return {key: moment for key, moment in found.items() if notebook_ids is None or key in notebook_ids}
