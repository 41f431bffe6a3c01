"""Statistics in memory."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from nbsweep.core.identity import UNKNOWN
from nbsweep.core.lifecycle import ENDS, Removal, RemovalOutcome, State, outcome
from nbsweep.core.runs import FAILURES, TRIED
from nbsweep.core.statistics.model import CauseCount, DurationCount, EndCount, RemovalQuery, SentCount, counted_s


class InMemoryStatistics:
    """Counts over the removals of a journal in memory."""

    def __init__(self, removals: Mapping[tuple[str, str, str], Removal]) -> None:
        """Look at these removals, which the journal changes."""
        self._removals = removals

    async def ends(self, since: datetime, until: datetime, target: str | None = None) -> tuple[EndCount, ...]:
        """Count the tried removals that ended from `since` until before `until`, sorted by time and outcome."""
        await asyncio.sleep(0)
        count: Counter[tuple[datetime, RemovalOutcome]] = Counter()
        size_gb: Counter[tuple[datetime, RemovalOutcome]] = Counter()
        for one, at in self._ended(since, until, target):
            if one.state in TRIED:
                ended = at.astimezone(UTC)
                key = (ended.replace(minute=ended.minute // 15 * 15, second=0, microsecond=0), outcome(one))
                count[key] += 1
                size_gb[key] += (one.capacity_gb or 0) if one.state is State.DELETED else 0
        return tuple(EndCount(*key, number, size_gb[key]) for key, number in sorted(count.items()))

    async def durations(self, since: datetime, until: datetime, target: str | None = None) -> tuple[DurationCount, ...]:
        """Count how long the deletions took that ended in this time, sorted by duration."""
        await asyncio.sleep(0)
        count: Counter[int] = Counter()
        for one, at in self._ended(since, until, target):
            begun = one.accepted_at or one.sent_at
            if one.state is State.DELETED and begun is not None:
                count[counted_s(int((at - begun).total_seconds()))] += 1
        return tuple(DurationCount(took_s, number) for took_s, number in sorted(count.items()))

    async def causes(self, since: datetime, until: datetime, limit: int, target: str | None = None) -> tuple[CauseCount, ...]:
        """Count up to `limit` causes of removals that failed or timed out in this time, the most frequent first."""
        await asyncio.sleep(0)
        failed = [one for one, _ in self._ended(since, until, target) if one.state in FAILURES]
        count = Counter((outcome(one), one.end_reason) for one in failed)
        causes = [CauseCount(*key, number) for key, number in count.items()]
        return tuple(sorted(causes, key=lambda one: (-one.count, one.outcome, one.cause)))[:limit]

    async def sent(self, projects: Collection[str], since: datetime) -> tuple[SentCount, ...]:
        """Count the removals of these projects, and of none, whose DELETE was sent since a time, in any order."""
        await asyncio.sleep(0)
        sent = (one for one in self._removals.values() if one.requests and one.sent_at is not None and one.sent_at >= since)
        mine = (one for one in sent if one.project in {*projects, UNKNOWN})
        count = Counter((one.target, one.project, one.workspace_id, one.feature) for one in mine)
        return tuple(SentCount(*key, number) for key, number in count.items())

    async def removals(
        self, query: RemovalQuery, limit: int, offset: int = 0, after: Removal | None = None
    ) -> tuple[Removal, ...]:
        """List up to `limit` removals that have ended, the latest end first; `after` continues behind a listed removal."""
        await asyncio.sleep(0)
        found = [one for one, _ in self._ended(query.since, query.until, query.target) if query.outcome in (None, outcome(one))]
        found = [one for one in found if one.state in ENDS]
        newest = sorted(found, key=_key, reverse=True)
        return tuple(one for one in newest if after is None or _key(one) < _key(after))[offset:][:limit]

    def _ended(self, since: datetime, until: datetime, target: str | None) -> Iterator[tuple[Removal, datetime]]:
        for one in self._removals.values():
            if one.ended_at is not None and since <= one.ended_at < until and target in (None, one.target):
                yield one, one.ended_at


def _key(one: Removal) -> tuple[datetime, str, str, str]:
    return (one.ended_at or one.planned_at, one.run_id, one.target, one.notebook_id)
