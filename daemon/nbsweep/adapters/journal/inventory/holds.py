"""The port `HoldRecords` on SQLAlchemy Core."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select, true

from nbsweep.adapters.journal.dialects import among, compiled, insert_new
from nbsweep.adapters.journal.inventory.tables import HOLDS
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.rows import RowMapper
from nbsweep.adapters.journal.transaction import Change
from nbsweep.core.holdout.model import Hold

_MAPPER = RowMapper(Hold, HOLDS)
_HOLD = select(*_MAPPER.columns)


class SqlHolds:
    """The holds, in a table of the journal."""

    def __init__(self, access: Access) -> None:
        """Store the open journal."""
        self._access = access

    async def latest(self, project: str, notebook_ids: Collection[str] | None = None) -> Mapping[str, Hold]:
        """Return the latest hold of each notebook of a project, or of each of these, by notebook id."""
        mine = (HOLDS.c.project == project) & among(HOLDS.c.notebook_id, notebook_ids)
        newest = select(HOLDS.c.notebook_id, func.max(HOLDS.c.since).label("since")).where(mine)
        last = newest.group_by(HOLDS.c.notebook_id).subquery()
        same = (last.c.notebook_id == HOLDS.c.notebook_id) & (last.c.since == HOLDS.c.since)
        holds = await self._access.records(_MAPPER, _HOLD.join(last, same).where(mine))
        return {hold.notebook_id: hold for hold in holds}

    async def add(self, holds: Sequence[Hold]) -> None:
        """Store holds; one of the same notebook that begins at the same time is stored once."""
        for hold in holds:
            _MAPPER.check(hold)
        if holds:
            insert = compiled(self._access.dialect, insert_new(self._access.dialect.name, HOLDS), HOLDS.columns.keys())
            await self._access.write(Change(insert, tuple(holds), _MAPPER.row_of))

    async def since(self, since: datetime, target: str | None = None) -> tuple[Hold, ...]:
        """List the holds that began at or after a moment, of one target if it is given, in the order of their beginnings."""
        named = true() if target is None else HOLDS.c.target == target
        query = _HOLD.where(HOLDS.c.since >= since, named)
        return await self._access.records(_MAPPER, query.order_by(HOLDS.c.since, HOLDS.c.project, HOLDS.c.notebook_id))
