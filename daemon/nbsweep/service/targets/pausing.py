"""The pause of one target, as this process and the journal know it."""

from collections.abc import Callable
from dataclasses import dataclass

from nbsweep.core.control.requests import Pause, Resumption
from nbsweep.core.events.service import TargetPaused, TargetResumed
from nbsweep.core.ports import Ports


@dataclass(slots=True)
class TargetPause:
    """The pause of a target; each change is logged and reported to the runner."""

    target: str
    ports: Ports
    on_change: Callable[[], None]
    latest: Pause | None = None
    """The latest pause; it may have ended by itself."""
    _unrecorded: Pause | None = None
    """A pause that the journal does not have yet; what the journal says about pauses does not count until then."""

    @property
    def in_force(self) -> bool:
        """Whether a pause is in force."""
        return self.latest is not None and self.latest.in_force(self.ports.clock.now())

    @property
    def left_s(self) -> float:
        """Return after how many seconds the pause ends by itself."""
        until = self.latest.until if self.latest else None
        return max(0.0, (until - self.ports.clock.now()).total_seconds()) if until else float("inf")

    async def begin(self, pause: Pause) -> None:
        """Put a pause in force.

        Raises:
            JournalError: the pause holds for this process, but could not be recorded for later ones.
        """
        self._unrecorded = pause
        self._put(pause)
        await self.record()

    async def end(self, resumption: Resumption) -> None:
        """End the pause. Raises JournalError if the journal could not be written; the pause stays in force then."""
        await self.ports.journal.control.resume(resumption)
        self._unrecorded = None
        self._put(None)

    async def record(self) -> None:
        """Record a pause that the journal does not have yet. Raises JournalError."""
        if (pause := self._unrecorded) is not None:
            await self.ports.journal.control.pause(pause)
            self._unrecorded = None if self._unrecorded is pause else self._unrecorded

    async def repeat(self) -> None:
        """Record a pause again that a supervisor before this one could not record, or recorded in another journal.

        Raises:
            JournalError: the journal cannot be read or written.
        """
        self._unrecorded = self.latest
        if self.latest is not None and await self.ports.journal.control.pause_of(self.target) is None:
            await self.record()
        self._unrecorded = None

    async def read(self) -> None:
        """Take over the pause that is on record. Raises JournalError."""
        self.note(await self.ports.journal.control.pause_of(self.target))

    def note(self, recorded: Pause | None) -> None:
        """Take over the pause that is on record, unless a later one is not on record yet."""
        if self._unrecorded is None:
            self._put(recorded)

    def _put(self, pause: Pause | None) -> None:
        was_in_force, before, self.latest = self.in_force, self.latest, pause
        if pause != before and (was_in_force or self.in_force):
            with self.ports.telemetry.bound(target=self.target):
                self.ports.telemetry.emit(TargetPaused(str(pause)) if self.in_force else TargetResumed())
            self.on_change()
