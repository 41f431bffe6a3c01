"""The port of the journal for statistics."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from nbsweep.core.lifecycle import Removal
from nbsweep.core.statistics.model import CauseCount, DurationCount, EndCount, RemovalQuery, SentCount


class StatisticsRecords(Protocol):
    """Counts over all runs, of one target if it is given. All methods raise JournalError."""

    async def ends(self, since: datetime, until: datetime, target: str | None = None) -> tuple[EndCount, ...]:
        """Count the tried removals that ended from `since` until before `until`, sorted by time and outcome."""
        ...

    async def durations(self, since: datetime, until: datetime, target: str | None = None) -> tuple[DurationCount, ...]:
        """Count how long the deletions took that ended in this time, sorted by duration.

        A deletion without a recorded acceptance counts from its latest DELETE; one without a record of that is left out.
        """
        ...

    async def causes(self, since: datetime, until: datetime, limit: int, target: str | None = None) -> tuple[CauseCount, ...]:
        """Count up to `limit` causes of removals that failed or timed out in this time, the most frequent first."""
        ...

    async def sent(self, projects: Collection[str], since: datetime) -> tuple[SentCount, ...]:
        """Count the removals of these projects, and of none, whose DELETE was sent since a time, in any order."""
        ...

    async def removals(
        self, query: RemovalQuery, limit: int, offset: int = 0, after: Removal | None = None
    ) -> tuple[Removal, ...]:
        """List up to `limit` removals that have ended, the latest end first; `after` continues behind a listed removal.

        Removals that ended at the same time are sorted by run, target and notebook, in descending order of their ids.
        """
        ...
