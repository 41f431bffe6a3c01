"""The journal in memory as one life sees it: writes take their time, and end with the life that makes them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from nbsweep.core.errors import JournalError
from nbsweep.core.ports import AuditTrail
from nbsweep.testing import InMemoryJournal
from simulation.judge import Judge

FOR_EVER_S = 86_400.0
WRITES = frozenset({"open_run", "close_run", "write", "note_active", "take_lease", "release_lease"})


@dataclass(slots=True)
class LifeJournal:
    """Stands in for a `Journal`; whatever that comes to promise, the one behind it does."""

    store: InMemoryJournal
    random: Random
    judge: Judge
    commit_s: float
    """How long a commit takes at most."""
    dead: bool = False
    """Nothing becomes durable any more, and nobody hears of anything."""
    lost: bool = False
    """Its file was moved away; when this life has ended, somebody puts it back."""

    @property
    def trail(self) -> AuditTrail:
        """What was written to the audit trail, which takes no time of its own."""
        return self.store.trail

    def require_in_place(self) -> None:
        """Raise what the real one raises, when its file is not where it was."""
        if self.lost:
            message = "the journal was moved, deleted or replaced"
            raise JournalError(message)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Give a method of the store, with the time that it takes around it."""
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
