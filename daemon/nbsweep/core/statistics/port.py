"""The port of the journal for statistics."""

from datetime import datetime
from typing import Protocol

from nbsweep.core.statistics.model import EndCount


class StatisticsRecords(Protocol):
    """Counts over all runs and targets. All methods raise JournalError."""

    async def ends(self, since: datetime, until: datetime) -> tuple[EndCount, ...]:
        """Count the tried removals that ended from `since` until before `until`, sorted by time and outcome."""
        ...
