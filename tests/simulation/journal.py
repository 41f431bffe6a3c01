"""The journal in memory as one process sees it: writes take time, and end with the process."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from nbsweep.core.audit.trail import AuditTrail
from nbsweep.core.errors import JournalError
from nbsweep.core.exemptions.port import ExemptionRecords
from nbsweep.core.holdout.port import HoldRecords
from nbsweep.core.inventory.port import InventoryRecords, SightingRecords
from nbsweep.core.lease import LeaseRecords
from nbsweep.core.notices.port import MarkRecords, OutboxRecords
from nbsweep.testing import InMemoryJournal
from simulation.judge import Judge

FOR_EVER_S = 86_400.0
WRITES = frozenset({"open_run", "close_run", "write"})
PART_WRITES = frozenset(
    {
        "write",
        "note",
        "drop",
        "compose",
        "lease",
        "record",
        "retry",
        "pause",
        "resume",
        "grant",
        "revoke",
        "prune",
        "add",
        "take",
        "release",
    }
)


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

    @property
    def leases(self) -> LeaseRecords:
        """The leases, whose reads and writes take time as well."""
        return cast("LeaseRecords", LifePart(self, self.store.leases))

    @property
    def sightings(self) -> SightingRecords:
        """The sightings, whose reads and writes take time as well."""
        return cast("SightingRecords", LifePart(self, self.store.sightings))

    @property
    def marks(self) -> MarkRecords:
        """The marks, whose reads and writes take time as well."""
        return cast("MarkRecords", LifePart(self, self.store.marks))

    @property
    def outbox(self) -> OutboxRecords:
        """The outbox, whose reads and writes take time as well."""
        return cast("OutboxRecords", LifePart(self, self.store.outbox))

    @property
    def exemptions(self) -> ExemptionRecords:
        """The exemptions, whose reads and writes take time as well."""
        return cast("ExemptionRecords", LifePart(self, self.store.exemptions))

    @property
    def inventory(self) -> InventoryRecords:
        """The inventory, whose reads and writes take time as well."""
        return cast("InventoryRecords", LifePart(self, self.store.inventory))

    @property
    def holds(self) -> HoldRecords:
        """The holds, whose reads and writes take time as well."""
        return cast("HoldRecords", LifePart(self, self.store.holds))

    def require_in_place(self) -> None:
        """Raise the error of the real journal if its file is not at its path."""
        if self.lost:
            message = "the journal was moved, deleted or replaced"
            raise JournalError(message)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Return a method of the journal in memory, with the time that it takes."""
        method = getattr(self.store, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            await self.pass_time()
            if name in WRITES:
                self.require_in_place()
            result = await method(*arguments, **named)
            if name == "write":
                self.judge.wrote(arguments[0])
            await self.pass_time()
            return result

        return call

    async def pass_time(self) -> None:
        """Let the time of a part of a call pass; a process that is dead never gets through."""
        await asyncio.sleep(FOR_EVER_S if self.dead else self.random.uniform(0, self.commit_s))
        if self.dead:
            await asyncio.sleep(FOR_EVER_S)


@dataclass(slots=True)
class LifePart:
    """A part of the journal in memory as one process sees it."""

    journal: LifeJournal
    part: Any

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Return a method of the part, with the time that it takes."""
        method = getattr(self.part, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            await self.journal.pass_time()
            if name in PART_WRITES:
                self.journal.require_in_place()
            result = await method(*arguments, **named)
            await self.journal.pass_time()
            return result

        return call
