"""The port for the queue of jobs."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Protocol

import anyio

from nbsweep.core.due_sweeps.model import Job


class SweepQueue(Protocol):
    """The queue of jobs, one for each account with a due sweep. All methods raise JournalError."""

    async def defer(self, accounts: Iterable[str]) -> Collection[str]:
        """Defer a job for each account without one that waits or runs, and return these accounts.

        Jobs of other configurations that wait for these accounts are removed.
        """
        ...

    async def reap(self) -> tuple[str, ...]:
        """Defer the jobs again whose workers send no heartbeat, and return their accounts."""
        ...

    async def jobs(self) -> tuple[Job, ...]:
        """List the jobs that wait or run, those that waited longest first."""
        ...

    async def work(self, sweep: Callable[[str], Awaitable[None]], at_once: int, stop: anyio.Event) -> None:
        """Take jobs, and call `sweep` with the account of each, at most `at_once` of them at a time.

        After `stop` no job is taken any more, and the method returns when the last one has ended.
        """
        ...
