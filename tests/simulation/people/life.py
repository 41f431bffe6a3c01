"""One process, and the cloud and the journal as it sees them: calls take time, may fail, and end with the process."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, cast

from nbsweep.core.audit.trail import AuditTrail
from nbsweep.core.errors import JournalError
from nbsweep.core.exemptions.port import ExemptionRecords
from nbsweep.core.inventory.port import SightingRecords
from nbsweep.core.lease import LeaseRecords
from nbsweep.core.lifecycle import Removal
from nbsweep.core.notices.port import MarkRecords, OutboxRecords
from nbsweep.testing.skew import FakeSkew
from simulation.people.scenario import Config

if TYPE_CHECKING:
    from simulation.people.world import World

FOR_EVER_S = 1e8
COMMIT_S = 0.05
WRITES = frozenset({"open_run", "close_run", "write", "note", "drop", "compose", "lease", "record"})


@dataclass(slots=True)
class Life:
    """One process; when it is dead, nothing that it does has an effect."""

    number: int
    random: Random
    skew: FakeSkew
    killed: asyncio.Event
    crash_at_write: int = 0
    dead: bool = False
    writes: int = 0

    async def pass_time(self) -> None:
        """Let the time of a part of a call pass; a process that is dead never gets through."""
        if not self.dead:
            await asyncio.sleep(self.random.uniform(0, COMMIT_S))
        if self.dead:
            await asyncio.sleep(FOR_EVER_S)

    def kill(self) -> None:
        """Kill the process."""
        self.dead = True
        self.killed.set()


@dataclass(slots=True)
class SweepNotes:
    """What the judge knows about one sweep."""

    run_id: str
    config: Config
    workspace: str
    dry_run: bool
    requested: dict[str, tuple[datetime, Removal]] = field(default_factory=dict)
    """The latest REQUESTED of each notebook, and when its write was through."""
    deletes: set[str] = field(default_factory=set)
    marked: list[str] = field(default_factory=list)
    unreadable: dict[str, datetime] = field(default_factory=dict)
    """The parts of the journal whose latest use failed, and when."""


@dataclass(slots=True)
class LifeCloud:
    """The cloud as one sweep sees it."""

    world: "World"
    life: Life
    sweep: SweepNotes

    def __getattr__(self, name: str) -> Any:
        """Return a method of the cloud."""
        method = getattr(self.world.cloud, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def call(*arguments: Any, **named: Any) -> Any:
            if self.life.dead:
                await asyncio.sleep(FOR_EVER_S)
            result = await method(*arguments, **named)
            if self.life.dead:
                await asyncio.sleep(FOR_EVER_S)
            return result

        return call

    async def delete(self, notebook_id: str, *, facts: Any, leaving: Callable[[], object]) -> str:
        """Delete a notebook, and name this sweep as the one that did."""

        def leaves() -> None:
            leaving()
            self.world.cloud.by = self.sweep

        if self.life.dead:
            await asyncio.sleep(FOR_EVER_S)
        return await self.world.cloud.delete(notebook_id, facts=facts, leaving=leaves)


@dataclass(slots=True)
class LifeJournal:
    """The journal as one sweep or relay sees it."""

    world: "World"
    life: Life
    sweep: SweepNotes | None = None

    @property
    def trail(self) -> AuditTrail:
        """The audit trail, which takes no time of its own."""
        return self.world.store.trail

    @property
    def leases(self) -> LeaseRecords:
        """The leases of targets."""
        return cast("LeaseRecords", LifePart(self, "leases"))

    @property
    def sightings(self) -> SightingRecords:
        """The sightings of notebooks."""
        return cast("SightingRecords", LifePart(self, "sightings"))

    @property
    def marks(self) -> MarkRecords:
        """The marks."""
        return cast("MarkRecords", LifePart(self, "marks"))

    @property
    def outbox(self) -> OutboxRecords:
        """The outbox."""
        return cast("OutboxRecords", LifePart(self, "outbox"))

    @property
    def exemptions(self) -> ExemptionRecords:
        """The exemptions."""
        return cast("ExemptionRecords", LifePart(self, "exemptions"))

    def require_in_place(self) -> None:
        """Raise nothing: the journal is never moved away."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Return a method of the journal itself."""
        return self.call("", name, getattr(self.world.store, name))

    def call(self, part: str, name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return a method with the time that it takes, and with what may happen to it."""

        async def call(*arguments: Any, **named: Any) -> Any:
            await self.life.pass_time()
            if name in WRITES:
                await self._count_write()
            self._fail_in_outage(part)
            result = await method(*arguments, **named)
            self.world.judge.wrote(self, part, name, arguments, named, result)
            if name in WRITES:
                await self.life.pass_time()
            return result

        return call

    async def _count_write(self) -> None:
        """Kill the process at the write at which it is to be killed: before it, or after it has taken effect."""
        self.life.writes += 1
        if self.life.writes == self.life.crash_at_write:
            self.world.crash(self.life, f"at write {self.life.writes}")
            if self.life.random.random() < 0.5:
                await self.life.pass_time()

    def _fail_in_outage(self, part: str) -> None:
        down = self.world.is_down(part)
        if self.sweep is not None and not down:
            self.sweep.unreadable.pop(part, None)
        if down:
            if self.sweep is not None:
                self.sweep.unreadable[part] = self.world.now()
            raise JournalError(f"the simulated journal cannot be used: {part or 'all of it'}")


@dataclass(slots=True)
class LifePart:
    """A part of the journal."""

    journal: LifeJournal
    part: str

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Return a method of the part."""
        return self.journal.call(self.part, name, getattr(getattr(self.journal.world.store, self.part), name))
