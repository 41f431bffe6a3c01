"""What a worker reports about itself in the journal."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio
from msgspec.structs import replace

from nbsweep.core.errors import JournalError
from nbsweep.core.facts import format_age
from nbsweep.core.ports import Journal
from nbsweep.core.workers.model import BEAT_EVERY, FORGOTTEN_AFTER, SILENT_AFTER, WorkerRecord


@dataclass(slots=True)
class WorkerPresence:
    """The report of one worker."""

    journal: Journal
    plain: WorkerRecord
    """The record without what changes."""
    accounts: set[str] = field(default_factory=set)
    """The accounts of the jobs that the worker carries out."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """The number of jobs that wait for another configuration, by its digest."""
    _reported_s: float | None = None
    """When the journal took the last report, by the clock of the event loop."""

    @property
    def problem(self) -> str:
        """Return why others cannot know that the worker is there; empty if they can."""
        if self._reported_s is None:
            return "the journal has not taken a report of this worker yet"
        silent = timedelta(seconds=anyio.current_time() - self._reported_s)
        return f"the journal has taken no report of this worker for {format_age(silent)}" if silent >= SILENT_AFTER else ""

    async def keep(self, stop: anyio.Event) -> None:
        """Report the worker every few seconds until it stops; set `stop` if an administrator wants it to."""
        with suppress(JournalError):
            await self.journal.workers.forget(await self.journal.now() - FORGOTTEN_AFTER)
        while True:
            with suppress(JournalError):
                if await self.journal.workers.beat(self._record(await self.journal.now(), draining=stop.is_set())):
                    stop.set()
                self._reported_s = anyio.current_time()
            with anyio.move_on_after(BEAT_EVERY.total_seconds()):
                await stop.wait()
            if stop.is_set():
                await anyio.sleep(BEAT_EVERY.total_seconds() / 10)

    async def say_stopped(self) -> None:
        """Record that the worker stops normally, if the journal can be written."""
        with suppress(JournalError):
            now = await self.journal.now()
            await self.journal.workers.beat(replace(self._record(now, draining=True), stopped_at=now))

    def _record(self, now: datetime, *, draining: bool) -> WorkerRecord:
        return replace(
            self.plain, beat_at=now, accounts=tuple(sorted(self.accounts)), refused=dict(self.refused), draining=draining
        )
