"""Shares one fetch among all callers that wait for its result."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

from nbsweep.core.errors import CloudError

Fetched = TypeVar("Fetched")


class SingleFlight(Generic[Fetched]):
    """Runs one fetch at a time, and returns its result or failure to all concurrent callers."""

    def __init__(self, fetch: Callable[[], Awaitable[Fetched]]) -> None:
        """Store the fetch function; nothing is fetched yet."""
        self._fetch = fetch
        self._lock = anyio.Lock()
        self._rounds = 0
        self._outcome: Fetched | CloudError | None = None

    @property
    def under_way(self) -> bool:
        """Return whether a fetch is under way."""
        return self._lock.locked()

    async def get(self) -> Fetched:
        """Fetch again, or return the result of a fetch that began after this call.

        Raises:
            CloudError: the fetch failed; a later call tries again.
        """
        seen = self._rounds
        async with self._lock:
            if self._rounds == seen:
                await self._go()
            if isinstance(self._outcome, CloudError):
                raise self._outcome
            return self._outcome  # type: ignore[return-value]  # `_go` has set it, or another caller has

    async def _go(self) -> None:
        try:
            self._outcome = await self._fetch()
        except CloudError as error:
            self._outcome = error
        # Counted last: if a caller is cancelled during its fetch, the next caller fetches.
        self._rounds += 1
