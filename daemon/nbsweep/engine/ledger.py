"""The removals of one sweep as they are now. Every step is in the journal before it counts here."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import anyio

from nbsweep.core import lifecycle
from nbsweep.core.events import RemovalFinished
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.ports import Ports

INTERRUPTED = "interrupted before its DELETE"
LAST_WRITE_S = 3.0
"""How long the last write may take after everything else was cancelled."""


@dataclass(slots=True)
class Ledger:
    """Knows where each removal stands, and when all have ended."""

    ports: Ports
    removals: dict[str, Removal] = field(default_factory=dict)
    """By notebook id, in the order of the plan."""
    all_ended: anyio.Event = field(default_factory=anyio.Event)
    _open: int = 0

    def begin(self, removals: Iterable[Removal]) -> None:
        """Take removals that are in the journal and have no end."""
        self.removals = {removal.notebook_id: removal for removal in removals}
        self._open = len(self.removals)

    async def write(self, removal: Removal) -> Removal:
        """Make a step durable; after this returns it has survived a crash."""
        await self.ports.journal.write([removal])
        self.removals[removal.notebook_id] = removal
        return removal

    async def finish(self, *ended: Removal) -> None:
        """Make ends durable, and tell them."""
        await self.ports.journal.write(ended)
        for removal in ended:
            self.removals[removal.notebook_id] = removal
            self._tell_end(removal)
        self._open -= len(ended)
        if not self._open:
            self.all_ended.set()

    async def spare_planned(self) -> None:
        """Give an end to what was never begun, whatever has ended the rest; not even cancellation keeps it from the journal."""
        now = self.ports.clock.now()
        planned = [removal for removal in self.removals.values() if removal.state is State.PLANNED]
        spared = [lifecycle.spare(removal, now, INTERRUPTED) for removal in planned]
        with anyio.move_on_after(LAST_WRITE_S, shield=True):
            await self.ports.journal.write(spared)
            for removal in spared:
                self.removals[removal.notebook_id] = removal
                self._tell_end(removal)

    def _tell_end(self, removal: Removal) -> None:
        with self.ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
            self.ports.telemetry.emit(RemovalFinished.of(removal))
