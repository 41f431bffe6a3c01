"""The port `StatisticsRecords` on SQLAlchemy Core."""

from datetime import datetime

from sqlalchemy import BigInteger, case, func, select, type_coerce

from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.notices.access import Access
from nbsweep.adapters.journal.tables import REMOVALS
from nbsweep.core.lifecycle import OUTCOMES, State
from nbsweep.core.model import moment_of
from nbsweep.core.runs import TRIED
from nbsweep.core.statistics.model import QUARTER, EndCount

QUARTER_US = QUARTER.total_seconds() * 1_000_000


class SqlStatistics:
    """Counts over the table of removals."""

    def __init__(self, access: Access) -> None:
        """Store the open journal."""
        self._access = access

    async def ends(self, since: datetime, until: datetime) -> tuple[EndCount, ...]:
        """Count the tried removals that ended from `since` until before `until`, sorted by time and outcome."""
        ended_us = type_coerce(REMOVALS.c.ended_at, BigInteger)
        quarter = (ended_us // int(QUARTER_US)).label("quarter")
        size_gb = case((REMOVALS.c.state == State.DELETED.value, REMOVALS.c.capacity_gb), else_=0)
        query = (
            select(quarter, REMOVALS.c.state, func.count().label("count"), func.coalesce(func.sum(size_gb), 0).label("size_gb"))
            .where(REMOVALS.c.state.in_(sorted(TRIED)), REMOVALS.c.ended_at >= since, REMOVALS.c.ended_at < until)
            .group_by(quarter, REMOVALS.c.state)
        )
        rows = await self._access.rows(query)
        with journal_errors(self._access.address):
            found = [
                EndCount(
                    moment_of(row["quarter"] * int(QUARTER_US)),
                    OUTCOMES[State(row["state"])],
                    row["count"],
                    int(row["size_gb"]),
                )
                for row in rows
            ]
        return tuple(sorted(found, key=lambda one: (one.begins, one.outcome)))
