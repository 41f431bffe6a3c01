"""The port `StatisticsRecords` on SQLAlchemy Core."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, func, literal, select, tuple_, type_coerce

from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.rows import RowMapper
from nbsweep.adapters.journal.tables import REMOVALS
from nbsweep.core.identity import UNKNOWN
from nbsweep.core.lifecycle import ENDS, OUTCOMES, Removal, State
from nbsweep.core.model import moment_of
from nbsweep.core.runs import FAILURES, TRIED
from nbsweep.core.statistics.model import (
    HOURS_FROM_S,
    MINUTES_FROM_S,
    QUARTER,
    CauseCount,
    DurationCount,
    EndCount,
    RemovalQuery,
    SentCount,
)

QUARTER_US = int(QUARTER.total_seconds() * 1_000_000)
_REMOVAL_MAPPER = RowMapper(Removal, REMOVALS)
_KEY = (REMOVALS.c.ended_at, REMOVALS.c.run_id, REMOVALS.c.target, REMOVALS.c.notebook_id)


class SqlStatistics:
    """Counts over the table of removals."""

    def __init__(self, access: Access) -> None:
        """Store the open journal."""
        self._access = access

    async def ends(self, since: datetime, until: datetime, target: str | None = None) -> tuple[EndCount, ...]:
        """Count the tried removals that ended from `since` until before `until`, sorted by time and outcome."""
        quarter = (type_coerce(REMOVALS.c.ended_at, BigInteger) // QUARTER_US).label("quarter")
        size_gb = case((REMOVALS.c.state == State.DELETED.value, REMOVALS.c.capacity_gb), else_=0)
        counts = (func.count().label("count"), func.coalesce(func.sum(size_gb), 0).label("size_gb"))
        query = select(quarter, REMOVALS.c.state, *counts).where(
            REMOVALS.c.state.in_(sorted(TRIED)), *_ended(since, until, target)
        )
        rows = await self._access.rows(query.group_by(quarter, REMOVALS.c.state))
        with journal_errors(self._access.address):
            found = [
                EndCount(
                    moment_of(row["quarter"] * QUARTER_US), OUTCOMES[State(row["state"])], row["count"], int(row["size_gb"])
                )
                for row in rows
            ]
        return tuple(sorted(found, key=lambda one: (one.begins, one.outcome)))

    async def durations(self, since: datetime, until: datetime, target: str | None = None) -> tuple[DurationCount, ...]:
        """Count how long the deletions took that ended in this time, sorted by duration."""
        begun = func.coalesce(REMOVALS.c.accepted_at, REMOVALS.c.sent_at)
        took = _counted_s(type_coerce(REMOVALS.c.ended_at, BigInteger) - type_coerce(begun, BigInteger)).label("took_s")
        columns: list[ColumnElement[Any]] = [took, func.count().label("count")]
        query = select(*columns).where(
            REMOVALS.c.state == State.DELETED.value, begun.is_not(None), *_ended(since, until, target)
        )
        rows = await self._access.rows(query.group_by(took))
        return tuple(sorted((DurationCount(row["took_s"], row["count"]) for row in rows), key=lambda one: one.took_s))

    async def causes(self, since: datetime, until: datetime, limit: int, target: str | None = None) -> tuple[CauseCount, ...]:
        """Count up to `limit` causes of removals that failed or timed out in this time, the most frequent first."""
        group, count = (REMOVALS.c.state, REMOVALS.c.end_reason), func.count().label("count")
        query = select(*group, count).where(REMOVALS.c.state.in_(sorted(FAILURES)), *_ended(since, until, target))
        rows = await self._access.rows(query.group_by(*group).order_by(count.desc(), *group).limit(limit))
        with journal_errors(self._access.address):
            return tuple(CauseCount(OUTCOMES[State(row["state"])], row["end_reason"], row["count"]) for row in rows)

    async def sent(self, projects: Collection[str], since: datetime) -> tuple[SentCount, ...]:
        """Count the removals of these projects, and of none, whose DELETE was sent since a time, in any order."""
        group = (REMOVALS.c.target, REMOVALS.c.project, REMOVALS.c.workspace_id, REMOVALS.c.feature)
        mine = REMOVALS.c.project.in_(sorted({*projects, UNKNOWN}))
        counted = select(*group, func.count().label("count")).where(mine, REMOVALS.c.requests > 0, REMOVALS.c.sent_at >= since)
        return tuple(SentCount(**row) for row in await self._access.rows(counted.group_by(*group)))

    async def removals(
        self, query: RemovalQuery, limit: int, offset: int = 0, after: Removal | None = None
    ) -> tuple[Removal, ...]:
        """List up to `limit` removals that have ended, the latest end first; `after` continues behind a listed removal."""
        states = [state.value for state in ENDS if query.outcome in (None, OUTCOMES.get(state))]
        ended = [REMOVALS.c.state.in_(sorted(states)), *_ended(query.since, query.until, query.target), *_behind(after)]
        newest_first = select(*_REMOVAL_MAPPER.columns).where(*ended).order_by(*(column.desc() for column in _KEY))
        return await self._access.records(_REMOVAL_MAPPER, newest_first.limit(limit).offset(offset or None))


def _ended(since: datetime, until: datetime, target: str | None) -> Iterator[ColumnElement[bool]]:
    yield REMOVALS.c.ended_at >= since
    yield REMOVALS.c.ended_at < until
    if target is not None:
        yield REMOVALS.c.target == target


def _behind(last: Removal | None) -> Iterator[ColumnElement[bool]]:
    if last is not None:
        place = (last.ended_at, last.run_id, last.target, last.notebook_id)
        # The databases use the index on the first column for the first condition.
        yield REMOVALS.c.ended_at <= last.ended_at
        yield tuple_(*_KEY) < tuple_(*(literal(value, column.type) for value, column in zip(place, _KEY, strict=True)))


def _counted_s(took_us: ColumnElement[int]) -> ColumnElement[int]:
    """Return the expression of `counted_s`."""
    took_s = took_us // 1_000_000
    return case(
        (took_us < 0, 0),
        (took_s < MINUTES_FROM_S, took_s),
        (took_s < HOURS_FROM_S, took_s // 60 * 60),
        else_=took_s // 3600 * 3600,
    )
