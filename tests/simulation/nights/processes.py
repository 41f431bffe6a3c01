"""Processes that can be killed: from then on nothing of them reaches the journal or the queue."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import anyio

from nbsweep.core.errors import JournalError
from nbsweep.core.lease import Holder
from nbsweep.core.ports import Journal
from nbsweep.testing import InMemoryJournal

ANSWERS_IN_S = 0.005
"""How long the journal takes for one call."""


@dataclass(slots=True)
class Process:
    """One process of the fleet."""

    name: str
    killed: bool = False

    @property
    def holder(self) -> Holder:
        """Return the process as fences and workers name it."""
        return Holder(owner=self.name, host=self.name, machine=self.name, pid=1, started=1)

    async def reach(self, answers_in_s: float) -> None:
        """Wait for the database.

        Raises:
            JournalError: this process was killed, before the call or before it took effect.
        """
        self.require_alive()
        await anyio.sleep(answers_in_s)
        self.require_alive()

    def require_alive(self) -> None:
        """Raise if this process was killed."""
        if self.killed:
            raise JournalError("the process was killed")


class ProcessPart:
    """A part of the journal as one process reaches it."""

    def __init__(self, part: Any, process: Process) -> None:
        """Take the part and the process."""
        self._part = part
        self._process = process

    def __getattr__(self, name: str) -> Any:
        """Return a method that first reaches the database, or a part of this part."""
        found = getattr(self._part, name)
        if inspect.iscoroutinefunction(found):
            return self._reaching(found)
        return found if callable(found) else ProcessPart(found, self._process)

    def _reaching(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*arguments: Any, **named: Any) -> Any:
            await self._process.reach(ANSWERS_IN_S)
            return await method(*arguments, **named)

        return call


def journal_of(journal: InMemoryJournal, process: Process) -> Journal:
    """Return the journal as this process reaches it."""
    return cast("Journal", ProcessPart(journal, process))
