"""The port of the journal for the holdout."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from nbsweep.core.holdout.model import Hold


class HoldRecords(Protocol):
    """The notebooks that are or were held out. All methods raise JournalError."""

    async def latest(self, project: str, notebook_ids: Collection[str] | None = None) -> Mapping[str, Hold]:
        """Return the latest hold of each notebook of a project, or of each of these, by notebook id."""
        ...

    async def add(self, holds: Sequence[Hold]) -> None:
        """Store holds; one of the same notebook that begins at the same time is stored once."""
        ...

    async def since(self, since: datetime, target: str | None = None) -> tuple[Hold, ...]:
        """List the holds that began at or after a moment, of one target if it is given, in the order of their beginnings."""
        ...
