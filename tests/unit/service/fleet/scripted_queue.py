"""A queue that hands out what a test says."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import anyio
import anyio.lowlevel

from nbsweep.core.due_sweeps.model import Job


class ScriptedQueue:
    """The `SweepQueue` port."""

    def __init__(
        self, accounts: Sequence[str], *, after_s: float = 0.0, jobs: Sequence[Job] = (), stalled: Sequence[str] = ()
    ) -> None:
        """Hand out a job for each of these accounts after a time, and say that there are these jobs and stalled accounts."""
        self.deferred: list[str] = []
        self._accounts = accounts
        self._after_s = after_s
        self._jobs = tuple(jobs)
        self._stalled = tuple(stalled)

    async def defer(self, accounts: Iterable[str]) -> Collection[str]:
        """Record the accounts."""
        await anyio.lowlevel.checkpoint()
        found = list(accounts)
        self.deferred += found
        return found

    async def reap(self) -> tuple[str, ...]:
        """Return the accounts of the stalled jobs once."""
        await anyio.lowlevel.checkpoint()
        stalled, self._stalled = self._stalled, ()
        return stalled

    async def jobs(self) -> tuple[Job, ...]:
        """Return the jobs."""
        await anyio.lowlevel.checkpoint()
        return self._jobs

    async def work(self, sweep: Callable[[str], Awaitable[None]], at_once: int, stop: anyio.Event) -> None:  # noqa: ARG002
        """Hand out the jobs, one after the other."""
        await anyio.sleep(self._after_s)
        for account in self._accounts:
            await sweep(account)
        await stop.wait()
