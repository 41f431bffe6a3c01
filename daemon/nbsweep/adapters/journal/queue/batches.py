"""Gathers what callers want done at the same time, so that one transaction does it for all of them."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field

import anyio

from nbsweep.core.errors import JournalError


@dataclass(slots=True, eq=False)
class _Batch:
    wanted: dict[str, None] = field(default_factory=dict)
    done: Collection[str] | None = None
    failure: JournalError | None = None


class Batches:
    """Does work for names: callers that come while the work for others is under way share the next turn.

    So a thousand accounts that are due at the same moment take a few transactions, and one connection.
    """

    def __init__(self, work: Callable[[Collection[str]], Awaitable[Collection[str]]]) -> None:
        """Take the work, which returns the names for which something was done."""
        self._work = work
        self._turn = anyio.Lock()
        self._open = _Batch()

    async def do(self, names: Iterable[str]) -> list[str]:
        """Do the work for these names, and return those of them for which something was done.

        If a caller is cancelled meanwhile, the next one of its turn does the work.

        Raises:
            JournalError: the work failed, for all who shared it.
        """
        wanted, batch = list(dict.fromkeys(names)), self._open
        batch.wanted.update(dict.fromkeys(wanted))
        async with self._turn:
            if batch.done is None and batch.failure is None:
                await self._take(batch)
        if batch.failure is not None:
            raise batch.failure
        done = batch.done or ()
        return [name for name in wanted if name in done]

    async def _take(self, batch: _Batch) -> None:
        if self._open is batch:
            self._open = _Batch()
        try:
            batch.done = await self._work(list(batch.wanted))
        except JournalError as error:
            batch.failure = error
