"""The port for due sweeps."""

from datetime import datetime
from typing import Protocol

from nbsweep.core.due_sweeps.model import DueSweep


class DueSweeps(Protocol):
    """The due sweeps of all targets. All methods raise JournalError."""

    async def add(self, sweep: DueSweep) -> bool:
        """Record that a sweep is due.

        Return False, and store nothing, if a sweep of this target and plan is open, or if the latest one is by the same as this
        one, with this due time or a later one: of several processes that record the same due time, one gets True. The due times
        of the schedule and of requests are not compared, because different clocks may tell them.
        """
        ...

    async def open(self, account: str | None = None) -> tuple[DueSweep, ...]:
        """List the sweeps that have not ended, of one account if it is given; those that were due first come first."""
        ...

    async def begin(self, sweep: DueSweep, at: datetime) -> bool:
        """Record that a worker begins a sweep; return False if it has ended meanwhile."""
        ...

    async def put_off(self, sweep: DueSweep) -> None:
        """Store `not_before`, `failures` and `problem` of an open sweep, which has not begun then."""
        ...

    async def end(self, sweep: DueSweep, at: datetime) -> None:
        """Record that a sweep has ended."""
        ...
