"""The port of the journal for the end of old records."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from nbsweep.core.retention.model import Pruned


class RetentionRecords(Protocol):
    """Deletes records that ended before a moment and that nothing needs. All methods raise JournalError.

    These go, each only if it ended before the moment:

    - a sweep with all its removals, if each of them has ended before the moment too, a later sweep of the same target, project,
      extent and outcome can take its place (also in having no problem, and a survey), and none of its removals is a failure of
      a notebook that may still exist;
    - a mark with its items, if no item waits or is in a message that is not sent yet;
    - a message without items, sent or given up;
    - an exemption.

    A notebook may still exist unless a removal of it is DELETED, or the inventory knows it and no state of it is open.
    """

    async def claim(self, now: datetime) -> bool:
        """Return whether the last claim is a day away, and record this one then."""
        ...

    async def prunable(self, before: datetime) -> Mapping[str, Pruned]:
        """Count what `prune` would delete, by the month in UTC in which it ended, such as 2024-10, the oldest first.

        Removals count in the month of their sweep.
        """
        ...

    async def prune(self, before: datetime, limit: int) -> Pruned:
        """Delete about so many records that ended before a moment, in short transactions; none only if none is left."""
        ...
