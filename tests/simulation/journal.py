"""The journal in memory as one process sees it: writes take time, and end with the process."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from nbsweep.core.audit.trail import AuditTrail
from nbsweep.core.errors import JournalError
from nbsweep.testing import InMemoryJournal
from simulation.judge import Judge

FOR_EVER_S = 86_400.0
WRITES = frozenset({"open_run", "close_run", "write", "note_active", "take_lease", "release_lease"})


@dataclass(slots=True)
class LifeJournal:
    """A `Journal` over the journal in memory, with the time that writes take."""

    store: InMemoryJournal
    random: Random
    judge: Judge
    commit_s: float
    """The longest time of a commit."""
    dead: bool = False
    """Whether the process is killed: nothing becomes durable any more."""
    lost: bool = False
    """Whether its file was moved away; it is put back after the process."""

    @property
    def trail(self) -> AuditTrail:
        """The audit trail, which takes no time of its own."""
        return self.store.trail

    def require_in_place(self) -> None:
        """Raise the error of the real journal if its file is not at its path."""
        if self.lost:
            message = "the journal was moved, deleted or replaced"
            raise JournalError(message)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Return a method of the journal in memory, with the time that it takes."""
        method = getattr(self.store, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            await self._pass()
            if name in WRITES:
                self.require_in_place()
            result = await method(*arguments, **named)
            if name == "write":
                self.judge.wrote(arguments[0])
            await self._pass()
            return result

        return call

    async def _pass(self) -> None:
        await asyncio.sleep(FOR_EVER_S if self.dead else self.random.uniform(0, self.commit_s))
        if self.dead:
            await asyncio.sleep(FOR_EVER_S)
