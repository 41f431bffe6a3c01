"""The current removals of one sweep. Every step is in the journal before it counts here."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio

from nbsweep.core import lifecycle
from nbsweep.core.errors import JournalError
from nbsweep.core.events.removal import RemovalFinished
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.ports import Ports

LAST_WRITE_S = 3.0
"""How long the last write may take after everything else was cancelled."""


@dataclass(slots=True)
class RemovalTracker:
    """Keeps the state of each removal, and signals when all have ended."""

    ports: Ports
    on_ends: Callable[[Mapping[State, int]], None] = lambda _: None
    """Called with the number of removals in each state, after some have ended."""
    removals: dict[str, Removal] = field(default_factory=dict)
    """By notebook id, in the order of the plan."""
    all_ended: anyio.Event = field(default_factory=anyio.Event)
    _unwritten: dict[str, Removal] = field(default_factory=dict)
    """Removals whose write was cancelled, and which `write_last` writes: ends, which nothing may replace, and removals
    withdrawn because their DELETE never left."""
    _open: int = 0
    _states: Counter[State] = field(default_factory=Counter)

    def begin(self, removals: Iterable[Removal]) -> None:
        """Start with removals that are in the journal and have no end."""
        self.removals = {removal.notebook_id: removal for removal in removals}
        self._open = len(self.removals)
        self._states = Counter(removal.state for removal in self.removals.values())

    async def write(self, removal: Removal, exemptions_version: int | None = None) -> Removal:
        """Write a step to the journal; it survives a crash after this returns.

        Raises:
            ExemptionsChanged: the exemptions have another version; nothing was written.
        """
        await self.ports.journal.write([removal], exemptions_version=exemptions_version)
        self._keep(removal)
        return removal

    async def finish(self, *ended: Removal) -> None:
        """Write ends to the journal, and emit their events."""
        try:
            await self.ports.journal.write(ended)
        except anyio.get_cancelled_exc_class():
            self._unwritten |= {removal.notebook_id: removal for removal in ended}
            raise
        for removal in ended:
            self._keep(removal)
            self._emit_end(removal)
        self.on_ends(self._states)
        self._open -= len(ended)
        if not self._open:
            self.all_ended.set()

    @contextmanager
    def sending(self, requested: Removal, before: Removal) -> Iterator[Callable[[], None]]:
        """Wrap the sending of a DELETE; yield the function to call when it leaves.

        If the sending is cancelled before that, the removal is as it was `before`.

        Raises:
            JournalError: when the DELETE was about to leave, the journal's file was no longer in its place.
        """
        left = False

        def leaving() -> None:
            nonlocal left
            self.ports.journal.require_in_place()
            left = True

        try:
            yield leaving
        except (JournalError, anyio.get_cancelled_exc_class()):
            if not left:
                self._unwritten[requested.notebook_id] = lifecycle.withdraw(requested, before)
            raise

    async def write_last(self, why: str) -> None:
        """Spare the removals that were never begun, and write what cancellation kept from the journal; not cancellable."""
        now = self.ports.clock.now()
        current = (self.removals | self._unwritten).values()
        spared = [lifecycle.spare(removal, now, why) for removal in current if removal.state is State.PLANNED]
        last = [*(removal for removal in self._unwritten.values() if removal.state is not State.PLANNED), *spared]
        with anyio.move_on_after(LAST_WRITE_S, shield=True):
            await self.ports.journal.write(last)
            for removal in last:
                self._keep(removal)
                if removal.ended:
                    self._emit_end(removal)

    def _keep(self, removal: Removal) -> None:
        self._states[self.removals[removal.notebook_id].state] -= 1
        self._states[removal.state] += 1
        self.removals[removal.notebook_id] = removal

    def _emit_end(self, removal: Removal) -> None:
        with self.ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
            self.ports.telemetry.emit(RemovalFinished.of(removal))
