"""The port `SightingRecords` on SQLAlchemy Core."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select

from nbsweep.adapters.journal.dialects import among, compiled, upsert
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.tables import SIGHTINGS
from nbsweep.adapters.journal.transaction import Change
from nbsweep.core.identity import UNKNOWN
from nbsweep.core.model import microseconds


class SqlSightings:
    """The sightings, in a table of the journal."""

    def __init__(self, access: Access) -> None:
        """Compile the statement."""
        dialect = access.dialect
        self._access = access
        self._upsert = compiled(dialect, upsert(dialect.name, SIGHTINGS, newest="last_active"), SIGHTINGS.columns.keys())

    async def note(self, project: str, notebook_ids: Iterable[str], seen_at: datetime) -> None:
        """Record that these notebooks were seen in a state other than at rest; only the latest time is kept."""
        moment = microseconds(seen_at)

        def row_of(notebook_id: str) -> Row:
            return {"project": project, "notebook_id": notebook_id, "last_active": moment}

        await self._access.write(Change(self._upsert, list(notebook_ids), row_of))

    async def latest(self, project: str, notebook_ids: Collection[str] | None = None) -> Mapping[str, datetime]:
        """Return when each notebook of a project, or each of these, was last seen in a state other than at rest."""
        latest = func.max(SIGHTINGS.c.last_active).label("last_active")
        mine = SIGHTINGS.c.project.in_([project, UNKNOWN]) & among(SIGHTINGS.c.notebook_id, notebook_ids)
        query = select(SIGHTINGS.c.notebook_id, latest).where(mine).group_by(SIGHTINGS.c.notebook_id)
        return {row["notebook_id"]: row["last_active"] for row in await self._access.rows(query)}
