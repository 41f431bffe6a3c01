"""What one fetches for all who wait for it."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

from nbsweep.core.errors import CloudError

Fetched = TypeVar("Fetched")


class SingleFlight(Generic[Fetched]):
    """Lets one caller fetch something, and gives what came of it, a failure too, to all who asked meanwhile."""

    def __init__(self, fetch: Callable[[], Awaitable[Fetched]]) -> None:
        """Take how it is fetched; nothing is fetched yet."""
        self._fetch = fetch
        self._lock = anyio.Lock()
        self._rounds = 0
        self._outcome: Fetched | CloudError | None = None

    @property
    def under_way(self) -> bool:
        """Tell whether somebody is fetching it now."""
        return self._lock.locked()

    async def get(self) -> Fetched:
        """Fetch it anew, or take part in what comes of it for somebody who was here first.

        Raises:
            CloudError: it could not be fetched; whoever asks from now on tries again.
        """
        seen = self._rounds
        async with self._lock:
            if self._rounds == seen:
                await self._go()
            if isinstance(self._outcome, CloudError):
                raise self._outcome
            return self._outcome  # type: ignore[return-value]  # it is what `_go` has just fetched, or somebody before

    async def _go(self) -> None:
        try:
            self._outcome = await self._fetch()
        except CloudError as error:
            self._outcome = error
        # Only now: who is cancelled while fetching leaves it to the next in line.
        self._rounds += 1
