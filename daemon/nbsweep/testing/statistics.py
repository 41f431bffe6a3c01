"""Statistics in memory."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from nbsweep.core.lifecycle import Removal, RemovalOutcome, State, outcome
from nbsweep.core.runs import TRIED
from nbsweep.core.statistics.model import EndCount


class InMemoryStatistics:
    """Counts over the removals of a journal in memory."""

    def __init__(self, removals: Mapping[tuple[str, str, str], Removal]) -> None:
        """Look at these removals, which the journal changes."""
        self._removals = removals

    async def ends(self, since: datetime, until: datetime) -> tuple[EndCount, ...]:
        """Count the tried removals that ended from `since` until before `until`, sorted by time and outcome."""
        await asyncio.sleep(0)
        count: Counter[tuple[datetime, RemovalOutcome]] = Counter()
        size_gb: Counter[tuple[datetime, RemovalOutcome]] = Counter()
        for one in self._removals.values():
            if one.state in TRIED and one.ended_at is not None and since <= one.ended_at < until:
                ended = one.ended_at.astimezone(UTC)
                key = (ended.replace(minute=ended.minute // 15 * 15, second=0, microsecond=0), outcome(one))
                count[key] += 1
                size_gb[key] += (one.capacity_gb or 0) if one.state is State.DELETED else 0
        return tuple(EndCount(*key, number, size_gb[key]) for key, number in sorted(count.items()))
